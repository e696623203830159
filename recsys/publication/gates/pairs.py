"""A list holds other people, each once, in an unbroken order."""

from recsys.publication.gates.gate import GateResult, Proposal, blocked_if_any
from recsys.schema.columns import Columns as C


def no_self(proposal: Proposal) -> GateResult:
    """Block when somebody stands in their own list."""
    count = int((proposal.lists[C.VIEWER] == proposal.lists[C.CANDIDATE]).sum())
    return blocked_if_any(
        "no_self", count, good="nobody is in their own list", bad="{count:,} people are in their own list"
    )


def no_duplicates(proposal: Proposal) -> GateResult:
    """Block when a list holds somebody twice."""
    count = int(proposal.lists.duplicated([C.VIEWER, C.CANDIDATE]).sum())
    return blocked_if_any(
        "no_duplicates", count, good="no pair stands twice", bad="{count:,} pairs stand twice"
    )


def ranks(proposal: Proposal) -> GateResult:
    """Block when the ranks of a list are not 1, 2, 3 and so on."""
    lists = proposal.lists[[C.VIEWER, C.RANK]].sort_values([C.VIEWER, C.RANK], kind="stable")
    expected = lists.groupby(C.VIEWER).cumcount() + 1
    count = int((lists[C.RANK] != expected).sum())
    return blocked_if_any(
        "ranks", count, good="every list counts from 1", bad="{count:,} ranks are out of order"
    )
