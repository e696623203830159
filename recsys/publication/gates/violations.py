"""Nobody is shown a person they may not be shown: asked of the plain definition, pair by pair."""

from typing import Final

import numpy as np

from recsys.publication.gates.gate import GateResult, Proposal, blocked_if_any

_PAIRS_AT_ONCE: Final = 1_000_000


def violations(proposal: Proposal) -> GateResult:
    """Block when the plain definition of any constraint forbids any pair, or an id is unknown.

    The lists were made with the compiled form; this does not use it.
    """
    viewers, candidates = proposal.viewers, proposal.candidates
    known = (viewers >= 0) & (candidates >= 0)
    count = int((~known).sum())
    viewers, candidates = viewers[known], candidates[known]
    for start in range(0, len(viewers), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        shown = proposal.policy.may_show(proposal.people, viewers[part], candidates[part])
        count += int(np.count_nonzero(~shown))
    return blocked_if_any(
        "violations",
        count,
        good=f"none among {len(proposal.lists):,} pairs",
        bad="{count:,} pairs that may not be shown",
    )
