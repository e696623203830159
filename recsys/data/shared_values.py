"""Columns in which few different values stand: sets of words, and texts of a list, each looked at once."""

from contextlib import suppress
from itertools import chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.types import BoolArray, IndexArray, ObjectArray

_LONGEST_COMPARED: Final = 64
_FEW: Final = 1000
"""Up to so many rows it costs more to find which texts are different than to look at each."""


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
    place = first_places(objects_of)
    same = _equal_words(given[known[place]].tolist())
    group = np.full(len(given), -1)
    group[known] = same[objects_of]
    return group, known[place[first_places(same)]]


def first_places(number: IndexArray) -> IndexArray:
    """Return the place of the first of each number; numbers count up from 0 as they first come.

    >>> first_places(np.array([0, 1, 0, 2])).tolist()
    [0, 1, 3]
    """
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
    code, _ = pd.factorize(words)
    return equal_runs(length, code)


def equal_runs(length: IndexArray, code: IndexArray) -> IndexArray:
    """Return a number for each run of codes, from 0 as they first come; equal runs have one number.

    length: `(n,)` codes of each run. code: of all runs one after another, from 0.

    >>> equal_runs(np.array([1, 2, 1, 0]), np.array([5, 5, 6, 5])).tolist()
    [0, 1, 0, 2]
    """
    start, n_codes = np.cumsum(length) - length, int(code.max(initial=0)) + 1
    same = np.zeros(len(length), np.int64)
    for at in range(int(length.max(initial=0))):
        longer = np.flatnonzero(length > at)
        same[longer] = pd.factorize(same[longer] * n_codes + code[start[longer] + at])[0]
    return np.asarray(pd.factorize(same * (int(length.max(initial=0)) + 1) + length)[0], np.int64)


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
    code, distinct = pd.factorize(values[first_places(number)])
    return code[number], distinct


def without_categories(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose categories are objects, None where there is none.

    >>> coded = pd.DataFrame({"type": pd.Categorical(["like", None]), "n": [1, 2]})
    >>> without_categories(coded).type.tolist()
    ['like', None]
    """
    coded = [name for name, dtype in frame.dtypes.items() if isinstance(dtype, pd.CategoricalDtype)]
    return frame.assign(**{str(name): _texts_of(frame[name]) for name in coded}) if coded else frame


def _texts_of(values: pd.Series) -> pd.Series:
    words = np.append(values.cat.categories.to_numpy(object), np.array([None], dtype=object))
    return pd.Series(words[values.cat.codes.to_numpy()], index=values.index, dtype=object)


def are_equal(one: pd.Series, other: pd.Series) -> BoolArray:
    """Say in which rows two columns of texts hold the same, `(n,)`; nothing is not the same as nothing.

    >>> are_equal(pd.Series(["a", None], dtype=object), pd.Series(["a", None], dtype=object)).tolist()
    [True, False]
    >>> are_equal(pd.Series(["b", "a"], dtype="category"), pd.Series(["b", "c"], dtype="category")).tolist()
    [True, False]
    """
    if not all(isinstance(side.dtype, pd.CategoricalDtype) for side in (one, other)):
        return ((one == other) & other.notna()).to_numpy(bool)
    codes = one.cat.codes.to_numpy()
    place = np.append(one.cat.categories.get_indexer(other.cat.categories), -1)
    return (place[other.cat.codes.to_numpy()] == codes) & (codes >= 0)


def first_seen(codes: npt.NDArray[np.integer], n: int) -> tuple[IndexArray, IndexArray]:
    """Return codes numbered as they first come, -1 as it is, and which of the `n` old ones each is.

    >>> [found.tolist() for found in first_seen(np.array([2, -1, 0, 2]), 3)]
    [[0, -1, 1, 0], [2, 0]]
    """
    seen = np.asarray(pd.unique(codes))
    seen = seen[seen >= 0]
    number = np.full(n + 1, -1)
    number[seen] = np.arange(len(seen))
    return number[codes], seen


def ordered(values: pd.Series, order: IndexArray) -> pd.Series:
    """Return `pd.Series(values.to_numpy()[order])`; of texts, each different one is looked at once.

    >>> ordered(pd.Series(["a", None, "a"], dtype=object), np.array([2, 1])).tolist()
    ['a', nan]
    """
    if values.dtype == object and len(order) > _FEW:
        with suppress(TypeError):  # something that is no text
            codes, distinct = factorize_shared(values.to_numpy(object))
            found = codes[order]
            if pd.api.types.infer_dtype(distinct, skipna=False) == "string" and (found >= 0).any():
                words = pd.Series(np.append(distinct, np.array([None], dtype=object)))
                return words.take(found).reset_index(drop=True)
    return pd.Series(values.to_numpy()[order])
