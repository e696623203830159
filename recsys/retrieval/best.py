"""The k best of each row: a short list by float32 logits, settled at the end by exact scores.

Noting
------
A pair whose float32 logits reach what the row asks (`least`, `total`; see scores.py) is noted: its two
logits and its position. No exponential is taken for it.

Cutting
-------
When a row has no room left, the noted pairs are scored from their float32 logits, and a score s is
found that at least k of them reach (`reached_by`). Let m be the row's margin; log odds of a score are
wrong by at most 2 m (scores.py). So each of the k best is worth at least s less 2 m of log odds, and a
pair scored below s less 4 m is worth less than that: it can never be among the k and is dropped. `least`
and `total` rise to what the k surely reach. Ties and near ties survive; should so many survive
that there is still no room (everybody alike, or enormous factors), they are scored exactly and the k
best stay.

Prices
------
With prices c >= 0 a list is ordered by value = score - c p, which is never above the score: what must be
reached for the score must be reached for the value. A score is wrong by at most 2 m / 4 and p by at most
m / 4 (no slope of a sigmoid is above 1/4), so `_cut` takes values apart by sums instead of log odds.

Settling
--------
At the end the survivors, hardly more than k, are scored exactly and ordered: value from high to low,
then row. So the answer depends on exact scores alone, whatever came in which order.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.retrieval.scores import Factors, Values
from recsys.retrieval.words import Positions

COLUMNS_AT_ONCE: Final = 128
"""Columns multiplied for all rows of a tile in turn: few, so that the nearest cache holds their factors."""

_MORE: Final = 128

SPARE: Final = 8
"""Places beyond what is noted, for writing without looking."""

NO_PRICE: Final = np.empty(0)


class Shortlists(NamedTuple):
    """What is noted of each row of a tile, all `(n_rows, room)`, in no order.

    x, y: float32 logits; score: float64, of the first `n_scored` `(n_rows,)`, which is exact for the
    first `n_exact`; position: int32; length: `(n_rows,)`, how many are noted.
    least, total: `(n_rows,)` float32, what a pair's float32 logits must reach to be noted.
    """

    x: Factors
    y: Factors
    score: Values
    position: Positions
    length: Positions
    n_scored: Positions
    n_exact: Positions
    least: npt.NDArray[np.float32]
    total: npt.NDArray[np.float32]


class Wanted(NamedTuple):
    """What is looked for: lists of `k` by combiner `how`, less `price` `(n_people,)` or none `(0,)`.

    dearest: no price is above it.
    """

    how: int
    k: int
    price: Values
    dearest: float


class Best(NamedTuple):
    """The k best of each row of a tile, all `(n_rows, k)`, best first; `length` `(n_rows,)`."""

    score: Values
    position: Positions
    p_like: npt.NDArray[np.float32]
    p_liked_back: npt.NDArray[np.float32]
    length: Positions


def room_for(k: int, n_columns: int) -> int:
    """Return how many pairs a row of `n_columns` columns can note for lists of `k`."""
    return min(2 * k + _MORE, n_columns) + COLUMNS_AT_ONCE + SPARE


def nobody_yet(n_rows: int, room: int) -> Shortlists:
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


def empty_best(n_rows: int, k: int) -> Best:
    """Return room for `k` people a row."""
    return Best(
        score=np.empty((n_rows, k)),
        position=np.empty((n_rows, k), np.int32),
        p_like=np.empty((n_rows, k), np.float32),
        p_liked_back=np.empty((n_rows, k), np.float32),
        length=np.zeros(n_rows, np.int32),
    )
