"""Questions a night must answer before the pointer moves; to add one, write a file and name it here."""

from typing import Final

from recsys.pipeline.gates.base import Calibration, Gate, GateResult, Level, Proposal
from recsys.pipeline.gates.distribution import calibration, drift, exposure, parity
from recsys.pipeline.gates.lists import lengths, no_duplicates, no_self, overlap, people, ranks, rows, scores
from recsys.pipeline.gates.safety import erased, platform, violations

GATES: Final[tuple[Gate, ...]] = (
    platform,
    violations,
    erased,
    no_self,
    no_duplicates,
    ranks,
    scores,
    lengths,
    people,
    rows,
    exposure,
    overlap,
    calibration,
    parity,
    drift,
)


def run_gates(proposal: Proposal) -> list[GateResult]:
    """Put a proposal to every gate."""
    return [gate(proposal) for gate in GATES]


__all__ = [
    "GATES",
    "Calibration",
    "Gate",
    "GateResult",
    "Level",
    "Proposal",
    "ask",
]
