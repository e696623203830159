"""Lists for everybody together: matches, fairness, budgets."""

from recsys.allocation.allocate import Allocation, allocate, allocate_graph, graph_of
from recsys.allocation.comparison import judge_lists
from recsys.allocation.config import AllocationConfig, Presence
from recsys.allocation.graph import CandidateGraph
from recsys.evaluation.examination import Examination

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
