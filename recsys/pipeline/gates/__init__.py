"""Gates: checks of a publication before it is served."""

from recsys.pipeline.gates.gate_registry import GATES, run_gates
from recsys.pipeline.gates.proposal import Calibration, Gate, GateResult, Level, Proposal

__all__ = [
    "GATES",
    "Calibration",
    "Gate",
    "GateResult",
    "Level",
    "Proposal",
    "run_gates",
]
