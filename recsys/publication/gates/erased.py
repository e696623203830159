"""Nobody who asked to be erased is named."""

from recsys.publication.gates.gate import GateResult, Proposal, blocked_if_any
from recsys.schema.columns import Columns as C


def erased(proposal: Proposal) -> GateResult:
    """Block when anybody in the people or the lists stands in the list of erasures."""
    named: set[str] = set()
    if len(proposal.erased):
        listed = (proposal.lists[column].unique() for column in (C.VIEWER, C.CANDIDATE))
        named = {*proposal.people.ids.values}.union(*listed)
    return blocked_if_any(
        "erased",
        int(proposal.erased.holds(named).sum()),
        good="nobody who asked to be erased is named",
        bad="{count:,} people who asked to be erased are named; run the night again",
    )
