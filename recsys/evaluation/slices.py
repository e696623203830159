"""Slices by evidence: a model is judged apart on people of whom little and much is known."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import InputError, explained

EVIDENCE: Final = ("0", "1-5", "6-20", ">20")
_UPPER: Final = (0, 5, 20)


def evidence_slice(signals: npt.ArrayLike) -> npt.NDArray[np.object_]:
    """Return the slice of each number of signals (decisions made and received), `(n,)`.

    Raises InputError when a number is negative.

    >>> evidence_slice([0, 5, 6, 21]).tolist()
    ['0', '1-5', '6-20', '>20']
    """
    counts = np.asarray(signals)
    if (counts < 0).any():
        raise InputError(explained("a negative number of signals", got=int(counts.min())))
    return np.asarray(EVIDENCE, dtype=object)[np.searchsorted(_UPPER, counts, side="left")]


def count_signals(ids: npt.ArrayLike, actor: npt.ArrayLike, target: npt.ArrayLike) -> pd.Series:
    """Return how many decisions each of `ids` made or received.

    >>> count_signals(["a", "b", "c"], ["a", "a"], ["b", "x"]).to_dict()
    {'a': 2, 'b': 1, 'c': 0}
    """
    seen = pd.concat([pd.Series(actor, dtype=object), pd.Series(target, dtype=object)])
    return seen.value_counts().reindex(pd.Index(np.asarray(ids, dtype=object)), fill_value=0)
