"""Lists are long enough to be of use."""

import numpy as np

from recsys.publication.gates.gate import GateResult, Level, Proposal, graded


def lengths(proposal: Proposal) -> GateResult:
    """Grade the share of listed people whose list is shorter than the floor."""
    n_listed = int(proposal.listed.sum())
    if n_listed == 0:
        return GateResult("lengths", Level.BLOCK, "nobody is listed", {"listed": 0})
    if proposal.lists.empty:
        message = f"every list is empty ({n_listed:,} people are listed)"
        return GateResult("lengths", Level.BLOCK, message, {"listed": n_listed})
    known = proposal.viewers[proposal.viewers >= 0]
    length = np.bincount(known, minlength=len(proposal.people))[proposal.listed]
    limits = proposal.limits
    short = float((length < limits.list_floor).mean())
    return graded(
        "lengths",
        f"{short:.1%} of {n_listed:,} lists hold fewer than {limits.list_floor}",
        warn=short > limits.warn_short_lists,
        block=short > limits.block_short_lists,
        short=short,
        empty=float((length == 0).mean()),
        mean=float(length.mean()),
        listed=n_listed,
    )
