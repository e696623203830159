"""Pairs that what is served shows, and that the tables of a night keep apart: by a boundary, a token, a hide.

A night that is refused publishes no lists: what its tables say of pairs has to reach those of an earlier one.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.constraints.exclusions_and_tokens import Exclusions, SamePerson
from recsys.constraints.masks import mask_columns
from recsys.constraints.policy import Policy, may_show_each
from recsys.constraints.sparse_masks import mask_pairs
from recsys.data.csr import EntriesOfRows, SparseRows
from recsys.data.exclusions import EXCLUSION_REASONS
from recsys.data.population import Population
from recsys.ranking.snapshot import LiveSearch, Snapshot
from recsys.types import BoolArray, Int32Array, Int64Array

_FEW_PAIRS: Final = 20
"""Pairs of one person that are named one by one; whoever is apart from more is out of everything."""
_PAIRS_ASKED: Final = 400_000_000
_ROWS_AT_ONCE: Final = 256
_ROWS_COMPARED: Final = 65_536
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
    told = people.relations
    is_done = np.isin(told.reason, [EXCLUSION_REASONS.index(why) for why in _DONE])
    pairs = told.excluded[is_done]
    rows = snapshot.ids.find(people.ids.ids(np.arange(len(people))).tolist())
    apart = people.with_relations(replace(told, excluded=pairs, reason=told.reason[is_done]))
    own = np.array(people.ids.find(listed_ids(snapshot)), np.int64)

    def not_done(i: Int64Array, j: Int64Array) -> BoolArray:
        return Exclusions().allows(apart, i.astype(np.int32), j.astype(np.int32))

    since = separated_since(snapshot, SparseRows.of(pairs[:, 0], pairs[:, 1], len(people)), rows)
    return np.concatenate([since, _closed_matches(snapshot, [own], not_done)])


def separated_since(snapshot: Snapshot, separated: SparseRows, rows: npt.ArrayLike) -> Int32Array:
    """Return the pairs that a later night separates and a snapshot does not, `(n_pairs, 2)` later rows.

    Whatever else keeps them apart in the snapshot, and also those with somebody whom it does not know: tables
    of today may take the one away, and bring the other.

    separated: whom the night separates, each pair by its smaller row at least. rows: of each person of the
    night the row in the snapshot, -1 for none.
    """
    at, known, n = np.asarray(rows, np.int64), snapshot.data.separated, len(snapshot.ids)
    of_row, found = EntriesOfRows(known.indptr), [np.zeros((0, 2), np.int32)]
    for start in range(0, len(at), _ROWS_COMPARED):
        part = separated.indptr[start : start + _ROWS_COMPARED + 1]
        one = start + np.repeat(np.arange(len(part) - 1), np.diff(part))
        pairs = np.stack([one, separated.indices[part[0] : part[-1]]], axis=1).astype(np.int32)
        pairs = pairs[pairs[:, 0] < pairs[:, 1]]
        before = at[pairs]
        mine = np.unique(before[:, 0][before[:, 0] >= 0])
        entry, place = of_row.find(mine)
        was = _codes(np.stack([mine[place], known.indices[entry]], axis=1), n)
        codes = _codes(before, n)  # those that were ascend
        is_old = (before >= 0).all(axis=1) & (np.append(was, -1)[was.searchsorted(codes)] == codes)
        found.append(pairs[~is_old])
    return np.concatenate(found)


def closed_pairs(snapshot: Snapshot, people: Population, policy: Policy, most: int) -> ClosedPairs | None:
    """Return whom the rules over `people` keep apart of those whom a snapshot may show to each other.

    Asked are people who are listed in both. Of more than 20,000, those of whom nobody in a sample is newly
    apart are asked about their lists alone. Pairs that an event or a block keeps apart, or who know each
    other since, are left out. Somebody listed whose other account takes part tonight is asked about by both.
    Those who may look at each other because they are matched are asked about too, and by everything.

    most: how many people may be apart from more than a few; None is returned for more: tables are broken.
    """
    of_accounts = policy.without(*(one.name for one in policy.constraints if isinstance(one, SamePerson)))
    compiled = of_accounts.compile(people)
    after = _After(compiled.listed, compiled.may_show_block, compiled.may_show)
    rows = np.array(people.ids.find(listed_ids(snapshot)), np.int64)
    own = [rows, _taking_part(people, policy, rows)]
    found = _few_and_many(_closed(snapshot, after, own, most), _related(people), len(people), most)
    if found is None:
        return None
    unmatched = people.with_relations(people.relations.without_matches())

    def may_look(i: Int64Array, j: Int64Array) -> BoolArray:
        return may_show_each(of_accounts, unmatched, i.astype(np.int32), j.astype(np.int32))

    listed = [np.where(np.append(after.listed, False)[one], one, -1) for one in own]
    return found._replace(pairs=np.concatenate([found.pairs, _closed_matches(snapshot, listed, may_look)]))


def _closed_matches(
    snapshot: Snapshot, rows: list[Int64Array], may_look: Callable[[Int64Array, Int64Array], BoolArray]
) -> Int32Array:
    """Return the pairs who may look at each other in a snapshot as they are matched, and no more later.

    They are rows of later, `(n_pairs, 2)`. rows: of each listed position of the snapshot, -1 for nobody of
    later: of its own account, then of others. may_look: whether one row may see another, a match or not.
    """
    pairs = snapshot.live.layout.position[snapshot.stages.all_matches()].astype(np.int64)
    pairs = pairs[(pairs >= 0).all(axis=1)]
    closed = np.zeros(len(pairs), bool)
    for mine in rows:
        for theirs in rows:
            i, j = mine[pairs[:, 0]], theirs[pairs[:, 1]]
            both = np.flatnonzero((i >= 0) & (j >= 0) & (i != j))
            closed[both] |= ~may_look(i[both], j[both])
    named = np.where(rows[0] >= 0, rows[0], rows[-1])[pairs[closed]]
    named = np.sort(named[(named >= 0).all(axis=1)], axis=1)
    return np.unique(named, axis=0).astype(np.int32).reshape(-1, 2)


def _taking_part(people: Population, policy: Policy, rows: Int64Array) -> Int64Array:
    """Return the row of another account that takes part for the person of each row, -1 for none."""
    person, _ = pd.factorize(people.person_tokens)
    several = pd.Series(person).duplicated(keep=False).to_numpy(bool) & (person >= 0)
    found = np.full(len(rows), -1, np.int64)
    if not several.any():
        return found
    listed = np.flatnonzero(several & policy.compile(people).listed)
    row_of = np.full(len(people) + 1, -1, np.int64)
    row_of[person[listed]] = listed
    mine = np.append(np.where(several, person, -1), -1)[rows]  # the last for those without a row
    found = np.where(mine >= 0, row_of[mine], -1)
    return np.where(found == rows, -1, found)


def closed_since(snapshot: Snapshot, newest: Snapshot, most: int) -> ClosedPairs | None:
    """Return whom a later snapshot keeps apart of those whom an earlier one may show; rows are the later's.

    Those whom it separates are not among them, see `separated_since`.
    """
    live = newest.live
    listed = live.layout.position >= 0

    def block(viewers: npt.ArrayLike, candidates: npt.ArrayLike) -> BoolArray:
        at = live.layout.position[np.asarray(viewers)]
        columns, place = np.unique(live.layout.position[np.asarray(candidates)], return_inverse=True)
        return _may_show(live, at, columns)[:, place]

    def pairs(viewers: npt.ArrayLike, candidates: npt.ArrayLike) -> BoolArray:
        asked = zip(np.asarray(viewers).tolist(), np.asarray(candidates).tolist(), strict=True)
        return np.array([bool(live.may_show(a, [b])[0]) for a, b in asked], bool)

    rows, n = np.array(newest.ids.find(listed_ids(snapshot)), np.int64), len(newest.ids)
    found = _closed(snapshot, _After(listed, block, pairs), [rows], most)
    told = _few_and_many(found, _separated(newest), n, most)
    if told is None:
        return None
    still = _codes(newest.stages.all_matches(), n)

    def may_look(i: Int64Array, j: Int64Array) -> BoolArray:
        return np.isin(_codes(np.stack([i, j], axis=1), n), still)

    rows = np.where(np.append(listed, False)[rows], rows, -1)
    return told._replace(pairs=np.concatenate([told.pairs, _closed_matches(snapshot, [rows], may_look)]))


class _After(NamedTuple):
    """Rules of later: who is listed, `(n,)`, and whom they show to whom, of blocks and of single pairs."""

    listed: BoolArray
    block: Callable[[npt.ArrayLike, npt.ArrayLike], BoolArray]
    pairs: Callable[[npt.ArrayLike, npt.ArrayLike], BoolArray]


def listed_ids(snapshot: Snapshot) -> list[str]:
    """Return who stands at each place of a snapshot's layout; empty texts for whoever was erased since.

    The id of an erased row is another one's with a sign behind it, which no row of anybody may be taken for.
    """
    order, position = snapshot.live.layout.order, snapshot.live.layout.position
    ids = snapshot.ids.at(order.tolist())
    return [one if there else "" for one, there in zip(ids, position[order] >= 0, strict=True)]


class _Asked(NamedTuple):
    """Who is asked about, `(n,)`: a position of a snapshot's layout, and a later row of that person."""

    position: Int32Array
    row: Int64Array


