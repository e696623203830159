"""Hobby circles (communities): recommended by the same two matrices as people, kept with a publication.

`CircleLists` holds the circles of each member as a publication keeps them, and which may be named now.
"""

from collections.abc import Callable, Collection, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy
from recsys.data.csr import SparseRows
from recsys.data.exclusions import EXCLUSION_REASONS
from recsys.data.geography import distances_km
from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.errors import InputError, SettingsError, explained
from recsys.models.directed import Directed
from recsys.models.distance_decay import places
from recsys.parallel import map_in_threads, n_threads
from recsys.ranking.recommend import Scorer
from recsys.types import (
    BoolArray,
    BytesArray,
    Float32Array,
    Float64Array,
    Int32Array,
    Int64Array,
    ObjectArray,
)


@dataclass(frozen=True, eq=False)
class CircleRows:
    """Circles with enough members to hide each of them.

    names: `(n_circles,)` ids, ascending. belongs: `(n_people, n_circles)` bool, who is in which, everybody
    counted. share: the same for the members that count, each circle's column summing to 1.
    """

    names: npt.NDArray[np.object_]
    belongs: sparse.csr_array
    share: sparse.csr_array

    @classmethod
    def of(cls, people: Population, counts: BoolArray, least_members: int) -> "CircleRows":
        """Return the circles in which at least `least_members` of the people who count take part."""
        table = people.long.communities.drop_duplicates([C.ROW, C.COMMUNITY])
        circle, names = pd.factorize(table[C.COMMUNITY].astype(object), sort=True)
        row = table[C.ROW].to_numpy(np.int64)
        size = np.bincount(circle[counts[row]], minlength=len(names))
        kept = np.flatnonzero(size >= least_members)
        shape = (len(people), len(names))
        belongs = sparse.csr_array((np.ones(len(row)), (row, circle)), shape=shape)[:, kept]
        own = sparse.diags_array(counts.astype(float)) @ belongs
        share = own @ sparse.diags_array(1.0 / np.maximum(size[kept], 1))
        return cls(
            np.asarray(names, dtype=object)[kept],
            sparse.csr_array(belongs.astype(bool)),
            sparse.csr_array(share),
        )


@dataclass(frozen=True, eq=False)
class CircleScores:
    """What every viewer's scores of circles are made of.

    taste, appeal: `(n_circles, n_factors)` float64, the means over a circle's members. at: `(n_people,)` the
    position of each person's cell among the distinct cells; nearness: `(n_cells, n_circles)`, what the
    distance from a cell to a circle's members adds, None when distance counts for nothing. slack: the most by
    which two logits of `rough` may be in another order than they are.
    """

    directed: Directed
    taste: npt.NDArray[np.float64]
    appeal: npt.NDArray[np.float64]
    at: npt.NDArray[np.int64]
    nearness: npt.NDArray[np.float64] | None

    @classmethod
    def of(cls, directed: Directed, circles: CircleRows) -> "CircleScores":
        """Return what is the same for all viewers."""
        cells, at = np.unique(directed.cell, return_inverse=True)
        return cls(
            directed,
            _means(circles, directed.taste),
            _means(circles, directed.appeal),
            at,
            _nearness(directed, circles, cells, at),
        )

    @cached_property
    def slack(self) -> float:
        """Twice the rounding of a sum of products in float32, by Cauchy and Schwarz."""
        n_factors, eps = self.taste.shape[1], float(np.finfo(np.float32).eps)
        longest = [
            float(np.linalg.norm(rows, axis=1).max(initial=0.0))
            for rows in (self.directed.taste, self.appeal, self.directed.appeal, self.taste)
        ]
        distance = 0.0 if self.nearness is None else float(np.abs(self.nearness).max(initial=0.0))
        largest = max(longest[0] * longest[1], longest[2] * longest[3]) + distance
        return 2.0 * (n_factors + 4) * eps * largest

    @cached_property
    def _in_float32(self) -> tuple[Float32Array, Float32Array]:
        return self.taste.astype(np.float32), self.appeal.astype(np.float32)

    def rough(self, viewers: npt.NDArray[np.int64]) -> Float32Array:
        """Return `logits` of viewers and every circle in float32, `(n_viewers, n_circles)`."""
        taste, appeal = self._in_float32
        likes = self.directed.taste[viewers].astype(np.float32) @ appeal.T
        liked = self.directed.appeal[viewers].astype(np.float32) @ taste.T
        least = np.minimum(likes, liked, out=likes)
        if self.nearness is not None:
            least += self.nearness[self.at[viewers]]
        return least

    def logits(self, viewers: npt.NDArray[np.int64], circles: npt.NDArray[np.int64]) -> Float64Array:
        """Return the smaller of two mean logits of aligned pairs: viewer likes member, member likes viewer.

        `(n_pairs,)`: a circle suits where both look forward to it. Distance decay enters as its mean over the
        members' cells.
        """
        likes, liked = (
            np.einsum("nf,nf->n", mine[viewers].astype(np.float64), theirs[circles])
            for mine, theirs in ((self.directed.taste, self.appeal), (self.directed.appeal, self.taste))
        )
        least = np.minimum(likes, liked)
        return least if self.nearness is None else least + self.nearness[self.at[viewers], circles]


