"""The linear step: the best mixture of orderings for given gains is one sort a list."""

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Starts = npt.NDArray[np.int64]

_SORT_FROM = 48


@njit(nogil=True, cache=True)
def best_first(gain: Doubles, k: int, taken: Ints):  # type: ignore[no-untyped-def]  # noqa: D103
    # Writes the positions of the k highest gains above 0, best first, ties by position; returns how many.
    n = 0
    if k >= _SORT_FROM:
        for at in np.argsort(-gain, kind="mergesort"):
            if n == k or not gain[at] > 0.0:
                break
            taken[n] = at
            n += 1
        return n
    for at in range(len(gain)):
        here = gain[at]
        if not here > 0.0 or (n == k and here <= gain[taken[k - 1]]):
            continue
        place = n if n < k else k - 1
        while place > 0 and gain[taken[place - 1]] < here:
            taken[place] = taken[place - 1]
            place -= 1
        taken[place] = at
        n = min(n + 1, k)
    return n


@njit(nogil=True, cache=True)
def subtract_price(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    start: int, stop: int, indptr: Starts, candidate: Ints, p: Floats, price: Doubles, gain: Floats
):
    # Takes the price of the like that exposure sends from the gain of every edge of a range of viewers.
    for e in range(indptr[start], indptr[stop]):
        gain[e] -= np.float32(np.float64(p[e]) * price[candidate[e]])


@njit(nogil=True, cache=True)
def step_towards(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    start: int,
    stop: int,
    indptr: Starts,
    candidate: Ints,
    p: Floats,
    price: Doubles,
    gain: Floats,
    slots: Floats,
    opens: Floats,
    step: float,
    exposure: Floats,
):
    # E <- (1 - step) E + step D for the viewers of a range, D the best ordering at gain - p price.
    k = len(slots)
    taken = np.empty(k, np.int32)
    most = 0
    for i in range(start, stop):
        most = max(most, indptr[i + 1] - indptr[i])
    net = np.empty(most)
    for i in range(start, stop):
        first, n = indptr[i], indptr[i + 1] - indptr[i]
        for t in range(n):
            e = first + t
            net[t] = gain[e] - np.float64(p[e]) * price[candidate[e]]
            exposure[e] *= 1.0 - step
        for r in range(best_first(net[:n], k, taken)):
            exposure[first + taken[r]] += step * slots[r] * opens[i]
