"""The model states honest chances."""

from recsys.publication.gates.gate import GateResult, Level, Proposal, graded


def calibration(proposal: Proposal) -> GateResult:
    """Grade the calibration error of the chance of a like, on what came after the model learned."""
    known, limits = proposal.calibration, proposal.limits
    if known is None or known.answers < limits.least_judged:
        answers = 0 if known is None else known.answers
        message = f"too few answers to tell ({answers:,} of {limits.least_judged:,})"
        return GateResult("calibration", Level.PASS, message, {"answers": answers})
    return graded(
        "calibration",
        f"stated chances are off by {known.ece:.1%} on average ({known.answers:,} answers)",
        warn=known.ece > limits.warn_ece,
        block=known.ece > limits.block_ece,
        value=known.ece,
        answers=known.answers,
    )
