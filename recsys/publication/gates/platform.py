"""The service declares the four conditions a safe platform meets."""

from recsys.publication.gates.gate import GateResult, Level, Proposal


def platform(proposal: Proposal) -> GateResult:
    """Block unless every platform condition is declared."""
    missing = ", ".join(proposal.undeclared)
    if missing:
        return GateResult(
            "platform",
            Level.BLOCK,
            f"not declared for this source in publish.platform: {missing}",
            {"count": len(proposal.undeclared)},
        )
    return GateResult("platform", Level.PASS, "all platform conditions are declared")
