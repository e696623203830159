"""Nobody is shown a person they may not be shown: asked of the plain definition, pair by pair."""

import numpy as np

from recsys.constraints.many_pairs import may_show_each
from recsys.publication.gates.gate import GateResult, Proposal, blocked_if_any


def violations(proposal: Proposal) -> GateResult:
    """Block when the plain definition of any constraint forbids any pair, or an id is unknown.

    The lists were made with the compiled form; this does not use it.
    """
    viewers, candidates = proposal.viewers, proposal.candidates
    known = (viewers >= 0) & (candidates >= 0)
    count = int((~known).sum())
    shown = may_show_each(proposal.policy, proposal.people, viewers[known], candidates[known])
    count += int(np.count_nonzero(~shown))
    return blocked_if_any(
        "violations",
        count,
        good=f"none among {len(proposal.lists):,} pairs",
        bad="{count:,} pairs that may not be shown",
    )
