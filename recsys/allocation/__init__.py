"""Allocation of lists to everybody together: matches, fairness, budgets."""

from recsys.allocation.allocate import Allocation, allocate, allocate_graph, graph_from_lists
from recsys.allocation.comparison import simulate_lists
from recsys.allocation.config import AllocationConfig, MemberActivity
from recsys.allocation.graph import CandidateGraph
from recsys.data.examination import Examination

__all__ = [
    "Allocation",
    "AllocationConfig",
    "CandidateGraph",
    "Examination",
    "MemberActivity",
    "allocate",
    "allocate_graph",
    "graph_from_lists",
    "simulate_lists",
]
