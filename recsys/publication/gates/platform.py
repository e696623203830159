"""The service declares the four conditions a safe platform meets."""

from recsys.publication.gates.gate import GateResult, Level, Proposal


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
