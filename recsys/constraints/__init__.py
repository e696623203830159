"""What is forbidden: plain per-pair rules, their compiled masks, and why a pair is refused."""

from recsys.constraints.brought import check_constraint
from recsys.constraints.clauses import (
    CellLimit,
    Clause,
    Gate,
    Groups,
    Overlaps,
    Refuses,
    Separated,
    ShownTo,
)
from recsys.constraints.compiled import Compiled
from recsys.constraints.constraint import Constraint
from recsys.constraints.funnel import funnel
from recsys.constraints.platform import PlatformDeclaration
from recsys.constraints.policy import Policy
from recsys.constraints.why_not import WhyNot

__all__ = [
    "CellLimit",
    "Clause",
    "Compiled",
    "Constraint",
    "Gate",
    "Groups",
    "Overlaps",
    "PlatformDeclaration",
    "Policy",
    "Refuses",
    "Separated",
    "ShownTo",
    "WhyNot",
    "check_constraint",
    "funnel",
]
