"""Other ways to make lists, written from their papers: what the allocator is compared with."""

from collections.abc import Callable

from recsys.allocation.deploy import Ranked
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.peers.fair_exposure import fair_exposure
from recsys.allocation.peers.greedy_budget import greedy_budget
from recsys.allocation.peers.orders import harmonic, minimum, naive, product, random_order
from recsys.allocation.peers.transferable_utility import transferable_utility

Peer = Callable[[CandidateGraph, int], Ranked]
"""Makes lists of at most k from a graph."""

__all__ = [
    "Peer",
    "fair_exposure",
    "greedy_budget",
    "harmonic",
    "minimum",
    "naive",
    "product",
    "random_order",
    "transferable_utility",
]
