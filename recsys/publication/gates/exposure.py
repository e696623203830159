"""Attention is spread over many."""

from typing import Final

from recsys.evaluation.gini import exposure as attention
from recsys.evaluation.gini import gini
from recsys.publication.gates.band import usual_band
from recsys.publication.gates.gate import GateResult, Level, Proposal, graded
from recsys.schema.columns import Columns as C

_LEAST_CHANGE: Final = 0.05


def exposure(proposal: Proposal) -> GateResult:
    """Grade how unequally attention is spread over listed people, and how far from usual that is."""
    if proposal.lists.empty or not proposal.listed.any():
        return GateResult("exposure", Level.PASS, "no list to look at")
    listed = proposal.people.ids.ids(proposal.listed.nonzero()[0])
    value = gini(attention(proposal.lists[C.CANDIDATE], proposal.lists[C.RANK], listed))
    limits = proposal.limits
    band = usual_band(proposal.past, "exposure", "value", limits, least=_LEAST_CHANGE)
    unusual = band is not None and not band.holds(value)
    shown = band.within(0.0, 1.0) if band else None
    return graded(
        "exposure",
        f"Gini {value:.2f}" + (f", usually {shown.low:.2f} to {shown.high:.2f}" if shown else ""),
        warn=value > limits.warn_gini or unusual,
        block=value > limits.block_gini,
        value=value,
        **({"low": shown.low, "high": shown.high} if shown else {}),
    )
