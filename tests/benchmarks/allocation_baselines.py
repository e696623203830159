"""Baselines of the allocator, written from their papers."""

import numpy as np
from scipy import sparse

from recsys.allocation.baseline_rankings import by_score
from recsys.allocation.budgets import repair_budgets
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.rounding import RankedEdges, rank_edges
from recsys.data.examination import Decay, Examination
from recsys.types import Float64Array


def fair_exposure(graph: CandidateGraph, k: int, *, look: Decay = 1.0, pull: float = 1.0) -> RankedEdges:
    """Return lists that even out exposure over merit; `pull` 0 is the order by p q.

    Place by place, every list takes the edge of highest `p q (share / (share + given)) ** pull`, where
    given is what the candidate received in places above, and share what their merit entitles them to.
    """
    both = graph.p.astype(np.float64) * graph.q
    position_weights = Examination.of(look).position_weights(k)
    degree = np.bincount(graph.candidate, minlength=graph.n_people)
    merit = np.bincount(graph.candidate, weights=both, minlength=graph.n_people) / np.maximum(degree, 1)
    lengths = np.minimum(np.diff(graph.indptr), k)
    total = np.append(0.0, np.cumsum(position_weights))[lengths].sum()
    share = total * merit / max(merit.sum(), 1e-300) + 1e-12
    given = np.zeros(graph.n_people)
    viewer = graph.viewer
    open_ = np.ones(graph.n_edges, bool)
    chosen, owners = [], []
    for chance in position_weights:
        score = np.where(open_, both * (share / (share + given))[graph.candidate] ** pull, -1.0)
        order = np.lexsort((-score, viewer))
        first = graph.indptr[:-1][np.diff(graph.indptr) > 0]
        edge = order[first]
        edge = edge[open_[edge]]
        open_[edge] = False
        chosen.append(edge)
        owners.append(viewer[edge])
        given += chance * np.bincount(graph.candidate[edge], minlength=graph.n_people)
    edges, who = np.concatenate(chosen), np.concatenate(owners)
    indptr = np.zeros(graph.n_people + 1, np.int64)
    np.cumsum(np.bincount(who, minlength=graph.n_people), out=indptr[1:])
    return RankedEdges(indptr, edges[np.argsort(who, kind="stable")].astype(np.int32))


def greedy_budget(graph: CandidateGraph, k: int, *, budget: float = 1.0, look: Decay = 1.0) -> RankedEdges:
    """Fill places from the top by p q; a receiver takes the likeliest askers while `budget` likes suffice.

    The capacity rule of K. Christakopoulou, J. Kawale and A. Banerjee, "Recommendation with Capacity
    Constraints" (CIKM 2017), applied greedily to both-sided chances.
    """
    both = graph.p * graph.q
    return repair_budgets(
        graph,
        rank_edges(graph, both, both, np.ones(graph.n_edges, bool)),
        both,
        Examination.of(look).position_weights(k),
        np.full(graph.n_people, budget),
    )


def transferable_utility(
    graph: CandidateGraph, k: int, *, beta: float = 0.1, steps: int = 200, tolerance: float = 1e-9
) -> RankedEdges:
    """Order every list by mu. Works on the edges there are, few or all of them.

    A viewer has mass 1; receivers share the mass of the viewers evenly, as in the paper, so that a market of
    unequal sides clears. beta: how much taste is left to chance.
    """
    kernel = _kernel(graph, beta)
    return by_score(graph, matching(graph, kernel, steps, tolerance), k)


def matching(graph: CandidateGraph, kernel: sparse.csr_array, steps: int, tolerance: float) -> Float64Array:
    """Return mu of every edge, `(n_edges,)`."""
    viewers = np.diff(graph.indptr) > 0
    receives = np.bincount(graph.candidate, minlength=graph.n_people) > 0
    mass = viewers.sum() / max(int(receives.sum()), 1)
    a, b = viewers.astype(np.float64), np.sqrt(mass) * receives
    back = kernel.T.tocsr()
    for _ in range(steps):
        before = a
        a = solved(kernel @ b, 1.0) * viewers
        b = solved(back @ a, mass) * receives
        if np.abs(a - before).max(initial=0.0) < tolerance:
            break
    return kernel.data * np.repeat(a, np.diff(graph.indptr)) * b[graph.candidate]


def solved(s: Float64Array, mass: float) -> Float64Array:
    """Return the x of 0 or more with `x ** 2 + s x = mass`, without cancellation."""
    return 2.0 * mass / (s + np.sqrt(s * s + 4.0 * mass))


def _kernel(graph: CandidateGraph, beta: float) -> sparse.csr_array:
    value = np.exp((graph.p.astype(np.float64) + graph.q) / (2.0 * beta))
    shape = (graph.n_people, graph.n_people)
    return sparse.csr_array((value, graph.candidate, graph.indptr), shape=shape)
