"""Orders of each list by itself, to which the allocator is compared."""

import numpy as np
import numpy.typing as npt

from recsys.allocation.graph import CandidateGraph
from recsys.allocation.rounding import RankedEdges, rank_edges


def by_score(graph: CandidateGraph, score: npt.ArrayLike, k: int, workers: int = 1) -> RankedEdges:
    """Return the `k` edges of highest `score` `(n_edges,)` of every viewer; ties go by candidate."""
    found = np.ascontiguousarray(score, np.float32)
    return rank_edges(graph, found, found, np.ones(graph.n_edges, bool), k=k, workers=workers)


def naive(graph: CandidateGraph, k: int, workers: int = 1) -> RankedEdges:
    """Order by what the viewer likes alone."""
    return by_score(graph, graph.p, k, workers)


def product(graph: CandidateGraph, k: int, workers: int = 1) -> RankedEdges:
    """Order by the chance that both like: p q."""
    return by_score(graph, graph.p * graph.q, k, workers)


def harmonic(graph: CandidateGraph, k: int) -> RankedEdges:
    """Order by the harmonic mean of p and q (RECON: L. Pizzato et al., RecSys 2010)."""
    both = graph.p + graph.q
    return by_score(graph, 2.0 * graph.p * graph.q / np.where(both > 0.0, both, 1.0), k)


def minimum(graph: CandidateGraph, k: int) -> RankedEdges:
    """Order by the smaller of p and q."""
    return by_score(graph, np.minimum(graph.p, graph.q), k)


def random_order(graph: CandidateGraph, k: int, rng: np.random.Generator, workers: int = 1) -> RankedEdges:
    """Order by lot."""
    return by_score(graph, rng.random(graph.n_edges, dtype=np.float32), k, workers)
