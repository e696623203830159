"""The definition of the model, edge by edge in float64: no kernel, no sort, no pass up and down."""

import numpy as np

from recsys.allocation.graph import CandidateGraph
from recsys.data.examination import LOGARITHMIC, POWER, UNREAD, Examination
from recsys.types import Float64Array
from tests.benchmarks.allocation_baselines import solved


def curve(how: Examination, r: float) -> float:
    if how.kind == UNREAD:
        return 0.0
    if how.kind == LOGARITHMIC:
        return float(1.0 / np.log2(r + 1.0))
    return r**-how.decay if how.kind == POWER else float(np.exp(-how.decay * (r - 1.0)))


def place(graph: CandidateGraph, exposure: np.ndarray, e: int) -> float:
    """The expected place of edge e in its inbox: better likes before it, ties half the time."""
    found = 1.0
    for k in np.flatnonzero(graph.candidate == graph.candidate[e]):
        if k != e:
            like = float(graph.p[k]) * float(exposure[k])
            found += like if graph.q[k] > graph.q[e] else 0.5 * like if graph.q[k] == graph.q[e] else 0.0
    return found


def utilities(
    graph: CandidateGraph, exposure: np.ndarray, how: Examination, reads: np.ndarray | None = None
) -> np.ndarray:
    """Expected matches of everybody: every unordered pair once."""
    viewer = graph.viewer
    edges = {(int(i), int(j)): e for e, (i, j) in enumerate(zip(viewer, graph.candidate, strict=True))}
    comes = np.ones(graph.n_people) if reads is None else reads.astype(np.float64)
    read = [comes[graph.candidate[e]] * curve(how, place(graph, exposure, e)) for e in range(graph.n_edges)]
    both = graph.p.astype(np.float64) * graph.q
    found = np.zeros(graph.n_people)
    for (i, j), e in edges.items():
        back = edges.get((j, i))
        if back is None:
            chance = both[e] * exposure[e] * read[e]
        elif i < j:
            shared = min(both[e], both[back])
            one, other = float(exposure[e]), float(exposure[back])
            chance = both[e] * one * read[e] + both[back] * other * read[back]
            chance += shared * one * other * (1.0 - read[e] - read[back])
        else:
            continue
        found[i] += chance
        found[j] += chance
    return found


def slope(
    graph: CandidateGraph,
    exposure: np.ndarray,
    how: Examination,
    weight: np.ndarray,
    reads: np.ndarray | None = None,
) -> np.ndarray:
    """Half the change of the weighted sum of matches with every exposure, by finite differences."""
    small = 1e-5
    found = np.empty(graph.n_edges)
    for e in range(graph.n_edges):
        up, down = exposure.astype(np.float64), exposure.astype(np.float64)
        up[e] += small
        down[e] -= small
        change = utilities(graph, up, how, reads) - utilities(graph, down, how, reads)
        found[e] = 0.5 * float(weight @ change) / (2.0 * small)
    return found


def dense_matching(
    p: Float64Array, q: Float64Array, *, beta: float = 0.1, steps: int = 200, tolerance: float = 1e-9
) -> Float64Array:
    """Return mu of two full sides, `(n_rows, n_columns)`: the dense form of `matching`."""
    kernel = np.exp((p + q) / (2.0 * beta))
    mass = p.shape[0] / p.shape[1]
    a, b = np.ones(p.shape[0]), np.full(p.shape[1], np.sqrt(mass))
    for _ in range(steps):
        before = a
        a = solved(kernel @ b, 1.0)
        b = solved(kernel.T @ a, mass)
        if np.abs(a - before).max(initial=0.0) < tolerance:
            break
    return kernel * a[:, None] * b[None, :]
