"""The few strongest of many things, pair by pair."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Strength = npt.NDArray[np.int8]
Things = npt.NDArray[np.int16]
Pairs = npt.NDArray[np.int32]
Arrays = dict[str, npt.NDArray[Any]]
"""What one kind of evidence holds of people, by name, to be saved and mapped again."""

_PAIRS_AT_ONCE = 32_768


def strongest(
    n_things: int, i: Pairs, j: Pairs, strength: Callable[[Pairs, Pairs], Strength], *, most: int
) -> Things:
    """Return the `most` strongest things of each pair, `(n_pairs, most)` int16, -1 for none.

    `strength` gives `(n_pairs, n_things)` int8 for some pairs, 0 or less where a thing is not shared;
    it may be written to. Equal strengths go by the order of the things. Pairs are taken some at a
    time, so memory does not grow with their number.

    >>> level = np.array([[2, 0, 3], [5, 1, 3]], np.int8)
    >>> both = lambda a, b: np.minimum(level[a], level[b])
    >>> strongest(3, np.array([0]), np.array([1]), both, most=3).tolist()
    [[2, 0, -1]]
    """
    found = np.full((len(i), most), -1, np.int16)
    for start in range(0, len(i) if n_things else 0, _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        left = strength(i[part], j[part])
        pair = np.arange(len(left))
        for place in range(min(most, n_things)):
            thing = left.argmax(axis=1)
            found[part, place] = np.where(left[pair, thing] > 0, thing, -1)
            left[pair, thing] = 0
    return found


def table_of(
    n_people: int, things: list[str], row: npt.ArrayLike, thing: npt.ArrayLike, value: npt.ArrayLike
) -> Strength:
    """Return values per person and thing as `(n_people, n_things)` int8, 0 where nothing is said.

    Rows about a thing outside `things` are left out.

    >>> table_of(2, ["a", "b"], [0, 1, 1], ["b", "a", "x"], [3, 1, 9]).tolist()
    [[0, 3], [1, 0]]
    """
    column = pd.Index(things, dtype=object).get_indexer(pd.Index(np.asarray(thing, dtype=object)))
    known = column >= 0
    table = np.zeros((n_people, len(things)), np.int8)
    table[np.asarray(row, np.int64)[known], column[known]] = np.asarray(value, np.int8)[known]
    return table
