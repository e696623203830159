"""A policy over one population as flat arrays: a few words a person, sparse lists for the rest."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from recsys.constraints.base import checked_pairs, checked_rows
from recsys.data.csr import SparseRows
from recsys.types import BoolArray, IndexArray, Int32Array, Int64Array, UInt8Array, UInt64Array


@dataclass(frozen=True, eq=False)
class Columns:
    """The listed candidates of a block, their words transposed so that each is read in one sweep.

    at: position of each listed candidate among the block's columns; rows: their rows.
    """

    at: IndexArray
    rows: Int32Array
    traits: UInt64Array
    refuses: UInt64Array
    overlaps: UInt64Array
    cell: npt.NDArray[np.int32]

    @classmethod
    def of(cls, compiled: "Compiled", cols: Int32Array) -> "Columns":
        """Gather the listed ones of `cols`."""
        at = np.flatnonzero(compiled.listed[cols])
        rows = cols[at]
        return cls(
            at=at,
            rows=rows,
            traits=np.ascontiguousarray(compiled.traits[rows].T),
            refuses=np.ascontiguousarray(compiled.refuses[rows].T),
            overlaps=np.ascontiguousarray(compiled.overlaps[rows].T),
            cell=compiled.cell[rows],
        )


def row_mask(compiled: "Compiled", row: int, columns: Columns, allowed: BoolArray, *, directed: bool) -> None:
    """Set `allowed` `(n_cols,)` where the person at `row` may meet (or be shown) the column."""
    if not compiled.listed[row] or not len(columns.at):
        return
    left = _within_distance(compiled, row, columns)
    for word in range(compiled.traits.shape[1]):
        is_, no = compiled.traits[row, word], compiled.refuses[row, word]
        refused = (columns.refuses[word][left] & is_) | (columns.traits[word][left] & no)
        left = left[refused == 0]
    starts = compiled.overlap_starts
    for first, last in pairwise(starts):
        shared = columns.overlaps[first][left] & compiled.overlaps[row, first]
        for word in range(first + 1, last):
            shared |= columns.overlaps[word][left] & compiled.overlaps[row, word]
        left = left[shared != 0]
    candidates = columns.rows[left]
    keep = ~_apart(compiled, row)[candidates]
    if directed:
        keep &= _shown(compiled, row)[candidates]
    allowed[columns.at[left[keep]]] = True


def _within_distance(compiled: "Compiled", row: int, columns: Columns) -> IndexArray:
    if not compiled.limits_distance:
        return np.arange(len(columns.rows))
    reach = compiled.cell_reach[compiled.cell[row]][columns.cell]
    low, high = reach & 15, reach >> 4
    near = high >= np.maximum(compiled.min_class[row], compiled.min_class[columns.rows])
    if compiled.in_person[row]:
        limit = np.minimum(compiled.max_class[row], compiled.max_class[columns.rows])
        near &= ~compiled.in_person[columns.rows] | (low <= limit)
    return np.flatnonzero(near)


def _apart(compiled: "Compiled", row: int) -> BoolArray:
    """Say who is separated from one person, or meets their tokens, `(n_people,)` bool."""
    apart = np.zeros(compiled.n_people, bool)
    apart[row] = True
    apart[compiled.separated.row(row)] = True
    owners, avoiders = compiled.owners_indptr, compiled.avoiders_indptr
    for group in compiled.own.row(row):
        apart[compiled.owners_indices[owners[group] : owners[group + 1]]] = True
        apart[compiled.avoiders_indices[avoiders[group] : avoiders[group + 1]]] = True
    for group in compiled.avoid.row(row):
        apart[compiled.owners_indices[owners[group] : owners[group + 1]]] = True
    return apart


def _shown(compiled: "Compiled", viewer: int) -> BoolArray:
    """Say who may be shown to one viewer as far as discretion goes, `(n_people,)` bool."""
    shown = ~compiled.liked_only
    shown[compiled.liked_by.row(viewer)] = True
    if compiled.liked_only[viewer] and compiled.suggestible[viewer]:
        shown |= compiled.suggestible
    return shown


_CHUNK = 1 << 18


@dataclass(frozen=True, eq=False)
class Compiled:
    """The masks of one policy over one population. Nobody ever meets themself.

    listed:      `(n,)` bool; a pair is out unless both are listed.
    traits, refuses: `(n, w)` uint64; out when `(traits[i] & refuses[j]) | (traits[j] & refuses[i])`.
    overlaps:    `(n, v)` uint64; rule g owns the words `overlap_starts[g]:overlap_starts[g + 1]`;
                 out when they have no common bit there. `overlap_starts` is `(g + 1,)` int32.
    cell:        `(n,)` int32, position in `cell_numbers` `(c,)` uint64; the last is 0, nowhere.
    cell_reach:  `(c, c)` uint8. Low 4 bits: the least maximum distance that reaches from centre to
                 centre, 15 for none. High 4 bits: the greatest minimum distance that the least
                 distance between the two areas keeps.
    max_class, min_class: `(n,)` uint8; in_person: `(n,)` bool. Out when both are in person and the
                 low bits exceed `min(max_class)`, or the high bits are below `max(min_class)`.
    separated_*: symmetric lists of rows. own_*, avoid_*: person to groups; owners_*, avoiders_*:
                 group to persons. Out when own meets own, own meets avoid or avoid meets own.
    liked_only, suggestible: `(n,)` bool; liked_*: viewer to the people they liked. A `liked_only`
                 candidate is shown to a viewer they liked, or when both are `liked_only` and both
                 `suggestible`.
    Every `*_indptr` is `(rows + 1,)` int64, every `*_indices` int32 and ascending in each row.

    >>> from recsys.constraints.policy import Policy
    >>> from recsys.data.population import Population
    >>> masks = Policy.default().compile(Population.of_ids(["a", "b"], as_of="2026-01-05"))
    >>> masks.may_meet([0], [1])  # nothing is known of them, so nobody is listed
    array([False])
    """

    n_people: int
    listed: BoolArray
    traits: UInt64Array
    refuses: UInt64Array
    overlaps: UInt64Array
    overlap_starts: npt.NDArray[np.int32]
    cell: npt.NDArray[np.int32]
    cell_numbers: UInt64Array
    cell_reach: UInt8Array
    max_class: UInt8Array
    min_class: UInt8Array
    in_person: BoolArray
    separated_indptr: Int64Array
    separated_indices: Int32Array
    own_indptr: Int64Array
    own_indices: Int32Array
    avoid_indptr: Int64Array
    avoid_indices: Int32Array
    owners_indptr: Int64Array
    owners_indices: Int32Array
    avoiders_indptr: Int64Array
    avoiders_indices: Int32Array
    liked_only: BoolArray
    suggestible: BoolArray
    liked_indptr: Int64Array
    liked_indices: Int32Array

    def __repr__(self) -> str:
        words = self.traits.shape[1] + self.refuses.shape[1] + self.overlaps.shape[1]
        return f"Compiled({self.n_people:,} people, {int(self.listed.sum()):,} listed, {words} words each)"

    def may_meet(self, i: npt.ArrayLike, j: npt.ArrayLike) -> BoolArray:
        """Say for aligned rows `(n_pairs,)` whether the two may meet, `(n_pairs,)` bool."""
        a, b = checked_pairs(i, j, self.n_people)
        allowed = np.empty(len(a), bool)
        for start in range(0, len(a), _CHUNK):
            part = slice(start, start + _CHUNK)
            allowed[part] = self._may_meet(a[part], b[part])
        return allowed

    def may_show(self, viewer: npt.ArrayLike, candidate: npt.ArrayLike) -> BoolArray:
        """Say for aligned rows whether the candidate may be shown to the viewer; implies `may_meet`."""
        a, b = checked_pairs(viewer, candidate, self.n_people)
        hidden = self.liked_only[b] & ~self.liked.holds(b, a)
        suggested = self.liked_only[a] & self.suggestible[a] & self.suggestible[b]
        return self.may_meet(a, b) & (~hidden | suggested)

    def may_meet_block(self, rows: npt.ArrayLike, cols: npt.ArrayLike) -> BoolArray:
        """Say for every row and column whether the two may meet, `(n_rows, n_cols)` bool."""
        return self._block(rows, cols, directed=False)

    def may_show_block(self, viewers: npt.ArrayLike, candidates: npt.ArrayLike) -> BoolArray:
        """Say whether each candidate may be shown to each viewer, `(n_viewers, n_candidates)` bool."""
        return self._block(viewers, candidates, directed=True)

    @cached_property
    def limits_distance(self) -> bool:
        """Whether distance can keep anybody apart."""
        return bool(self.in_person.any() or self.min_class.any())

    @cached_property
    def separated(self) -> SparseRows:
        """Symmetric lists of separated rows."""
        return SparseRows(self.separated_indptr, self.separated_indices)

    @cached_property
    def own(self) -> SparseRows:
        """Groups each person owns."""
        return SparseRows(self.own_indptr, self.own_indices)

    @cached_property
    def avoid(self) -> SparseRows:
        """Groups each person avoids."""
        return SparseRows(self.avoid_indptr, self.avoid_indices)

    @cached_property
    def liked(self) -> SparseRows:
        """People each person liked."""
        return SparseRows(self.liked_indptr, self.liked_indices)

    @cached_property
    def liked_by(self) -> SparseRows:
        """People who liked each person."""
        return self.liked.inverse(self.n_people)

    def _may_meet(self, i: Int32Array, j: Int32Array) -> BoolArray:
        out = (i == j) | ~(self.listed[i] & self.listed[j])
        refused = (self.traits[i] & self.refuses[j]) | (self.traits[j] & self.refuses[i])
        out |= refused.any(axis=1)
        for first, last in pairwise(self.overlap_starts):
            out |= ~(self.overlaps[i, first:last] & self.overlaps[j, first:last]).any(axis=1)
        reach = self.cell_reach[self.cell[i], self.cell[j]]
        too_far = (reach & 15) > np.minimum(self.max_class[i], self.max_class[j])
        out |= too_far & self.in_person[i] & self.in_person[j]
        out |= (reach >> 4) < np.maximum(self.min_class[i], self.min_class[j])
        out |= self.separated.holds(i, j)
        out |= self.own.share(i, self.own, j) | self.own.share(i, self.avoid, j)
        out |= self.own.share(j, self.avoid, i)
        return ~out

    def _block(self, rows: npt.ArrayLike, cols: npt.ArrayLike, *, directed: bool) -> BoolArray:
        a, b = checked_rows(rows, self.n_people), checked_rows(cols, self.n_people)
        allowed = np.zeros((len(a), len(b)), bool)
        columns = Columns.of(self, b)
        for at, row in enumerate(a):
            row_mask(self, int(row), columns, allowed[at], directed=directed)
        return allowed
