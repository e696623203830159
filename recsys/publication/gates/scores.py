"""Every probability is a probability, and what was drawn by lot could be drawn."""

from recsys.publication.gates.gate import GateResult, Proposal, blocked_if_any
from recsys.schema.columns import Columns as C


def scores(proposal: Proposal) -> GateResult:
    """Block when a score or propensity is missing, infinite, below 0 or above 1, or a propensity is 0."""
    table = proposal.lists[[C.P_LIKE, C.P_LIKED_BACK, C.P_MUTUAL]]
    good = ((table >= 0.0) & (table <= 1.0)).all(axis=1)  # comparisons with NaN are false
    if C.PROPENSITY in proposal.lists:
        good &= proposal.lists[C.PROPENSITY].between(0.0, 1.0, inclusive="right")
    return blocked_if_any(
        "scores",
        int((~good).sum()),
        good="every score is a probability",
        bad="{count:,} pairs carry a score that is no probability",
    )