def _closed(snapshot: Snapshot, after: _After, rows: list[Int64Array], most: int) -> Int64Array | None:
    """Return the pairs of later rows that only the later rules keep apart, `(n_pairs, 2)`; None for too many.

    rows: of each listed position of the snapshot, -1 for nobody of later: of its own account, then of others.
    """
    listed = [np.append(after.listed, False)[one] for one in rows]  # the last for those without a row
    at = [np.flatnonzero(one).astype(np.int32) for one in listed]
    asked = _Asked(
        np.concatenate(at), np.concatenate([one[mine] for one, mine in zip(rows, at, strict=True)])
    )
    each = np.arange(len(asked.row), dtype=np.int32)
    every = max(1, -(-(len(each) ** 2) // _PAIRS_ASKED))
    found = _apart(snapshot.live, after, asked, (each, each[::every]), most)
    pairs = None if found is None else asked.position[found]
    if found is not None and every > 1:
        again = _apart(snapshot.live, after, asked, (np.unique(found), each), most)
        of_lists = [
            _in_lists(snapshot, after, one, is_listed) for one, is_listed in zip(rows, listed, strict=True)
        ]
        pairs = None if again is None else np.concatenate([asked.position[again], *of_lists])
    if pairs is None:
        return None
    named = np.where(rows[0] >= 0, rows[0], rows[-1])
    return named[pairs[pairs[:, 0] != pairs[:, 1]]].reshape(-1, 2)


def _few_and_many(found: Int64Array | None, known: Int64Array, n: int, most: int) -> ClosedPairs | None:
    """Return closed pairs, without `known` ones, `(n_known,)` codes of pairs."""
    if found is None:
        return None
    pairs = np.unique(np.sort(found, axis=1), axis=0)
    pairs = pairs[~np.isin(pairs[:, 0] * n + pairs[:, 1], known)]
    many = np.flatnonzero(np.bincount(pairs.ravel(), minlength=n) > _FEW_PAIRS)
    if len(many) > most:
        return None
    few = pairs[~np.isin(pairs, many).any(axis=1)]
    return ClosedPairs(few.astype(np.int32), many.astype(np.int32))


def _apart(
    live: LiveSearch, after: _After, asked: _Asked, ends: tuple[Int32Array, Int32Array], most: int
) -> Int32Array | None:
    """Return the pairs of places among the asked that only later rules keep apart, `(n_pairs, 2)`.

    ends: the places of viewers and of candidates. None where more than `most` viewers are apart from more
    than half of the candidates, and from many.
    """
    viewers, candidates = ends
    found, broken = [np.zeros((0, 2), np.int32)], 0
    for start in range(0, len(viewers), _ROWS_AT_ONCE):
        mine = viewers[start : start + _ROWS_AT_ONCE]
        closed = _may_show(live, asked.position[mine], asked.position[candidates])
        closed &= ~after.block(asked.row[mine], asked.row[candidates])
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


def _in_lists(snapshot: Snapshot, after: _After, rows: Int64Array, listed: BoolArray) -> Int32Array:
    """Return the pairs of positions in the lists of a snapshot that later rules keep apart."""
    lists, position = snapshot.data.lists, snapshot.live.layout.position
    viewer = np.repeat(np.arange(len(snapshot.ids)), np.diff(lists.indptr))
    pairs = np.stack([position[viewer], position[lists.candidates]], axis=1)
    pairs = pairs[(pairs >= 0).all(axis=1)]
    pairs = pairs[listed[pairs].all(axis=1)]
    return pairs[~after.pairs(*rows[pairs].T)]


def _related(people: Population) -> Int64Array:
    """Return the pairs that an event or a block keeps apart, as codes."""
    told = people.relations.excluded.astype(np.int64)
    return told[:, 0] * len(people) + told[:, 1]


def _separated(snapshot: Snapshot) -> Int64Array:
    known = snapshot.data.separated
    one = np.repeat(np.arange(len(known.indptr) - 1), np.diff(known.indptr))
    return _codes(np.stack([one, known.indices], axis=1), len(snapshot.ids))


def _codes(pairs: npt.NDArray[np.integer], n: int) -> Int64Array:
    return pairs[:, 0].astype(np.int64) * n + pairs[:, 1]
