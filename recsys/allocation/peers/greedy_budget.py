"""Greedy with receiver budgets: the likeliest pairs first, while the receiver has likes left."""

import numpy as np

from recsys.allocation.deploy import Ranked, sorted_edges
from recsys.allocation.examination import Decay, Examination
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.trim import within_budget


def greedy_budget(graph: CandidateGraph, k: int, *, budget: float = 1.0, look: Decay = 1.0) -> Ranked:
    """Fill places from the top by p q; a receiver takes the likeliest askers while `budget` likes suffice.

    The capacity rule of K. Christakopoulou, J. Kawale and A. Banerjee, "Recommendation with Capacity
    Constraints" (CIKM 2017), applied greedily to both-sided chances.
    """
    both = graph.p * graph.q
    return within_budget(
        graph,
        sorted_edges(graph, both, both, np.ones(graph.n_edges, bool)),
        both,
        Examination.of(look).slots(k),
        np.full(graph.n_people, budget),
    )
