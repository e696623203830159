"""Sparse rows in compressed form (CSR): row r holds `indices[indptr[r]:indptr[r + 1]]`, ascending."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.types import IntegerArray


@dataclass(frozen=True, eq=False)
class SparseRows:
    """`indptr` `(n_rows + 1,)` int64 and `indices` `(n_entries,)` int32, ascending in each row."""

    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int32]

    @classmethod
    def of(cls, rows: IntegerArray, members: IntegerArray, n_rows: int) -> "SparseRows":
        """Build the rows from aligned (row, member) entries in any order; repeats count once.

        >>> lists = SparseRows.of(np.array([1, 0, 1, 1]), np.array([7, 3, 2, 7]), 2)
        >>> lists.indptr.tolist(), lists.indices.tolist()
        ([0, 1, 3], [3, 2, 7])
        """
        order = np.lexsort((members, rows))
        rows, members = rows[order], members[order]
        first = np.ones(len(rows), bool)
        first[1:] = (rows[1:] != rows[:-1]) | (members[1:] != members[:-1])
        rows, members = rows[first], members[first]
        indptr = np.zeros(n_rows + 1, np.int64)
        np.cumsum(np.bincount(rows, minlength=n_rows), out=indptr[1:])
        return cls(indptr, members.astype(np.int32))

    @property
    def rows(self) -> npt.NDArray[np.int32]:
        """The row of every entry, aligned with `indices`."""
        return np.repeat(np.arange(len(self.indptr) - 1, dtype=np.int32), np.diff(self.indptr))

    @cached_property
    def _sorted_keys(self) -> npt.NDArray[np.int64]:
        return _keys(self.rows, self.indices)

    def inverse(self, n_members: int) -> "SparseRows":
        """Return, for each member, the rows that hold it (the transpose)."""
        return SparseRows.of(self.indices, self.rows, n_members)

    def row(self, at: int) -> npt.NDArray[np.int32]:
        """Return the members of one row."""
        return self.indices[self.indptr[at] : self.indptr[at + 1]]

    def holds(self, rows: IntegerArray, members: IntegerArray) -> npt.NDArray[np.bool_]:
        """Say for aligned pairs whether the row holds the member.

        >>> SparseRows.of(np.array([0]), np.array([3]), 2).holds(np.array([0, 1]), np.array([3, 3])).tolist()
        [True, False]
        """
        wanted = _keys(rows, members)
        at = np.searchsorted(self._sorted_keys, wanted)
        found = at < len(self.indices)
        found[found] = self._sorted_keys[at[found]] == wanted[found]
        return found

    def share(
        self, rows: IntegerArray, others: "SparseRows", other_rows: IntegerArray
    ) -> npt.NDArray[np.bool_]:
        """Say for aligned rows whether this row and the other side's row have a common member.

        >>> a = SparseRows.of(np.array([0, 1]), np.array([5, 6]), 2)
        >>> a.share(np.array([0, 0]), a, np.array([0, 1])).tolist()
        [True, False]
        """
        length = np.diff(self.indptr)[rows]
        pair = np.repeat(np.arange(len(rows)), length)
        within = np.arange(len(pair)) - np.repeat(np.cumsum(length) - length, length)
        member = self.indices[self.indptr[rows][pair] + within]
        hit = others.holds(np.asarray(other_rows)[pair], member)
        shared = np.zeros(len(rows), bool)
        shared[pair[hit]] = True
        return shared


@dataclass(frozen=True, eq=False)
class EntriesOfRows:
    """Where the entries of each row lie; `order` where they do not ascend by row, None where they do.

    begins: `(n_rows + 1,)`; order: `(n_entries,)`, their places by row, in their own order in each.
    """

    begins: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64] | None = None

    @classmethod
    def of(cls, rows: IntegerArray, n_rows: int) -> "EntriesOfRows":
        """Find them; rows: `(n_entries,)`, the row of each entry."""
        ascends = bool((rows[:-1] <= rows[1:]).all())
        begins = np.append(0, np.cumsum(np.bincount(rows, minlength=n_rows))).astype(np.int64)
        return cls(begins, None if ascends else np.argsort(rows, kind="stable"))

    def find(self, rows: IntegerArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Return the entries of some rows, and the place in `rows` of the row of each, `(n_found,)` each.

        What it costs does not grow with the other rows.

        >>> found = EntriesOfRows.of(np.array([0, 2, 2]), 3).find(np.array([2, 0]))
        >>> [part.tolist() for part in found]
        [[1, 2, 0], [0, 0, 1]]
        """
        first = self.begins[rows]
        size = self.begins[np.asarray(rows) + 1] - first
        place = np.repeat(np.arange(len(size), dtype=np.int32), size)
        at = np.arange(len(place)) + np.repeat(first - (np.cumsum(size) - size), size)
        return at if self.order is None else self.order[at], place


def equal_keys(
    left: IntegerArray, right: IntegerArray
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return every place of `left` with every place of `right` whose number is the same (an inner join).

    Two aligned arrays `(n_found,)`, in the order of `left`, then of `right`.

    >>> [places.tolist() for places in equal_keys(np.array([7, 5, 7]), np.array([7, 9, 7]))]
    [[0, 0, 2, 2], [0, 2, 0, 2]]
    """
    order = np.argsort(right, kind="stable")
    start, size = _runs(right[order], left)
    at = np.repeat(np.arange(len(left)), size)
    within = np.arange(len(at)) - np.repeat(np.cumsum(size) - size, size)
    return at, order[start[at] + within]


_SPARE: Final = 4
"""Times as many numbers as places up to which each number is looked up in a table of its own."""


def _runs(ordered: IntegerArray, wanted: IntegerArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where each wanted number begins among ascending ones, and how often it stands there."""
    most = int(max(ordered.max(initial=0), wanted.max(initial=0)))
    least = int(min(ordered.min(initial=0), wanted.min(initial=0)))
    if least >= 0 and most <= _SPARE * (len(ordered) + len(wanted)):  # rows, of which there are few
        size = np.bincount(ordered, minlength=most + 1)
        start = np.cumsum(size) - size
        return start[wanted], size[wanted]
    first = np.searchsorted(ordered, wanted, side="left")
    return first, np.searchsorted(ordered, wanted, side="right") - first


def _keys(rows: IntegerArray, members: IntegerArray) -> npt.NDArray[np.int64]:
    return (rows.astype(np.int64) << 32) | members.astype(np.int64)
