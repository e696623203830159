"""What is forbidden: plain per-pair rules, their compiled masks, and why a pair is refused."""

from recsys.constraints.base import (
    CellLimit,
    Clause,
    Constraint,
    DirectedVisibility,
    ExcludedPairs,
    Gate,
    Overlaps,
    Refusals,
    TokenGroups,
)
from recsys.constraints.compiled import Compiled
from recsys.constraints.funnel import funnel
from recsys.constraints.plugin import check_constraint
from recsys.constraints.policy import Policy
from recsys.constraints.why_not import WhyNot

__all__ = [
    "CellLimit",
    "Clause",
    "Compiled",
    "Constraint",
    "DirectedVisibility",
    "ExcludedPairs",
    "Gate",
    "Overlaps",
    "Policy",
    "Refusals",
    "TokenGroups",
    "WhyNot",
    "check_constraint",
    "funnel",
]
