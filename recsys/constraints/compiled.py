"""The compiled form of a policy: its clauses become a few words a person and sparse rows for the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from recsys.constraints.base import (
    CellLimit,
    Clause,
    DirectedVisibility,
    ExcludedPairs,
    Gate,
    Overlaps,
    Refusals,
    TokenGroups,
    checked_pairs,
    checked_rows,
)
from recsys.constraints.distance import UNREACHABLE, between_cells, cell_reach
from recsys.data.bitsets import end_to_end, pack_flags, unpack
from recsys.data.csr import SparseRows
from recsys.data.population import Population
from recsys.errors import InputError, explained
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


Kind = TypeVar("Kind", bound=Clause)


def compile_clauses(
    clauses: Sequence[Clause],
    people: Population,
    *,
    overlap_bits: Sequence[BoolArray] | None = None,
    cell_numbers: UInt64Array | None = None,
) -> Compiled:
    """Join clauses by "and" into one set of arrays over `people`.

    overlap_bits: which bits of each overlap clause to keep, those that `people` have by default.
    cell_numbers: the cells that `cell_reach` leads to, those of `people` by default. With both, people are
    compiled against the vocabulary of others.

    Raises InputError when two different distance or discretion rules are joined.
    """
    n_people = len(people)
    listed = np.ones(n_people, bool)
    for gate in _of_kind(clauses, Gate):
        listed &= gate.listed
    refuses = _of_kind(clauses, Refusals)
    n_bits = [clause.n_bits for clause in refuses]
    overlaps, starts = _overlaps(_of_kind(clauses, Overlaps), n_people, overlap_bits)
    limit = _only_one(_of_kind(clauses, CellLimit)) or _no_limit(n_people)
    cell, numbers = _cells(limit.cells)
    reach = cell_reach(numbers) if cell_numbers is None else between_cells(numbers, cell_numbers)
    separated = _symmetric([clause.pairs for clause in _of_kind(clauses, ExcludedPairs)], n_people)
    own, avoid = _groups(_of_kind(clauses, TokenGroups), n_people)
    show = _only_one(_of_kind(clauses, DirectedVisibility)) or _all_open(n_people)
    liked = SparseRows.of(show.liked[:, 0], show.liked[:, 1], n_people)
    return Compiled(
        n_people=n_people,
        listed=listed,
        traits=end_to_end([clause.traits for clause in refuses], n_bits, n_people),
        refuses=end_to_end([clause.refuses for clause in refuses], n_bits, n_people),
        overlaps=overlaps,
        overlap_starts=starts,
        cell=cell,
        cell_numbers=numbers,
        cell_reach=reach,
        max_km=limit.max_km,
        min_km=limit.min_km,
        in_person=limit.in_person,
        separated_indptr=separated.indptr,
        separated_indices=separated.indices,
        own_indptr=own.indptr,
        own_indices=own.indices,
        avoid_indptr=avoid.indptr,
        avoid_indices=avoid.indices,
        liked_only=show.liked_only,
        suggestible=show.suggestible,
        liked_indptr=liked.indptr,
        liked_indices=liked.indices,
    )


def _of_kind(clauses: Sequence[Clause], kind: type[Kind]) -> list[Kind]:
    return [clause for clause in clauses if isinstance(clause, kind)]


def _only_one(clauses: Sequence[Kind]) -> Kind | None:
    if len(clauses) > 1:
        kind = type(clauses[0]).__name__
        remedy = "keep one of the constraints that make it"
        raise InputError(
            explained(f"a policy holds at most one {kind} clause", got=len(clauses), remedy=remedy)
        )
    return clauses[0] if clauses else None


def _overlaps(
    clauses: Sequence[Overlaps], n_people: int, bits: Sequence[BoolArray] | None
) -> tuple[UInt64Array, Int32Array]:
    kept = [kept_bits(clause) for clause in clauses] if bits is None else bits
    groups = [
        pack_flags(unpack(clause.words, len(used))[:, used])
        for clause, used in zip(clauses, kept, strict=True)
    ]
    starts = np.cumsum([0] + [words.shape[1] for words in groups]).astype(np.int32)
    if not groups:
        return np.zeros((n_people, 0), np.uint64), starts
    return np.ascontiguousarray(np.hstack(groups)), starts


def kept_bits(clause: Overlaps) -> BoolArray:
    """Return the bits that somebody has, `(n_bits,)` bool; a long vocabulary then takes few words."""
    return np.asarray(unpack(clause.words, 64 * clause.words.shape[1]).any(axis=0), bool)


def _no_limit(n_people: int) -> CellLimit:
    return CellLimit(
        cells=np.zeros(n_people, np.uint64),
        max_km=np.full(n_people, UNREACHABLE, np.uint16),
        min_km=np.zeros(n_people, np.uint16),
        in_person=np.zeros(n_people, bool),
    )


def _cells(cells: UInt64Array) -> tuple[npt.NDArray[np.int32], UInt64Array]:
    populated = np.unique(cells[cells != 0])
    numbers = np.append(populated, np.uint64(0))
    position = np.where(cells == 0, len(populated), np.searchsorted(populated, cells))
    return position.astype(np.int32), numbers


def _symmetric(pairs: Sequence[npt.NDArray[np.int32]], n_people: int) -> SparseRows:
    every = np.vstack([np.empty((0, 2), np.int32), *pairs])
    both = np.vstack([every, every[:, ::-1]])
    return SparseRows.of(both[:, 0], both[:, 1], n_people)


def _groups(clauses: Sequence[TokenGroups], n_people: int) -> tuple[SparseRows, SparseRows]:
    offsets = np.cumsum([0] + [clause.n_groups for clause in clauses])
    own = _numbered([clause.own for clause in clauses], offsets)
    avoided = _numbered([clause.avoided for clause in clauses], offsets)
    return SparseRows.of(own[:, 0], own[:, 1], n_people), SparseRows.of(
        avoided[:, 0], avoided[:, 1], n_people
    )


def _numbered(
    entries: Sequence[npt.NDArray[np.int32]], offsets: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Join entries of several clauses, their group numbers moved to each clause's own range."""
    moved = [np.add(given, [0, start]) for given, start in zip(entries, offsets, strict=False)]
    return np.vstack([np.empty((0, 2), np.int64), *moved])


def _all_open(n_people: int) -> DirectedVisibility:
    nobody = np.zeros(n_people, bool)
    return DirectedVisibility(liked_only=nobody, suggestible=nobody, liked=np.empty((0, 2), np.int32))
