"""Sums of table rows by person, the one loop all sparse blocks share."""

import numpy as np
import numpy.typing as npt

from recsys.types import Float32Array

_ENTRIES_AT_ONCE = 131_072


def sums_by_person(
    person: npt.NDArray[np.int64],
    entry: npt.NDArray[np.int64],
    weight: npt.NDArray[np.float64],
    table: npt.NDArray[np.floating],
    n_people: int,
) -> npt.NDArray[np.float64]:
    """Return `out[p] = sum of weight * table[entry]` over the entries of person p.

    person, entry, weight: aligned, any order; table `(n_entries, n_columns)`; the result is
    `(n_people, n_columns)` float64 and does not depend on the order of the entries given, nor on
    who else is there. Memory beyond the result is bounded.

    >>> sums_by_person(np.array([1, 1]), np.array([0, 1]), np.array([2.0, 1.0]), np.eye(2), 2)
    array([[0., 0.],
           [2., 1.]])
    """
    sums = np.zeros((n_people, table.shape[1]))
    order = np.lexsort((weight, entry, person))
    person, entry, weight = person[order], entry[order], weight[order]
    firsts = np.flatnonzero(np.diff(person, prepend=-1))
    start = 0
    while start < len(firsts):
        stop = max(
            start + 1, int(np.searchsorted(firsts, firsts[start] + _ENTRIES_AT_ONCE, side="right")) - 1
        )
        stop = len(firsts) if len(person) - firsts[start] <= _ENTRIES_AT_ONCE else stop
        low = firsts[start]
        high = len(person) if stop == len(firsts) else firsts[stop]
        part = table[entry[low:high]] * weight[low:high, None]
        sums[person[firsts[start:stop]]] = np.add.reduceat(part, firsts[start:stop] - low, axis=0)
        start = stop
    return sums


def unit_rows(rows: npt.NDArray[np.float64], slack: float = 0.0) -> Float32Array:
    """Return rows divided by `sqrt(length^2 + slack^2)`, at most unit length; a zero row stays zero.

    `slack` keeps rows made of little evidence short.

    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    length = np.sqrt((rows**2).sum(axis=1, keepdims=True) + slack**2)
    return np.divide(rows, length, out=np.zeros_like(rows), where=length > 0).astype(np.float32)
