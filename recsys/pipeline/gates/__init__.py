"""Gates: checks of a publication before it is served, in the order in which they are asked.

To add one, write a function from `Proposal` to `GateResult` and name it in `GATES`.
"""

from typing import Final

from recsys.pipeline.gates.distribution import calibration, drift, exposure, parity
from recsys.pipeline.gates.list_checks import (
    lengths,
    no_duplicates,
    no_self,
    overlap,
    people,
    ranks,
    rows,
    scores,
)
from recsys.pipeline.gates.proposal import Calibration, Gate, GateResult, Level, Proposal
from recsys.pipeline.gates.safety import erased, platform, violations
from recsys.pipeline.gates.table_checks import (
    clock,
    event_types,
    person_tokens,
    safety_tables,
    tables,
    wishes,
)

__all__ = [
    "GATES",
    "Calibration",
    "Gate",
    "GateResult",
    "Level",
    "Proposal",
    "run_gates",
]


GATES: Final[tuple[Gate, ...]] = (
    platform,
    violations,
    erased,
    tables,
    safety_tables,
    event_types,
    wishes,
    person_tokens,
    clock,
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
    """Return the result of every gate."""
    return [gate(proposal) for gate in GATES]
