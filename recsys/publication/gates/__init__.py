"""Questions a night must answer before the pointer moves; to add one, write a file and name it here."""

from typing import Final

from recsys.publication.gates.calibration import calibration
from recsys.publication.gates.drift import drift
from recsys.publication.gates.erased import erased
from recsys.publication.gates.exposure import exposure
from recsys.publication.gates.gate import Calibration, Gate, GateResult, Level, Proposal
from recsys.publication.gates.last_night import people, rows
from recsys.publication.gates.lengths import lengths
from recsys.publication.gates.overlap import overlap
from recsys.publication.gates.pairs import no_duplicates, no_self, ranks
from recsys.publication.gates.parity import parity
from recsys.publication.gates.platform import platform
from recsys.publication.gates.scores import scores
from recsys.publication.gates.violations import violations

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

__all__ = ["GATES", "Calibration", "Gate", "GateResult", "Level", "Proposal", "ask"]


def ask(proposal: Proposal) -> list[GateResult]:
    """Put a proposal to every gate."""
    return [gate(proposal) for gate in GATES]
