"""Lists for everybody together: matches, fairness, budgets."""

from recsys.allocation.allocate import allocate
from recsys.allocation.allocation import Allocation, allocate_graph
from recsys.allocation.config import AllocationConfig
from recsys.allocation.examination import Examination
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.judge_lists import judge_lists
from recsys.allocation.presence import Presence
from recsys.allocation.tables import graph_of

__all__ = [
    "Allocation",
    "AllocationConfig",
    "CandidateGraph",
    "Examination",
    "Presence",
    "allocate",
    "allocate_graph",
    "graph_of",
    "judge_lists",
]
