"""Reading arrays given by a caller: same length, no missing value, outcomes 0 or 1."""

import numpy as np
import numpy.typing as npt

from recsys.errors import InputError, explained
from recsys.evaluation.measure import Floats


def outcomes(truth: npt.ArrayLike) -> Floats:
    """Return outcomes as `(n,)` float64.

    Raises InputError when a value is neither 0 nor 1.

    >>> outcomes([True, 0]).tolist()
    [1.0, 0.0]
    """
    array = np.asarray(truth, dtype=np.float64).reshape(-1)
    wrong = (array != 0.0) & (array != 1.0)
    if wrong.any():
        raise InputError(
            explained(
                "an outcome is neither 0 nor 1",
                where=f"position {int(np.flatnonzero(wrong)[0])}",
                got=float(array[wrong][0]),
                remedy="leave out pairs whose outcome is not known",
            )
        )
    return array


def scores(values: npt.ArrayLike, n: int) -> Floats:
    """Return scores as `(n,)` float64; minus infinity is a score, NaN is not.

    Raises InputError when one is NaN or the number of scores is not `n`.

    >>> scores([0.5, -np.inf], 2).tolist()
    [0.5, -inf]
    """
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    if len(array) != n:
        raise InputError(explained("scores and outcomes differ in number", got=f"{len(array)} and {n}"))
    if np.isnan(array).any():
        at = int(np.flatnonzero(np.isnan(array))[0])
        raise InputError(
            explained("a score is missing", where=f"position {at}", remedy="score every pair or leave it out")
        )
    return array


def probabilities(values: npt.ArrayLike, n: int) -> Floats:
    """Return probabilities as `(n,)` float64.

    Raises InputError when one is outside [0, 1] or missing.

    >>> probabilities([0.0, 1.0], 2).tolist()
    [0.0, 1.0]
    """
    array = scores(values, n)
    wrong = (array < 0.0) | (array > 1.0)
    if wrong.any():
        raise InputError(
            explained(
                "a probability is outside [0, 1]",
                where=f"position {int(np.flatnonzero(wrong)[0])}",
                got=float(array[wrong][0]),
                remedy="pass probabilities, not logits",
            )
        )
    return array
