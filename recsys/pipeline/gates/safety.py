"""Gates of safety: constraint violations, erased people, the platform declaration."""

import numpy as np

from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import may_show_each
from recsys.pipeline.gates.proposal import GateResult, Level, Proposal, blocked_if_any


def erased(proposal: Proposal) -> GateResult:
    """Block when anybody in the people or the lists stands in the list of erasures."""
    named: set[str] = set()
    if len(proposal.erased):
        listed = (proposal.lists[column].unique() for column in (C.VIEWER, C.CANDIDATE))
        named = {*proposal.people.ids.values}.union(*listed)
    return blocked_if_any(
        "erased",
        int(proposal.erased.among(named).sum()),
        good="nobody who asked to be erased is named",
        bad="{count:,} people who asked to be erased are named; run the night again",
    )


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


def platform(proposal: Proposal) -> GateResult:
    """Block unless every platform condition is declared."""
    missing = ", ".join(proposal.undeclared)
    if missing:
        return GateResult(
            "platform",
            Level.BLOCK,
            f"not declared for this source: {missing}; when all are true of your service, declare them "
            "in publish.platform, with declared_for as the source is written",
            {"count": len(proposal.undeclared)},
            {"undeclared": tuple(proposal.undeclared)},
        )
    return GateResult("platform", Level.PASS, "all platform conditions are declared")
