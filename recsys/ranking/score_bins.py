"""Bins of the score: people whose chances of a match hardly differ stand in a list by lot.

The order of a list rests on answers that are for matching only. Were it exact, a viewer whose own profile
asks one question alone would read from it who gave which answer; see `tests.benchmarks.attacks`.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.random import KeyedGenerator
from recsys.types import IndexArray

WIDTH: Final = 0.25
"""Of a bin, in the natural logarithm of the chance of a match: a quarter more or less is a tie."""
_STEP: Final = 8
_SMALLEST: Final = 1e-12


def order_by_lot(
    viewer: npt.ArrayLike, candidate: npt.ArrayLike, p_mutual: npt.ArrayLike, *, day: int
) -> IndexArray:
    """Return the order of lists whose ties are broken by lot, `(n_pairs,)` positions.

    viewer, candidate: `(n_pairs,)` whole numbers, lists one after another, best first. p_mutual: `(n_pairs,)`
    in [0, 1]. day: another day is another lot; on one day a list stays as it is.

    People who follow each other in one list and whose chances lie in one bin of `WIDTH` are tied.

    >>> order_by_lot([0, 0, 0, 1], [5, 6, 7, 5], [0.30, 0.29, 0.01, 0.2], day=3)[2:].tolist()
    [2, 3]
    """
    of, other = np.asarray(viewer, np.int64), np.asarray(candidate, np.int64)
    chance = np.maximum(np.asarray(p_mutual, np.float64), _SMALLEST)
    bins = np.floor(np.log(chance) / WIDTH)
    begins = np.ones(len(of), bool)
    begins[1:] = (bins[1:] != bins[:-1]) | (of[1:] != of[:-1])
    lot = KeyedGenerator(day).uniform(_STEP, of, other)
    return np.lexsort((lot, np.cumsum(begins)))
