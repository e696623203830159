"""Matching with transferable utility: order by how likely a pair is in a stable matching of everybody.

Y. Tomita, R. Togashi, Y. Hashizume and N. Ohsaka, "Fast and Examination-agnostic Reciprocal
Recommendation in Matching Markets" (RecSys 2023, doi:10.1145/3604915.3608774): the equilibrium of
Choo and Siow with Gumbel tastes, `mu_ij = exp((p_ij + q_ij) / (2 beta)) A_i B_j`, where
`A_i ** 2 + A_i sum_j K_ij B_j = n_i` and the same for B, found by iterative proportional fitting.
"""

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.allocation.deploy import Ranked
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.peers.orders import by_score

Doubles = npt.NDArray[np.float64]


def transferable_utility(
    graph: CandidateGraph, k: int, *, beta: float = 0.1, steps: int = 200, tolerance: float = 1e-9
) -> Ranked:
    """Order every list by mu. Works on the edges there are, few or all of them.

    A viewer has mass 1; receivers share the mass of the viewers evenly, as in the paper, so that a market of
    unequal sides clears. beta: how much taste is left to chance.
    """
    kernel = _kernel(graph, beta)
    return by_score(graph, matching(graph, kernel, steps, tolerance), k)


def matching(graph: CandidateGraph, kernel: sparse.csr_array, steps: int, tolerance: float) -> Doubles:
    """Return mu of every edge, `(n_edges,)`."""
    viewers = np.diff(graph.indptr) > 0
    receives = np.bincount(graph.candidate, minlength=graph.n_people) > 0
    mass = viewers.sum() / max(int(receives.sum()), 1)
    a, b = viewers.astype(np.float64), np.sqrt(mass) * receives
    back = kernel.T.tocsr()
    for _ in range(steps):
        before = a
        a = _solved(kernel @ b, 1.0) * viewers
        b = _solved(back @ a, mass) * receives
        if np.abs(a - before).max(initial=0.0) < tolerance:
            break
    return kernel.data * np.repeat(a, np.diff(graph.indptr)) * b[graph.candidate]


def dense_matching(
    p: Doubles, q: Doubles, *, beta: float = 0.1, steps: int = 200, tolerance: float = 1e-9
) -> Doubles:
    """Return mu of two full sides, `(n_rows, n_columns)`: the dense form of `matching`."""
    kernel = np.exp((p + q) / (2.0 * beta))
    mass = p.shape[0] / p.shape[1]
    a, b = np.ones(p.shape[0]), np.full(p.shape[1], np.sqrt(mass))
    for _ in range(steps):
        before = a
        a = _solved(kernel @ b, 1.0)
        b = _solved(kernel.T @ a, mass)
        if np.abs(a - before).max(initial=0.0) < tolerance:
            break
    return kernel * a[:, None] * b[None, :]


def _solved(s: Doubles, mass: float) -> Doubles:
    """Return the x of 0 or more with `x ** 2 + s x = mass`, without cancellation."""
    return 2.0 * mass / (s + np.sqrt(s * s + 4.0 * mass))


def _kernel(graph: CandidateGraph, beta: float) -> sparse.csr_array:
    value = np.exp((graph.p.astype(np.float64) + graph.q) / (2.0 * beta))
    shape = (graph.n_people, graph.n_people)
    return sparse.csr_array((value, graph.candidate, graph.indptr), shape=shape)
