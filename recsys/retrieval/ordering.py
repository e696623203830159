"""Putting a short list in order."""

from typing import Final

import numpy as np
from numba import njit

from recsys.retrieval.scores import Values
from recsys.retrieval.words import Positions

_RANKED_BY_COUNTING: Final = 512


@njit(nogil=True, cache=True)
def in_order(value: Values, row: Positions):  # type: ignore[no-untyped-def]  # noqa: D103
    # The order by value from high to low, then row.
    return _by_counting(value, row) if len(value) <= _RANKED_BY_COUNTING else _by_shells(value, row)


@njit(nogil=True, cache=True)
def _by_counting(value: Values, row: Positions):  # type: ignore[no-untyped-def]
    # Counts who comes before each: of a short list every comparison costs less than a wrong guess of one.
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


@njit(nogil=True, cache=True)
def _by_shells(value: Values, row: Positions):  # type: ignore[no-untyped-def]
    # A shell sort, gaps a factor of 2.25 apart.
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