def _means(circles: CircleRows, factors: Float32Array) -> Float64Array:
    """Return the means over the members of each circle, `(n_circles, n_factors)`, some factors at a time."""
    found = np.empty((len(circles.names), factors.shape[1]))
    for start in range(0, factors.shape[1], _FACTORS_AT_ONCE):
        some = slice(start, start + _FACTORS_AT_ONCE)
        found[:, some] = circles.share.T @ factors[:, some].astype(np.float64)
    return found


def _nearness(
    directed: Directed, circles: CircleRows, cells: npt.NDArray[np.uint64], at: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64] | None:
    if directed.distance_decay is None:
        return None
    shape = len(cells), len(at)
    in_cell = sparse.csr_array((np.ones(len(at)), (at, np.arange(len(at)))), shape=shape)
    members_in, located = sparse.csr_array(in_cell @ circles.share), places(cells)
    parts = [
        directed.distance_decay.of_distance(distances_km(located[start : start + _CELLS_AT_ONCE], located))
        @ members_in
        for start in range(0, len(cells), _CELLS_AT_ONCE)
    ]
    return np.concatenate([np.zeros((0, len(circles.names))), *parts])


LEAST_MEMBERS: Final = 5
"""Fewer members and a circle is not recommended: its place in a list would tell of one of them."""

UNSAFE: Final = ("block", "report", "unsafe")
_LOGITS_AT_ONCE: Final = 1 << 20
_CELLS_AT_ONCE: Final = 512
_FACTORS_AT_ONCE: Final = 32
_MEMBERS_AT_ONCE: Final = 40


def recommend_circles(
    model: Scorer,
    people: Population,
    policy: Policy,
    viewers: str | Sequence[str] | npt.ArrayLike | None = None,
    k: int = 5,
    *,
    least_members: int = LEAST_MEMBERS,
) -> pd.DataFrame:
    """Return the best `k` circles for each viewer: viewer_id, community_id, rank (from 1).

    A circle is the mean of its members' rows, so its score is the mean logit, viewer to member or member to
    viewer, whichever is less. Members count who are listed and shown to anybody. Left out: circles the
    viewer is in, circles with fewer than `least_members` who count, and every circle that holds somebody
    separated from the viewer for safety (a block, a report, anything unsafe), also a member without an
    accepted row, such as an account without a profile. No score is returned. Viewers
    who are not listed have no rows; a list is never padded.
    Raises UnknownIdError for an unknown viewer, SettingsError for `k` below 1 or fewer than 3 members,
    InputError when the model is of other people.
    """
    if k < 1 or least_members < 3:
        got = f"k={k}, least_members={least_members}"
        raise SettingsError(explained("at least one circle of three members", got=got))
    directed = model.directed(people)
    if directed.ids != people.ids:
        raise InputError(explained("the model gave the matrices of other people", remedy="apply it to these"))
    compiled = policy.compile(people)
    circles = CircleRows.of(people, compiled.listed & ~compiled.liked_only, least_members)
    asked = [viewers] if isinstance(viewers, str) else viewers
    rows = np.arange(len(people)) if asked is None else people.ids.rows(np.asarray(asked, dtype=object))
    found = _best_circles(directed, people, circles, rows[compiled.listed[rows]].astype(np.int64), k)
    return pd.DataFrame(
        {
            C.VIEWER: people.ids.ids(found[:, 0]),
            C.COMMUNITY: circles.names[found[:, 1]],
            C.RANK: found[:, 2],
        }
    )


