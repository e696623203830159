"""Pairs that what is served shows, and that the tables of a night keep apart: by a boundary, a token, a hide.

A night that is refused publishes no lists: what its tables say of pairs has to reach those of an earlier one.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.constraints.compiled import Compiled
from recsys.constraints.masks import mask_columns
from recsys.constraints.policy import Policy
from recsys.constraints.sparse_masks import mask_pairs
from recsys.data.exclusions import EXCLUSION_REASONS
from recsys.data.population import Population
from recsys.ranking.snapshot import LiveSearch, Snapshot
from recsys.types import BoolArray, Int32Array, Int64Array

_FEW_PAIRS: Final = 20
"""Pairs of one person that are named one by one; whoever is apart from more is out of everything."""
_PAIRS_ASKED: Final = 400_000_000
_ROWS_AT_ONCE: Final = 256
_DONE: Final = ("hide", "pass")
"""What keeps a pair apart for a time; what keeps one apart for good reaches what is served as it is."""


class ClosedPairs(NamedTuple):
    """Who is apart by a night and not by what is served; rows are those of the people of the night.

    pairs: `(n_pairs, 2)`. people: those who are apart from so many that these are not named one by one.
    """

    pairs: Int32Array
    people: Int32Array


def hidden_pairs(snapshot: Snapshot, people: Population) -> Int32Array:
    """Return the pairs of whom one hid or passed the other since a snapshot was made, `(n_pairs, 2)` rows."""
    told, known = people.relations, snapshot.data.separated
    pairs = told.excluded[np.isin(told.reason, [EXCLUSION_REASONS.index(why) for why in _DONE])]
    at = np.array(snapshot.ids.find(people.ids.ids(pairs.ravel()).tolist()), np.int64).reshape(-1, 2)
    pairs, at = pairs[(at >= 0).all(axis=1)], at[(at >= 0).all(axis=1)]
    apart = np.repeat(np.arange(len(known.indptr) - 1), np.diff(known.indptr)) * len(snapshot.ids)
    return pairs[~np.isin(at[:, 0] * len(snapshot.ids) + at[:, 1], apart + known.indices)]


def closed_pairs(snapshot: Snapshot, people: Population, policy: Policy, most: int) -> ClosedPairs | None:
    """Return whom the rules over `people` keep apart of those whom a snapshot may show to each other.

    Asked are people who are listed in both. Of more than 20,000, those of whom nobody in a sample is newly
    apart are asked about their lists alone. Pairs that an event or a block keeps apart, or who know each
    other since, are left out.

    most: how many people may be apart from more than a few; None is returned for more: tables are broken.
    """
    live, compiled = snapshot.live, policy.compile(people)
    rows = np.array(people.ids.find(snapshot.ids.at(live.layout.order.tolist())), np.int64)
    listed = np.append(compiled.listed, False)[rows]  # the last for those without a row, whose is -1
    at = np.flatnonzero(listed).astype(np.int32)
    every = max(1, -(-(len(at) ** 2) // _PAIRS_ASKED))
    asked = _Asked(live, compiled, rows)
    found = asked.apart(at, at[::every], most)
    if found is not None and every > 1:
        again = asked.apart(np.unique(found), at, most)
        found = None if again is None else np.concatenate([again, _in_lists(snapshot, asked, listed)])
    if found is None:
        return None
    pairs = np.unique(np.sort(rows[found].reshape(-1, 2), axis=1), axis=0)
    pairs = pairs[~_are_related(people, pairs)]
    many = np.flatnonzero(np.bincount(pairs.ravel(), minlength=len(people)) > _FEW_PAIRS)
    if len(many) > most:
        return None
    few = pairs[~np.isin(pairs, many).any(axis=1)]
    return ClosedPairs(few.astype(np.int32), many.astype(np.int32))


class _Asked(NamedTuple):
    """Two compiled forms of rules; rows: of each listed position of the first, its row in the second."""

    live: LiveSearch
    compiled: Compiled
    rows: npt.NDArray[np.int64]

    def apart(self, viewers: Int32Array, candidates: Int32Array, most: int) -> Int32Array | None:
        """Return the pairs of positions that only the second keeps apart, `(n_pairs, 2)`.

        None where more than `most` viewers are apart from more than half of the candidates, and from many.
        """
        found, broken = [np.zeros((0, 2), np.int32)], 0
        for start in range(0, len(viewers), _ROWS_AT_ONCE):
            mine = viewers[start : start + _ROWS_AT_ONCE]
            closed = _may_show(self.live, mine, candidates)
            closed &= ~self.compiled.may_show_block(self.rows[mine], self.rows[candidates])
            broken += int((closed.sum(axis=1) > max(_FEW_PAIRS, len(candidates) / 2)).sum())
            if broken > most:
                return None
            row, column = np.nonzero(closed)
            found.append(np.stack([mine[row], candidates[column]], axis=1))
        return np.concatenate(found)


def _may_show(live: LiveSearch, viewers: Int32Array, candidates: Int32Array) -> BoolArray:
    """Say by positions whom what is served may show to whom, `(n_viewers, n_candidates)`."""
    mask, layout = np.zeros((len(viewers), len(candidates)), bool), live.layout
    if len(candidates):
        mask_columns(layout.words, viewers, layout.reach, layout.words, candidates, mask)
        mask_pairs(mask, viewers, candidates, layout.sparse, live.nobody)
    return mask


def _in_lists(snapshot: Snapshot, asked: _Asked, listed: BoolArray) -> Int32Array:
    """Return the pairs of positions in the lists of a snapshot that the compiled rules keep apart."""
    lists, position = snapshot.data.lists, snapshot.live.layout.position
    viewer = np.repeat(np.arange(len(snapshot.ids)), np.diff(lists.indptr))
    pairs = np.stack([position[viewer], position[lists.candidates]], axis=1)
    pairs = pairs[(pairs >= 0).all(axis=1)]
    pairs = pairs[listed[pairs].all(axis=1)]
    return pairs[~asked.compiled.may_show(*asked.rows[pairs].T)]


def _are_related(people: Population, pairs: Int64Array) -> BoolArray:
    told, n = people.relations.excluded.astype(np.int64), len(people)
    return np.isin(pairs[:, 0] * n + pairs[:, 1], told[:, 0] * n + told[:, 1])
