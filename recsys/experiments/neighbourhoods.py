"""Neighbourhoods: groups of people who mostly meet each other, so that few pairs stand between two arms.

What an arm does to one person reaches those they may meet. When whole neighbourhoods share an arm, it stays
inside, and the difference of arms is what everybody would feel: graph cluster randomization.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.linalg import eigh
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import eigsh

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.errors import InputError, explained, need_columns
from recsys.experiments.assignment import NEIGHBOURHOOD
from recsys.types import BoolArray, Float64Array, Int64Array

_FEWEST_TO_SPLIT: Final = 8
_DENSE_UP_TO: Final = 200
_LEAST_PART: Final = 0.3
"""A cut leaves at least so much of the people on each side."""


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """Who is in which neighbourhood, and what lies between them.

    table: user_id, neighbourhood. cut: the share of the weight of all pairs that stands between two
    neighbourhoods: about so much of an effect is lost or leaks.
    """

    table: pd.DataFrame
    cut: float

    @property
    def sizes(self) -> Int64Array:
        """People in each neighbourhood, largest first."""
        return np.asarray(self.table[NEIGHBOURHOOD].value_counts(), np.int64)


@checked_arguments
def neighbourhoods(pairs: pd.DataFrame, *, count: int = 40, weight: str | None = None) -> Neighbourhoods:
    """Group people so that few of the pairs who may be shown to each other lie between two groups.

    pairs:  viewer_id and candidate_id, such as the candidates of a night; the other way round is the same.
    count:  about how many neighbourhoods of like size. More give narrower intervals and cut more pairs.
    weight: column that says how much a pair counts, such as p_mutual; all alike when None.

    People who cannot reach each other are parted first; what is still too large is halved along the second
    eigenvector of the normalised adjacency (spectral bisection), and in the end whoever has more weight in
    another group moves there. The same pairs give the same groups in any order.

    Raises InputError for a missing column, fewer than two groups asked for, or a weight below 0.

    >>> pairs = pd.DataFrame({"viewer_id": ["a", "c", "e"], "candidate_id": ["b", "d", "f"]})
    >>> found = neighbourhoods(pairs, count=3)
    >>> found.table["neighbourhood"].tolist(), found.cut
    (['n0000', 'n0000', 'n0001', 'n0001', 'n0002', 'n0002'], 0.0)
    """
    need_columns([C.VIEWER, C.CANDIDATE, *([weight] if weight else [])], pairs.columns, where="pairs")
    if count < 2:
        raise InputError(explained("an experiment needs two neighbourhoods or more", got=count))
    both = pd.concat([pairs[C.VIEWER], pairs[C.CANDIDATE]], ignore_index=True)
    codes, ids = pd.factorize(both.astype(object), sort=True)
    amount = np.ones(len(pairs)) if weight is None else pairs[weight].to_numpy(np.float64)
    if not (amount >= 0.0).all():  # comparisons with NaN are false
        raise InputError(explained("the weight of a pair is below 0 or missing", where=weight or "pairs"))
    n, m = len(ids), len(pairs)
    directed = sparse.csr_array((amount, (codes[:m], codes[m:])), shape=(n, n))
    graph = (directed + directed.T).tocsr()
    label = _moved(graph, _parts(graph, count), int(1.3 * n / count) + 1)
    _, label = np.unique(_first_seen(label), return_inverse=True)
    table = pd.DataFrame(
        {C.USER: pd.Series(ids, dtype="str"), NEIGHBOURHOOD: [f"n{one:04d}" for one in label]}
    )
    row = np.repeat(np.arange(n), np.diff(graph.indptr))
    between = float(graph.data[label[row] != label[graph.indices]].sum())
    return Neighbourhoods(table, between / max(float(graph.data.sum()), 1e-300))


def _first_seen(label: Int64Array) -> Int64Array:
    """Return groups numbered by their first member."""
    _, first, code = np.unique(label, return_index=True, return_inverse=True)
    return np.asarray(first[code], np.int64)


def _parts(graph: sparse.csr_array, count: int) -> Int64Array:
    """Return a group for each person: components, the large ones halved until none is over its share."""
    n = graph.shape[0]
    most = max(n / count * 1.3, float(_FEWEST_TO_SPLIT))
    _, component = connected_components(graph, directed=False)
    order = np.argsort(component, kind="stable")
    waiting = np.split(order, np.flatnonzero(np.diff(component[order])) + 1)
    label = np.zeros(n, np.int64)
    done = 0
    while waiting:
        rows = waiting.pop()
        if len(rows) <= most:
            label[rows] = done
            done += 1
            continue
        side = _halved(graph[rows][:, rows])
        waiting += [rows[side], rows[~side]]
    return label


def _halved(graph: sparse.csr_array) -> BoolArray:
    """Return which half each person of a group is in, at the cheapest of its cuts."""
    n = graph.shape[0]
    degree = np.maximum(np.asarray(graph.sum(axis=1)).reshape(-1), 1e-12)
    scale = sparse.diags_array(1.0 / np.sqrt(degree))
    normal = (scale @ graph @ scale).tocsr()
    if n <= _DENSE_UP_TO:
        vector = eigh(normal.toarray(), subset_by_index=[n - 2, n - 2])[1][:, 0]
    else:
        start = np.cos(np.arange(n, dtype=np.float64))  # any fixed vector: the same cut every time
        vector = eigsh(normal, k=2, which="LA", v0=start, tol=1e-3, maxiter=n * 10)[1][:, 0]
    order = np.argsort(np.round(vector / np.sqrt(degree), 9), kind="stable")
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    cost = _cut_costs(graph, place)
    least, last = max(int(_LEAST_PART * n), 1), min(n - int(_LEAST_PART * n), n - 1)
    within = np.cumsum(degree[order])[:-1]
    worst = np.minimum(within, within[-1] + degree[order[-1]] - within)
    at = least + int(np.argmin(cost[least - 1 : last] / worst[least - 1 : last]))
    return np.asarray(place < at)


def _cut_costs(graph: sparse.csr_array, place: Int64Array) -> Float64Array:
    """Return the weight between the first t people and the rest, for t from 1 to n - 1."""
    n = graph.shape[0]
    row = np.repeat(np.arange(n), np.diff(graph.indptr))
    low = np.minimum(place[row], place[graph.indices])
    high = np.maximum(place[row], place[graph.indices])
    change = np.bincount(low, graph.data, n) - np.bincount(high, graph.data, n)
    return np.asarray(np.cumsum(change)[:-1])


def _moved(graph: sparse.csr_array, label: Int64Array, most: int, rounds: int = 4) -> Int64Array:
    """Move people to the group that holds most of their weight while it has room."""
    label, size = label.copy(), np.bincount(label)
    for _ in range(rounds):
        n = graph.shape[0]
        member = sparse.csr_array((np.ones(n), (np.arange(n), label)), shape=(n, len(size)))
        ties = (graph @ member).tocsr()
        own = np.asarray(ties[np.arange(n), label]).reshape(-1)
        best = np.asarray(ties.argmax(axis=1)).reshape(-1)
        gain = np.asarray(ties[np.arange(n), best]).reshape(-1) - own
        movers = np.flatnonzero(gain > 0.0)
        moved = 0
        for one in movers[np.argsort(-gain[movers], kind="stable")].tolist():
            if size[best[one]] < most and size[label[one]] > 1:
                size[label[one]] -= 1
                size[best[one]] += 1
                label[one] = best[one]
                moved += 1
        if not moved:
            break
    return label
