"""How likely a place in a list is looked at; three curves, so that no conclusion hangs on one."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.evaluation.measure import Floats


def inverse(rank: npt.ArrayLike) -> Floats:
    """Return 1 / rank, for ranks from 1.

    >>> inverse([1, 2, 4]).tolist()
    [1.0, 0.5, 0.25]
    """
    return 1.0 / np.asarray(rank, np.float64)


def logarithmic(rank: npt.ArrayLike) -> Floats:
    """Return 1 / log2(rank + 1), the discount of NDCG: people read far down.

    >>> logarithmic([1, 3]).tolist()
    [1.0, 0.5]
    """
    return np.asarray(1.0 / np.log2(np.asarray(rank, np.float64) + 1.0))


def exponential(rank: npt.ArrayLike) -> Floats:
    """Return exp(1 - rank): people read the first places and little else.

    >>> exponential([1, 2]).round(3).tolist()
    [1.0, 0.368]
    """
    return np.asarray(np.exp(1.0 - np.asarray(rank, np.float64)))


EXAMINATIONS: Final[Mapping[str, Callable[[npt.ArrayLike], Floats]]] = MappingProxyType(
    {"inverse": inverse, "log": logarithmic, "exponential": exponential}
)
"""The curves by name."""
