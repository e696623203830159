"""Which texts came before, found without holding all of them as Python strings."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

_AT_ONCE: Final = 1 << 20


def repeated(values: pd.Series) -> npt.NDArray[np.bool_]:
    """Say which values of a column of texts stood in an earlier row, `(n,)`.

    Texts are compared by a 64-bit hash first, and only those of equal hash letter by letter.

    >>> repeated(pd.Series(["a", "b", "a"])).tolist()
    [False, False, True]
    """
    hashes = np.empty(len(values), np.uint64)
    for start in range(0, len(values), _AT_ONCE):
        texts = values.iloc[start : start + _AT_ONCE].to_numpy(object)
        hashes[start : start + _AT_ONCE] = pd.util.hash_array(texts, categorize=False)
    ordered = np.sort(hashes)
    equal = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    del ordered
    again = np.zeros(len(values), bool)
    among = np.flatnonzero(np.isin(hashes, equal)) if len(equal) else np.empty(0, np.intp)
    again[among] = values.iloc[among].duplicated().to_numpy(bool)
    return again
