"""Short lists: the candidates of each row for its k best, by float32 logits.

Scan
----
A pair whose float32 logits reach what the row asks (`least`, `total`; see score_bounds.py) is kept: its two
logits and its position. No exponential is taken for it.

Prune
-----
When a row has no room left, its pairs are scored from their float32 logits, and a score s is
found that at least k of them reach (`kth_best_bound`). Let m be the row's margin; log odds of a score are
wrong by at most 2 m (score_bounds.py). So each of the k best is worth at least s less 2 m of log odds, and a
pair scored below s less 4 m is worth less than that: it can never be among the k and is dropped. `least`
and `total` rise to what the k surely reach. Ties and near ties survive; should so many survive
that there is still no room (everybody alike, or enormous factors), they are scored exactly and the k
best stay.

Prices
------
With prices c >= 0 a list is ordered by value = score - c p, which is never above the score: what must be
reached for the score must be reached for the value. A score is wrong by at most 2 m / 4 and p by at most
m / 4 (no slope of a sigmoid is above 1/4), so values are compared by sums instead of log odds.

Rescore
-------
At the end the survivors, hardly more than k, are scored exactly and ordered: value from high to low,
then row. So the answer depends on exact scores alone, whatever came in which order.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.kernels import kernel
from recsys.retrieval.compaction import AT_ONCE
from recsys.types import Float32Array, Float64Array, Int32Array

COLUMNS_AT_ONCE: Final = 128
"""Columns multiplied for all rows of a tile in turn: few, so that the nearest cache holds their factors."""

_MORE: Final = 128

SPARE: Final = AT_ONCE
"""Places beyond what is noted, for writing without looking."""

NO_PRICE: Final = np.empty(0)


class Shortlists(NamedTuple):
    """What is noted of each row of a tile, all `(n_rows, room)`, in no order.

    x, y: float32 logits; score: float64, of the first `n_scored` `(n_rows,)`, which is exact for the
    first `n_exact`; position: int32; length: `(n_rows,)`, how many are noted.
    least, total: `(n_rows,)` float32, what a pair's float32 logits must reach to be noted.
    """

    x: Float32Array
    y: Float32Array
    score: Float64Array
    position: Int32Array
    length: Int32Array
    n_scored: Int32Array
    n_exact: Int32Array
    least: npt.NDArray[np.float32]
    total: npt.NDArray[np.float32]


class SearchTarget(NamedTuple):
    """What is looked for: lists of `k` by `combiner`, less `price` `(n_people,)` or none `(0,)`.

    combiner: see COMBINER_NUMBERS; highest_price: no price is above it.
    """

    combiner: int
    k: int
    price: Float64Array
    highest_price: float


class TopK(NamedTuple):
    """The k best of each row of a tile, all `(n_rows, k)`, best first; `length` `(n_rows,)`."""

    score: Float64Array
    position: Int32Array
    p_like: npt.NDArray[np.float32]
    p_liked_back: npt.NDArray[np.float32]
    length: Int32Array


def shortlist_capacity(k: int, n_columns: int) -> int:
    """Return how many pairs a row of `n_columns` columns can note for lists of `k`."""
    return min(2 * k + _MORE, n_columns) + COLUMNS_AT_ONCE + SPARE


def empty_shortlists(n_rows: int, room: int) -> Shortlists:
    """Return empty short lists with room for `room` pairs each."""
    return Shortlists(
        x=np.empty((n_rows, room), np.float32),
        y=np.empty((n_rows, room), np.float32),
        score=np.empty((n_rows, room)),
        position=np.empty((n_rows, room), np.int32),
        length=np.zeros(n_rows, np.int32),
        n_scored=np.zeros(n_rows, np.int32),
        n_exact=np.zeros(n_rows, np.int32),
        least=np.full(n_rows, -np.inf, np.float32),
        total=np.full(n_rows, -np.inf, np.float32),
    )


def empty_top_k(n_rows: int, k: int) -> TopK:
    """Return room for `k` people a row."""
    return TopK(
        score=np.empty((n_rows, k)),
        position=np.empty((n_rows, k), np.int32),
        p_like=np.empty((n_rows, k), np.float32),
        p_liked_back=np.empty((n_rows, k), np.float32),
        length=np.zeros(n_rows, np.int32),
    )


_RANKED_BY_COUNTING: Final = 512


@kernel
def in_order(value: Float64Array, row: Int32Array):  # type: ignore[no-untyped-def]
    """Return the order `(n,)` by value from high to low, then by row."""
    return _by_counting(value, row) if len(value) <= _RANKED_BY_COUNTING else _by_shells(value, row)


@kernel
def _by_counting(value: Float64Array, row: Int32Array):  # type: ignore[no-untyped-def]
    """Count who comes before each: in a short list a comparison costs less than a wrongly guessed branch."""
    n = len(value)
    order, before = np.full(n, -1), np.zeros(n, np.int64)
    distinct = True
    for a in range(n):
        here = value[a]
        for b in range(n):
            before[a] += value[b] > here
        distinct &= order[before[a]] < 0
        order[before[a]] = a
    if not distinct:
        for a in range(n):
            for b in range(n):
                before[a] += (value[b] == value[a]) & (row[b] < row[a])
        for a in range(n):
            order[before[a]] = a
    return order


@kernel
def _by_shells(value: Float64Array, row: Int32Array):  # type: ignore[no-untyped-def]
    """Sort by shells, gaps a factor of 2.25 apart."""
    order = np.arange(len(value))
    gap = 57
    while gap < len(value) // 3:
        gap = gap * 9 // 4
    while gap > 0:
        for a in range(gap, len(value)):
            here, b = order[a], a - gap
            while b >= 0 and (
                value[here] > value[order[b]]
                or (value[here] == value[order[b]] and row[here] < row[order[b]])
            ):
                order[b + gap] = order[b]
                b -= gap
            order[b + gap] = here
        gap = 1 if 1 < gap < 5 else gap * 4 // 9
    return order
