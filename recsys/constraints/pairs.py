"""Aligned pairs of rows, checked once at the door."""

import numpy as np
import numpy.typing as npt

from recsys.errors import InputError, explained
from recsys.schema.ids import Rows


def checked_rows(rows: npt.ArrayLike, n_people: int) -> Rows:
    """Return rows as `(n_rows,)` int32.

    Raises InputError when one lies outside the population: a negative row would silently mean
    somebody else.

    >>> checked_rows([0, 2], 3)
    array([0, 2], dtype=int32)
    """
    given = np.asarray(rows)
    if given.size == 0:
        return np.empty(0, np.int32)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        got = f"{given.dtype} {given.shape}"
        raise InputError(explained("rows are one list of whole numbers", got=got, remedy="use people.ids"))
    wrong = given[(given < 0) | (given >= n_people)]
    if len(wrong):
        remedy = f"rows run from 0 to {n_people - 1}"
        raise InputError(explained("no such row", got=int(wrong[0]), remedy=remedy))
    return given.astype(np.int32)


def checked_pairs(i: npt.ArrayLike, j: npt.ArrayLike, n_people: int) -> tuple[Rows, Rows]:
    """Return two aligned arrays of rows, or raise InputError."""
    a, b = checked_rows(i, n_people), checked_rows(j, n_people)
    if len(a) != len(b):
        raise InputError(explained("pairs need two aligned arrays", got=f"{len(a)} and {len(b)} rows"))
    return a, b
