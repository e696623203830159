"""Tonight's lists are not strangers to last night's."""

from typing import Final

from recsys.publication.gates.band import usual_band
from recsys.publication.gates.gate import GateResult, Level, Proposal, graded
from recsys.schema.columns import Columns as C
from recsys.storage.published import LISTS, read_lists

_LEAST_CHANGE: Final = 0.1


def overlap(proposal: Proposal) -> GateResult:
    """Grade which share of tonight's pairs stood in last night's lists, among viewers of both nights."""
    if proposal.previous is None:
        return GateResult("overlap", Level.PASS, "no earlier night to compare with")
    before = read_lists(proposal.previous.folder / LISTS, [C.VIEWER, C.CANDIDATE])
    tonight = proposal.lists[[C.VIEWER, C.CANDIDATE]]
    tonight = tonight[tonight[C.VIEWER].isin(before[C.VIEWER].unique())]
    if tonight.empty:
        return GateResult("overlap", Level.WARN, "no viewer of last night has a list", {"value": 0.0})
    value = len(tonight.merge(before.drop_duplicates(), on=[C.VIEWER, C.CANDIDATE])) / len(tonight)
    limits = proposal.limits
    band = usual_band(proposal.past, "overlap", "value", limits, least=_LEAST_CHANGE)
    unusual = band is not None and not band.holds(value)
    shown = band.within(0.0, 1.0) if band else None
    return graded(
        "overlap",
        f"{value:.0%} of the pairs stood in last night's lists"
        + (f", usually {shown.low:.0%} to {shown.high:.0%}" if shown else ""),
        warn=value < limits.warn_below_overlap or unusual,
        block=value < limits.block_below_overlap,
        value=value,
        **({"low": shown.low, "high": shown.high} if shown else {}),
    )
