"""The compiled form of a policy over one population: a few words a person, sparse rows for the rest."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recsys.constraints.base import checked_pairs, checked_rows
from recsys.data.csr import SparseRows
from recsys.types import BoolArray, Int32Array, Int64Array, UInt16Array, UInt32Array, UInt64Array

if TYPE_CHECKING:
    from recsys.constraints.bit_packing import Packing
    from recsys.constraints.masks import RuleWords
    from recsys.constraints.sparse_masks import CsrRows, PairRules

# Modules with kernels are imported where they are used: numba takes as long to load as all of a policy.


@dataclass(frozen=True, eq=False)
class Compiled:
    """The masks of one policy over one population. Nobody ever meets themself.

    listed:      `(n,)` bool; a pair is out unless both are listed.
    traits, refuses: `(n, w)` uint64; out when `(traits[i] & refuses[j]) | (traits[j] & refuses[i])`.
    overlaps:    `(n, v)` uint64; rule g owns the words `overlap_starts[g]:overlap_starts[g + 1]`;
                 out when they have no common bit there. `overlap_starts` is `(g + 1,)` int32.
    cell:        `(n,)` int32, position in `cell_numbers` `(c,)` uint64; the last is 0, nowhere.
    cell_reach:  `(c, c)` uint32. Low 16 bits: km from centre to centre, rounded up, 65535 for nowhere.
                 High 16 bits: the least km between the two areas, rounded down.
    max_km, min_km: `(n,)` uint16; in_person: `(n,)` bool. Out when both are in person and the
                 low bits exceed `min(max_km)`, or the high bits are below `max(min_km)`.
    separated_*: symmetric lists of rows. own_*, avoid_*: person to groups. Out when
                 own meets own, own meets avoid or avoid meets own.
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
    cell_reach: UInt32Array
    max_km: UInt16Array
    min_km: UInt16Array
    in_person: BoolArray
    separated_indptr: Int64Array
    separated_indices: Int32Array
    own_indptr: Int64Array
    own_indices: Int32Array
    avoid_indptr: Int64Array
    avoid_indices: Int32Array
    liked_only: BoolArray
    suggestible: BoolArray
    liked_indptr: Int64Array
    liked_indices: Int32Array

    def __repr__(self) -> str:
        words = self.traits.shape[1] + self.refuses.shape[1] + self.overlaps.shape[1]
        return f"Compiled({self.n_people:,} people, {int(self.listed.sum()):,} listed, {words} words each)"

    def may_meet(self, i: npt.ArrayLike, j: npt.ArrayLike) -> BoolArray:
        """Say for aligned rows `(n_pairs,)` whether the two may meet, `(n_pairs,)` bool."""
        return self._aligned(i, j, self._meeting_rules)

    def may_show(self, viewer: npt.ArrayLike, candidate: npt.ArrayLike) -> BoolArray:
        """Say for aligned rows whether the candidate may be shown to the viewer; implies `may_meet`."""
        return self._aligned(viewer, candidate, self._showing_rules)

    def may_meet_block(self, rows: npt.ArrayLike, cols: npt.ArrayLike) -> BoolArray:
        """Say for every row and column whether the two may meet, `(n_rows, n_cols)` bool."""
        return self._block(rows, cols, self._meeting_rules)

    def may_show_block(self, viewers: npt.ArrayLike, candidates: npt.ArrayLike) -> BoolArray:
        """Say whether each candidate may be shown to each viewer, `(n_viewers, n_candidates)` bool."""
        return self._block(viewers, candidates, self._showing_rules)

    def packing(self, rows: Int32Array) -> "Packing":
        """Return how the sets of the people at `rows` fit into words side by side."""
        from recsys.constraints.bit_packing import packing_of

        return packing_of(self.overlaps[rows], self.overlap_starts)

    def words(self, rows: Int32Array, packing: "Packing") -> "RuleWords":
        """Return the rules of the people at `rows`, in that order, as the mask kernel reads them."""
        from recsys.constraints.bit_packing import packed_sets, unpacked_sets
        from recsys.constraints.masks import RuleWords

        overlaps = self.overlaps[rows]
        return RuleWords(
            traits=_even(self.traits[rows].T),
            refuses=_even(self.refuses[rows].T),
            short=packed_sets(packing, overlaps),
            guard=packing.guard,
            fill=packing.fill,
            long=unpacked_sets(packing, overlaps),
            starts=packing.starts,
            cell=self.cell[rows].astype(np.int32),
            max_km=self.max_km[rows].astype(np.uint16),
            min_km=self.min_km[rows].astype(np.uint16),
            in_person=self.in_person[rows].astype(bool),
        )

    def pair_rules(self, rows: Int32Array) -> "PairRules":
        """Return the rules about single pairs of the people at `rows`, numbered by their place in `rows`."""
        from recsys.constraints.sparse_masks import PairRules, csr_rows, sparse_pattern

        n, both = self.n_people, (self.own_indices, self.avoid_indices)
        groups = 1 + max((int(found.max()) for found in both if len(found)), default=-1)
        separated = sparse_pattern(self.separated_indptr, self.separated_indices, (n, n))
        liked = sparse_pattern(self.liked_indptr, self.liked_indices, (n, n))
        own = sparse_pattern(self.own_indptr, self.own_indices, (n, groups))[rows]
        avoid = sparse_pattern(self.avoid_indptr, self.avoid_indices, (n, groups))[rows]
        return PairRules(
            separated=csr_rows(separated[rows][:, rows]),
            own=csr_rows(own),
            avoid=csr_rows(avoid),
            owners=csr_rows(own.T),
            avoiders=csr_rows(avoid.T),
            likers=csr_rows(liked[rows][:, rows].T),
            liked_only=self.liked_only[rows].astype(bool),
            suggestible=self.suggestible[rows].astype(bool),
        )

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

    @cached_property
    def _words(self) -> "RuleWords":
        everybody = np.arange(self.n_people, dtype=np.int32)
        return self.words(everybody, self.packing(everybody))

    @cached_property
    def _reach(self) -> UInt32Array:
        return np.array(self.cell_reach, np.uint32, order="C")

    @cached_property
    def _showing_rules(self) -> "PairRules":
        return self.pair_rules(np.arange(self.n_people, dtype=np.int32))

    @cached_property
    def _meeting_rules(self) -> "PairRules":
        return self._showing_rules._replace(liked_only=np.zeros(self.n_people, bool))

    @cached_property
    def _no_exclusions(self) -> "CsrRows":
        from recsys.constraints.sparse_masks import CsrRows

        return CsrRows(np.zeros(self.n_people + 1, np.int64), np.zeros(0, np.int32))

    def _aligned(self, i: npt.ArrayLike, j: npt.ArrayLike, rules: "PairRules") -> BoolArray:
        from recsys.constraints.sparse_masks import mask_aligned

        a, b = checked_pairs(i, j, self.n_people)
        pairs, place = np.unique(a.astype(np.int64) * self.n_people + b, return_inverse=True)
        if not len(pairs):
            return np.zeros(0, bool)
        rows, columns = (part.astype(np.int32) for part in np.divmod(pairs, self.n_people))
        starts = np.flatnonzero(np.diff(rows, prepend=-1, append=self.n_people)).astype(np.int64)
        allowed = np.empty(len(pairs), bool)
        mask_aligned(self._words, self._reach, rules, self._no_exclusions, rows, columns, starts, allowed)
        allowed &= self.listed[rows] & self.listed[columns]
        return np.asarray(allowed[place], bool)

    def _block(self, rows: npt.ArrayLike, cols: npt.ArrayLike, rules: "PairRules") -> BoolArray:
        from recsys.constraints.masks import mask_columns
        from recsys.constraints.sparse_masks import mask_pairs

        a, b = checked_rows(rows, self.n_people), checked_rows(cols, self.n_people)
        columns, place = np.unique(b, return_inverse=True)
        mask = np.zeros((len(a), len(columns)), bool)
        mask_columns(self._words, a, self._reach, self._words, columns, mask)
        mask_pairs(mask, a, columns, rules, self._no_exclusions)
        mask &= self.listed[a][:, None] & self.listed[columns]
        return np.asarray(mask[:, place], bool)


def _even(words: UInt64Array) -> UInt64Array:
    """Return words with an empty one added when their number is odd: the kernel takes two at a time."""
    empty = np.zeros((len(words) % 2, words.shape[1]), np.uint64)
    return np.ascontiguousarray(np.concatenate([words, empty]))
