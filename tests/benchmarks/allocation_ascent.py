"""A general way to the same optimum: projected gradient ascent from many starts, and an LP for one step."""

import time

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse

from recsys.allocation import AllocationConfig, CandidateGraph
from recsys.allocation.objective import MeanFieldModel

Values = npt.NDArray[np.float64]


def projected(rows: Values, position_weights: Values) -> Values:
    """Return the nearest mixtures of orderings of `position_weights` (descending) to each row, `(n_rows, n)`.

    The projection to a permutahedron is one sort and one isotonic regression (C. Lim and S. Wright, 2016).
    """
    from sklearn.isotonic import isotonic_regression

    found = np.empty_like(rows)
    for at, row in enumerate(rows):
        order = np.argsort(-row, kind="stable")
        dual = isotonic_regression(row[order] - position_weights, increasing=False)
        found[at, order] = row[order] - dual
    return found


def best_of_starts(
    graph: CandidateGraph, position_weights: Values, rng: np.random.Generator, *, starts: int, steps: int
) -> float:
    """Return the highest objective that projected ascent reaches from `starts` random mixtures."""
    model = MeanFieldModel(graph, AllocationConfig(k=len(position_weights)))
    shape = (graph.n_edges // len(position_weights), len(position_weights))
    best = 0.0
    for _ in range(starts):
        exposure = projected(rng.random(shape), position_weights)
        size, reached = 1.0, -1.0
        for _ in range(steps):
            flat = exposure.ravel().astype(np.float32)
            utility = model.utilities(flat)
            value = model.objective(utility)
            if value < reached:
                size *= 0.7
            reached = max(reached, value)
            exposure = projected(exposure + size * model.gain(flat, utility).reshape(shape), position_weights)
        best = max(best, reached)
    return best


def seconds_of_lp(gain: Values, position_weights: Values) -> tuple[float, float]:
    """Solve one linear step, all rows, as a transport problem by HiGHS; return seconds and its value."""
    start, value = time.perf_counter(), 0.0
    n = len(position_weights)
    rows = sparse.kron(sparse.eye_array(n), np.ones((1, n)))
    columns = sparse.kron(np.ones((1, n)), sparse.eye_array(n))
    equal = sparse.vstack([rows, columns]).tocsr()
    for row in gain:
        found = optimize.linprog(
            -np.outer(row, position_weights).ravel(), A_eq=equal, b_eq=np.ones(2 * n), method="highs"
        )
        value -= found.fun
    return time.perf_counter() - start, value