def _best_circles(
    directed: Directed, people: Population, circles: CircleRows, rows: npt.NDArray[np.int64], k: int
) -> npt.NDArray[np.int64]:
    """Return (viewer row, circle, rank) of the best of viewers, some viewers at a time in each thread."""
    scores, strangers = CircleScores.of(directed, circles), _strangers(people)
    apart, members = _apart(people, strangers), _members(people, circles, strangers)
    at_once = max(_LOGITS_AT_ONCE // max(len(circles.names), 1), 1)

    def best(start: int) -> npt.NDArray[np.int64]:
        chosen = rows[start : start + at_once]
        rough = scores.rough(chosen)
        for closed in (circles.belongs[chosen], apart[chosen] @ members):
            rough[closed.nonzero()] = -np.inf
        at, circle = _shortlist(rough, k, scores.slack)
        return _ranked(at, circle, scores.logits(chosen[at], circle), k, chosen)

    workers = n_threads(len(rows) * len(circles.names))
    parts = map_in_threads(best, range(0, len(rows), at_once), workers)
    return np.concatenate([np.empty((0, 3), np.int64), *parts])


def _strangers(people: Population) -> IdIndex:
    """Return the members of circles who are nobody of the people: their profiles are refused, or gone."""
    members = people.absent.circles[:, 0]
    return IdIndex(set(members[people.ids.find(members) < 0].tolist()))


def _rows_of(people: Population, strangers: IdIndex, ids: ObjectArray) -> Int64Array:
    """Return the rows of accounts, those of strangers after those of all people; -1 for anybody else."""
    rows, beyond = people.ids.find(ids).astype(np.int64), strangers.find(ids).astype(np.int64)
    return np.where((rows < 0) & (beyond >= 0), len(people) + beyond, rows)


def _apart(people: Population, strangers: IdIndex) -> sparse.csr_array:
    """Return from whom people are separated for safety, both ways, `(n_people, n_people + n_strangers)`."""
    relations, absent = people.relations, people.absent
    unsafe = np.isin(relations.reason, [EXCLUSION_REASONS.index(reason) for reason in UNSAFE])
    a, b = relations.excluded[unsafe].T.astype(np.int64)
    ends = absent.pairs[np.isin(absent.reason.astype(str), UNSAFE)].T
    one, other = (_rows_of(people, strangers, ids) for ids in ends)
    rows, columns = np.concatenate([a, b, one, other]), np.concatenate([b, a, other, one])
    kept = (rows >= 0) & (rows < len(people)) & (columns >= 0)
    shape = (len(people), len(people) + len(strangers))
    return sparse.csr_array((np.ones(int(kept.sum())), (rows[kept], columns[kept])), shape=shape)


def _members(people: Population, circles: CircleRows, strangers: IdIndex) -> sparse.csr_array:
    """Return who is in which circle, `(n_people + n_strangers, n_circles)`, by refused rows as well."""
    accounts, names = people.absent.circles.T
    circle = pd.Index(circles.names).get_indexer(pd.Index(names, dtype=object))
    rows, known = _rows_of(people, strangers, accounts), circle >= 0
    shape = (len(people) + len(strangers), len(circles.names))
    beside = sparse.csr_array((np.ones(int(known.sum())), (rows[known], circle[known])), shape=shape)
    own = circles.belongs.tocoo()
    return sparse.csr_array((np.ones(own.nnz), (own.row, own.col)), shape=shape) + beside


def _shortlist(
    rough: Float32Array, k: int, slack: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return viewers' numbers and circles, aligned: all that may be among the k best."""
    if not rough.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    last = max(rough.shape[1] - k, 0)
    least = np.partition(rough, last, axis=1)[:, last]  # the k-th best
    at, circle = np.nonzero((rough >= (least - np.float32(slack))[:, None]) & np.isfinite(rough))
    return at.astype(np.int64), circle.astype(np.int64)


def _ranked(
    at: npt.NDArray[np.int64],
    circle: npt.NDArray[np.int64],
    logit: Float64Array,
    k: int,
    viewers: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Return (viewer row, circle, rank) of the best, ties by the order of circles."""
    order = np.lexsort((circle, -logit, at))
    at, circle = at[order], circle[order]
    rank = np.arange(len(at)) - np.searchsorted(at, at) + 1
    kept = rank <= k
    return np.column_stack([viewers[at[kept]], circle[kept], rank[kept]]).astype(np.int64)


KEPT: Final = 10
"""Circles kept of each member, so that a few are left when somebody is blocked by day."""


@dataclass(frozen=True, eq=False)
class CircleLists:
    """The best circles of each member, and who is in which.

    names: ids of circles, ascending. best: `(n_people, 10)` int32 numbers of circles, best first, -1 for
    none. members: rows of people of each circle. absent: ids of members whose rows are refused, ascending, as
    bytes of equal width; absent_in: their numbers, by circle.
    """

    names: tuple[str, ...]
    best: Int32Array
    members: SparseRows
    absent: BytesArray
    absent_in: SparseRows

    @classmethod
    def of(cls, model: Scorer, people: Population, policy: Policy) -> Self:
        """Recommend circles to everybody who is listed."""
        table = people.long.communities.drop_duplicates([C.ROW, C.COMMUNITY])
        circle, texts = pd.factorize(table[C.COMMUNITY].astype(str), sort=True)
        names = tuple(str(text) for text in texts)
        best = np.full((len(people), KEPT), -1, np.int32)
        members = SparseRows.of(circle, table[C.ROW].to_numpy(np.int64), len(names))
        if names:
            found = recommend_circles(model, people, policy, k=KEPT)
            rows = people.ids.rows(found[C.VIEWER].to_numpy(object))
            number = pd.Index(names).get_indexer(pd.Index(found[C.COMMUNITY].astype(str)))
            best[rows, found[C.RANK].to_numpy(np.int64) - 1] = number
        beside = people.absent.circles[np.isin(people.absent.circles[:, 1].astype(str), names)]
        ids, account = np.unique(beside[:, 0].astype(np.bytes_), return_inverse=True)
        absent_in = SparseRows.of(
            pd.Index(names).get_indexer(pd.Index(beside[:, 1].astype(str))), account, len(names)
        )
        return cls(names, best, members, ids, absent_in)

    @classmethod
    def none(cls, n_people: int) -> Self:
        """Return the circles of people who are in none."""
        nothing = np.zeros(0, np.int64)
        nobody = SparseRows.of(nothing, nothing, 0)
        return cls((), np.full((n_people, KEPT), -1, np.int32), nobody, np.zeros(0, np.bytes_), nobody)

    def without(self, gone: BoolArray) -> Self:
        """Return the same without some people."""
        circle = np.repeat(np.arange(len(self.names)), np.diff(self.members.indptr))
        kept = ~gone[self.members.indices]
        members = SparseRows.of(circle[kept], self.members.indices[kept], len(self.names))
        return replace(self, best=np.where(gone[:, None], np.int32(-1), self.best), members=members)

    def without_absent(self, gone: BoolArray) -> Self:
        """Return the same without some members whose rows are refused; gone: of each of `absent`."""
        circle, kept = self.absent_in.rows, ~gone[self.absent_in.indices]
        number = np.cumsum(~gone) - 1
        absent_in = SparseRows.of(circle[kept], number[self.absent_in.indices[kept]], len(self.names))
        return replace(self, absent=self.absent[~gone], absent_in=absent_in)

    def members_beside(self, row: int) -> list[int]:
        """Return the rows of everybody in the best circles of a member, nobody's for row -1."""
        return sorted({int(one) for circle in self._best_of(row) for one in self.members.row(circle)})

    def absent_beside(self, row: int) -> list[str]:
        """Return the ids of those in the best circles of a member whose rows are refused."""
        numbers = {int(one) for circle in self._best_of(row) for one in self.absent_in.row(circle)}
        return [self.absent[one].decode() for one in sorted(numbers)]

    def named_for(self, row: int) -> list[str]:
        """Return the names of the best circles of a member, open or not; nobody's for row -1."""
        return [self.names[circle] for circle in self._best_of(row)]

    def _best_of(self, row: int) -> list[int]:
        return [circle for circle in self.best[row].tolist() if circle >= 0] if row >= 0 else []

    def open_to(
        self,
        row: int,
        apart: Set[int],
        strangers: Set[str],
        k: int,
        out: Callable[[Sequence[int]], Collection[int]],
    ) -> list[str]:
        """Return the best `k` circles of a member, without anybody kept apart and with five who count now.

        apart: rows of people; strangers: ids of others. out: returns who of some rows of people does not
        count, as nobody does who is held.
        """
        found = list[str]()
        for circle in self._best_of(row):
            members, absent = self.members.row(circle).tolist(), self.absent[self.absent_in.row(circle)]
            is_open = apart.isdisjoint(members) and strangers.isdisjoint(map(bytes.decode, absent.tolist()))
            if is_open and _has_enough(members, out):
                found.append(self.names[circle])
            if len(found) == k:
                break
        return found


def _has_enough(members: Sequence[int], out: Callable[[Sequence[int]], Collection[int]]) -> bool:
    """Say whether enough members count to hide each of them; of many only some are asked about."""
    count = 0
    for start in range(0, len(members), _MEMBERS_AT_ONCE):
        asked = members[start : start + _MEMBERS_AT_ONCE]
        count += len(asked) - len(out(asked))
        if count >= LEAST_MEMBERS:
            return True
    return False
