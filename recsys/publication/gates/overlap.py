"""Tonight's lists are not strangers to last night's."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.publication.gates.band import usual_band
from recsys.publication.gates.gate import GateResult, Level, Proposal, graded
from recsys.schema.columns import Columns as C
from recsys.schema.ids import IdIndex
from recsys.storage.published import LISTS, read_coded_lists

_LEAST_CHANGE: Final = 0.1


def overlap(proposal: Proposal) -> GateResult:
    """Grade which share of tonight's pairs stood in last night's lists, among viewers of both nights."""
    if proposal.previous is None:
        return GateResult("overlap", Level.PASS, "no earlier night to compare with")
    before = read_coded_lists(proposal.previous.folder / LISTS, [C.VIEWER, C.CANDIDATE])
    stayed = proposal.lists[C.VIEWER].isin(before[C.VIEWER].unique()).to_numpy(bool)
    if not stayed.any():
        return GateResult("overlap", Level.WARN, "no viewer of last night has a list", {"value": 0.0})
    value = float(_stood(proposal.lists[stayed], before).mean())
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


def _stood(tonight: pd.DataFrame, before: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which of tonight's pairs stood in the lists before, `(n_tonight,)` bool."""
    ids = IdIndex(set(tonight[C.VIEWER].unique()).union(tonight[C.CANDIDATE].unique()))

    def numbered(lists: pd.DataFrame) -> npt.NDArray[np.int64]:
        viewer, candidate = (ids.find(lists[column]).astype(np.int64) for column in (C.VIEWER, C.CANDIDATE))
        return np.where((viewer >= 0) & (candidate >= 0), viewer * len(ids) + candidate, -1)

    return np.isin(numbered(tonight), numbered(before))
