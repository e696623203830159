"""A policy over one population as flat arrays: a few words a person, sparse lists for the rest."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from recsys.constraints.block import Columns, row_mask
from recsys.constraints.csr import Lists
from recsys.constraints.pairs import checked_pairs, checked_rows
from recsys.schema.bits import Words
from recsys.schema.ids import Rows
from recsys.schema.place import Cells

Mask = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Starts = npt.NDArray[np.int64]
Members = npt.NDArray[np.int32]

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
    >>> from recsys.schema.population import Population
    >>> masks = Policy.default().compile(Population.of_ids(["a", "b"], as_of="2026-01-05"))
    >>> masks.may_meet([0], [1])  # nothing is known of them, so nobody is listed
    array([False])
    """

    n_people: int
    listed: Mask
    traits: Words
    refuses: Words
    overlaps: Words
    overlap_starts: npt.NDArray[np.int32]
    cell: npt.NDArray[np.int32]
    cell_numbers: Cells
    cell_reach: Bytes
    max_class: Bytes
    min_class: Bytes
    in_person: Mask
    separated_indptr: Starts
    separated_indices: Members
    own_indptr: Starts
    own_indices: Members
    avoid_indptr: Starts
    avoid_indices: Members
    owners_indptr: Starts
    owners_indices: Members
    avoiders_indptr: Starts
    avoiders_indices: Members
    liked_only: Mask
    suggestible: Mask
    liked_indptr: Starts
    liked_indices: Members

    def __repr__(self) -> str:
        words = self.traits.shape[1] + self.refuses.shape[1] + self.overlaps.shape[1]
        return f"Compiled({self.n_people:,} people, {int(self.listed.sum()):,} listed, {words} words each)"

    def may_meet(self, i: npt.ArrayLike, j: npt.ArrayLike) -> Mask:
        """Say for aligned rows `(n_pairs,)` whether the two may meet, `(n_pairs,)` bool."""
        a, b = checked_pairs(i, j, self.n_people)
        allowed = np.empty(len(a), bool)
        for start in range(0, len(a), _CHUNK):
            part = slice(start, start + _CHUNK)
            allowed[part] = self._may_meet(a[part], b[part])
        return allowed

    def may_show(self, viewer: npt.ArrayLike, candidate: npt.ArrayLike) -> Mask:
        """Say for aligned rows whether the candidate may be shown to the viewer; implies `may_meet`."""
        a, b = checked_pairs(viewer, candidate, self.n_people)
        hidden = self.liked_only[b] & ~self.liked.holds(b, a)
        suggested = self.liked_only[a] & self.suggestible[a] & self.suggestible[b]
        return self.may_meet(a, b) & (~hidden | suggested)

    def may_meet_block(self, rows: npt.ArrayLike, cols: npt.ArrayLike) -> Mask:
        """Say for every row and column whether the two may meet, `(n_rows, n_cols)` bool."""
        return self._block(rows, cols, directed=False)

    def may_show_block(self, viewers: npt.ArrayLike, candidates: npt.ArrayLike) -> Mask:
        """Say whether each candidate may be shown to each viewer, `(n_viewers, n_candidates)` bool."""
        return self._block(viewers, candidates, directed=True)

    @cached_property
    def limits_distance(self) -> bool:
        """Whether distance can keep anybody apart."""
        return bool(self.in_person.any() or self.min_class.any())

    @cached_property
    def separated(self) -> Lists:
        """Symmetric lists of separated rows."""
        return Lists(self.separated_indptr, self.separated_indices)

    @cached_property
    def own(self) -> Lists:
        """Groups each person owns."""
        return Lists(self.own_indptr, self.own_indices)

    @cached_property
    def avoid(self) -> Lists:
        """Groups each person avoids."""
        return Lists(self.avoid_indptr, self.avoid_indices)

    @cached_property
    def liked(self) -> Lists:
        """People each person liked."""
        return Lists(self.liked_indptr, self.liked_indices)

    @cached_property
    def liked_by(self) -> Lists:
        """People who liked each person."""
        return self.liked.inverse(self.n_people)

    def _may_meet(self, i: Rows, j: Rows) -> Mask:
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

    def _block(self, rows: npt.ArrayLike, cols: npt.ArrayLike, *, directed: bool) -> Mask:
        a, b = checked_rows(rows, self.n_people), checked_rows(cols, self.n_people)
        allowed = np.zeros((len(a), len(b)), bool)
        columns = Columns.of(self, b)
        for at, row in enumerate(a):
            row_mask(self, int(row), columns, allowed[at], directed=directed)
        return allowed
