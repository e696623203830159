"""Columns of sets of words: which rows hold equal sets, found without a look at each word of each row."""

from itertools import chain
from typing import Any, Final

import numpy as np
import pandas as pd

from recsys.types import IndexArray, ObjectArray

_LONGEST_COMPARED: Final = 64


def equal_sets(given: ObjectArray) -> tuple[IndexArray, IndexArray]:
    """Return which sets are equal, `(n,)` from 0, -1 for None, and the place of each first, `(n_distinct,)`.

    What is one object is one set. Lists, tuples and arrays of texts are compared word by word in the order
    given, over all rows at once; in any other column every object stands alone.

    >>> words = np.array([["a"], None, ["a", "b"], ["a"]], dtype=object)
    >>> group, first = equal_sets(words)
    >>> group.tolist(), first.tolist()
    ([0, -1, 1, 0], [0, 2])
    """
    known = np.flatnonzero(pd.notna(given))
    objects_of = pd.factorize(np.fromiter(map(id, given[known]), np.int64, len(known)))[0]
    place = _firsts(objects_of)
    same = _equal_words(given[known[place]].tolist())
    group = np.full(len(given), -1)
    group[known] = same[objects_of]
    return group, known[place[_firsts(same)]]


def _firsts(number: IndexArray) -> IndexArray:
    """Return the place of the first of each number; numbers count up from 0 as they first come."""
    first = np.empty(int(number.max(initial=-1)) + 1, np.int64)
    first[number[::-1]] = np.arange(len(number))[::-1]
    return first


def _equal_words(sets: list[Any]) -> IndexArray:
    """Return a number for each set; lists, tuples and arrays of the same texts in the same order have one."""
    alone = np.arange(len(sets))
    kinds = set(map(type, sets))
    if not sets or not kinds <= {list, tuple, np.ndarray} or any(v.ndim != 1 for v in sets if _is_array(v)):
        return alone
    length = np.fromiter(map(len, sets), np.int64, len(sets))
    words = np.fromiter(chain.from_iterable(map(_as_list, sets)), object, int(length.sum()))
    if length.max() > _LONGEST_COMPARED or pd.api.types.infer_dtype(words, skipna=False) not in _TEXTS:
        return alone
    code, distinct = pd.factorize(words)
    start = np.cumsum(length) - length
    same = np.zeros(len(sets), np.int64)
    for at in range(int(length.max())):
        longer = np.flatnonzero(length > at)
        same[longer] = pd.factorize(same[longer] * len(distinct) + code[start[longer] + at])[0]
    return np.asarray(pd.factorize(same * (_LONGEST_COMPARED + 1) + length)[0], np.int64)


_TEXTS: Final = ("string", "empty")


def _is_array(value: object) -> bool:
    return isinstance(value, np.ndarray)


def _as_list(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def factorize_shared(values: ObjectArray) -> tuple[IndexArray, ObjectArray]:
    """Return what `pd.factorize` does, for values of which few are different objects, such as tuples.

    >>> pair = ("a", "b")
    >>> codes, distinct = factorize_shared(np.fromiter([pair, None, pair], dtype=object))
    >>> codes.tolist(), distinct.tolist()
    ([0, -1, 0], [('a', 'b')])
    """
    number = pd.factorize(np.fromiter(map(id, values), np.int64, len(values)))[0]
    code, distinct = pd.factorize(values[_firsts(number)])
    return code[number], distinct
