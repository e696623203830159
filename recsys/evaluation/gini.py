"""Gini coefficient: how unequally attention is spread, 0 equal, towards 1 all on one person."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import InputError, explained
from recsys.evaluation.measure import Floats


def gini(amounts: npt.ArrayLike) -> float:
    """Return the Gini coefficient of amounts of 0 or more, in [0, 1); 0 when all are 0.

    G = sum_i (2 i - n - 1) x_i / (n sum x), with x ascending and i from 1; C. Gini, "Variabilita e
    mutabilita" (1912). Raises InputError on a negative or missing amount.

    >>> gini([1, 1, 1]), gini([0, 0, 0, 8])
    (0.0, 0.75)
    """
    x = np.sort(np.asarray(amounts, dtype=np.float64).reshape(-1))
    if not np.all(x >= 0):
        raise InputError(explained("an amount is negative or missing", remedy="give 0 or more to everybody"))
    n = len(x)
    if n == 0 or x.sum() == 0:
        return 0.0
    return float(((2 * np.arange(1, n + 1) - n - 1) * x).sum() / (n * x.sum()))


def exposure(
    candidate: npt.ArrayLike,
    rank: npt.ArrayLike,
    everybody: npt.ArrayLike,
    *,
    examination: Callable[[Floats], Floats] = lambda rank: 1.0 / rank,
) -> pd.Series:
    """Return the attention each of `everybody` gets: the sum of `examination(rank)` over lists.

    `examination` turns ranks (from 1) into the chance that the place is looked at, 1 / rank by default.

    >>> exposure(["a", "b", "a"], [1, 2, 2], ["a", "b", "c"]).to_dict()
    {'a': 1.5, 'b': 0.5, 'c': 0.0}
    """
    looked_at = examination(np.asarray(rank, dtype=np.float64))
    coded = isinstance(candidate, pd.Series) and isinstance(candidate.dtype, pd.CategoricalDtype)
    whose = pd.Series(candidate, dtype=None if coded else object).reset_index(drop=True)
    total = pd.Series(looked_at).groupby(whose, observed=True).sum()
    return total.reindex(pd.Index(np.asarray(everybody, dtype=object)), fill_value=0.0)
