"""Random numbers that belong to a round, a step and an edge, so that threads and order change nothing."""

from typing import Final

import numpy as np
from numba import njit

LOOK: Final = 1
LIKE: Final = 2
OPEN: Final = 3

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


@njit(nogil=True, cache=True)
def _mixed(x):  # type: ignore[no-untyped-def]
    # The finaliser of splitmix64 (G. Steele, D. Lea and C. Flood, OOPSLA 2014).
    x = (x ^ (x >> np.uint64(30))) * _FIRST
    x = (x ^ (x >> np.uint64(27))) * _SECOND
    return x ^ (x >> np.uint64(31))


@njit(nogil=True, cache=True)
def luck(key: np.uint64, turn: int, step: int, edge: int):  # type: ignore[no-untyped-def]  # noqa: D103
    # One number in (0, 1).
    x = _mixed(key + np.uint64(turn) * _GOLDEN)
    x = _mixed(x + np.uint64(step) * _GOLDEN)
    x = _mixed(x + (np.uint64(edge) + np.uint64(1)) * _GOLDEN)
    return (np.float64(x >> np.uint64(11)) + 0.5) * 2.0**-53
