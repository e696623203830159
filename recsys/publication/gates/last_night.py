"""Tonight is not much smaller than what is served now."""

from dataclasses import dataclass

from recsys.publication.gates.gate import GateResult, Level, Proposal, graded
from recsys.schema.columns import Columns as C
from recsys.storage.published import LISTS, read_coded_lists


def rows(proposal: Proposal) -> GateResult:
    """Grade the number of rows against the publication served now."""
    limits, last = proposal.limits, None
    if proposal.previous:
        last = proposal.previous.manifest.files[LISTS].rows
    share = _Share("rows", warn=limits.warn_below_rows, block=limits.block_below_rows)
    return share.graded(proposal, now=len(proposal.lists), last=last)


def people(proposal: Proposal) -> GateResult:
    """Grade the number of people with a list against the publication served now."""
    limits, last = proposal.limits, None
    if proposal.previous:
        last = read_coded_lists(proposal.previous.folder / LISTS, [C.VIEWER])[C.VIEWER].nunique()
    share = _Share("people", warn=limits.warn_below_people, block=limits.block_below_people)
    return share.graded(proposal, now=proposal.lists[C.VIEWER].nunique(), last=last)


@dataclass(frozen=True)
class _Share:
    """A count tonight as a share of the count last night, and where that warns and blocks."""

    gate: str
    warn: float
    block: float

    def graded(self, proposal: Proposal, *, now: int, last: int | None) -> GateResult:
        if proposal.previous_problem:
            message = f"the last publication cannot be compared with: {proposal.previous_problem}"
            names = {"problem": (proposal.previous_problem,)}
            return GateResult(self.gate, Level.WARN, message, {"now": now}, names)
        if not last:
            message = f"{now:,}, and no earlier night to compare with"
            return GateResult(self.gate, Level.PASS, message, {"now": now})
        share = now / last
        message = f"{now:,}, last night {last:,} ({share:.1%})"
        warn, block = share < self.warn, share < self.block
        return graded(self.gate, message, warn=warn, block=block, now=now, last=last)
