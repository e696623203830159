"""Lists in the order of one number a pair: every list for itself, whoever else wants the same people."""

import numpy as np
import numpy.typing as npt

from recsys.allocation.deploy import Ranked, sorted_edges
from recsys.allocation.graph import CandidateGraph

Floats = npt.NDArray[np.float32]


def by_score(graph: CandidateGraph, score: npt.ArrayLike, k: int, workers: int = 1) -> Ranked:
    """Return the `k` edges of highest `score` `(n_edges,)` of every viewer; ties go by candidate."""
    found = np.ascontiguousarray(score, np.float32)
    return sorted_edges(graph, found, found, np.ones(graph.n_edges, bool), k=k, workers=workers)


def naive(graph: CandidateGraph, k: int) -> Ranked:
    """Order by what the viewer likes alone."""
    return by_score(graph, graph.p, k)


def product(graph: CandidateGraph, k: int) -> Ranked:
    """Order by the chance that both like: p q."""
    return by_score(graph, graph.p * graph.q, k)


def harmonic(graph: CandidateGraph, k: int) -> Ranked:
    """Order by the harmonic mean of p and q (RECON: L. Pizzato et al., RecSys 2010)."""
    both = graph.p + graph.q
    return by_score(graph, 2.0 * graph.p * graph.q / np.where(both > 0.0, both, 1.0), k)


def minimum(graph: CandidateGraph, k: int) -> Ranked:
    """Order by the smaller of p and q."""
    return by_score(graph, np.minimum(graph.p, graph.q), k)


def random_order(graph: CandidateGraph, k: int, rng: np.random.Generator) -> Ranked:
    """Order by lot."""
    return by_score(graph, rng.random(graph.n_edges, dtype=np.float32), k)
