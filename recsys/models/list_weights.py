"""Weights of the terms of an order, chosen so that most held-out likes come first on lists of two sides."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.models.affinity import PARTS, TERM, TERMS, AffinityRows, PersonAffinity
from recsys.models.directed import Directed
from recsys.models.impressions import Impressions
from recsys.models.whole_matrix import evenly
from recsys.types import BoolArray, Float64Array, Int64Array

_MOST_JUDGED: Final = 1000
"""Viewers whose lists are judged; enough for the third digit of a mean."""
_MOST_BESIDE: Final = 8192
"""Candidates beside the wanted ones: a score of every other one costs more than it tells."""
_AT_ONCE: Final = 256
DEPTHS: Final = (5, 10, 20, 40)
"""Places to which a list is judged: of which length lists are asked for is not known in a fit."""
_BEST_OF_A_PART: Final = 40
_BEST_OF_ALL: Final = 80
LEAST_MUTUAL: Final = 50
"""Held-out likes of somebody who likes back, from which on they judge the lists."""
_SHARES: Final = (0.0, 0.5, 0.7, 1.4, 2.0)
_POWERS: Final = (0.0, 0.5, 1.0)
_ROUNDS: Final = 3
_LEAST_BETTER: Final = 1.003
_ERRORS_OF_A_STEP: Final = 1.5
"""Standard errors a step must exceed: dozens are tried, and some look better by chance."""
_ERRORS_OF_A_START: Final = 2.0
"""Standard errors by which the best of a dozen starts exceeds the first, of orders that are all alike."""
_UNKNOWN: Final = [TERM["level of the unknown"], TERM["popularity for the unknown"]]
_OF_P_LIKE: Final = [TERM["p_like"], TERM["p_like of the known"]]


@dataclass(frozen=True, eq=False)
class ListWeights:
    """Weights of the terms, `(n_terms,)`, and the power of each part's levellers, `(n_parts,)`."""

    theta: Float64Array
    levelled: Float64Array


@dataclass(frozen=True, eq=False)
class JudgedLists:
    """Held-out likes beside the unseen candidates that an order could put first, for many viewers.

    viewers: `(n_viewers,)`; candidates: `(n_viewers, width)` rows, available: which of them count.
    wanted: viewer and column of each held-out like, `(2, n_wanted)`; likes: how many, `(n_viewers,)`.
    forward, backward: `(n_terms, n_viewers, width)` terms of the viewer for the candidate, and back.
    own, others: `(n_parts, n_viewers, 1)` and `(n_parts, n_viewers, width)` levellers of both.
    one_sided: wanted are likes of one side.

    Wanted are pairs who like each other, on lists ordered by the chance that both come to, where enough were
    held out; else likes of one side, on lists ordered by the choice of the viewer alone. The other's choice
    would be learned to tell of likes in which it had no part, and where nobody who is decided about decides
    it is a constant, beside which chances near 1 would be equal.
    """

    viewers: Int64Array
    candidates: Int64Array
    available: BoolArray
    wanted: Int64Array
    likes: Int64Array
    forward: Float64Array
    backward: Float64Array
    own: Float64Array
    others: Float64Array
    one_sided: bool = False

    @classmethod
    def of(
        cls,
        known: Impressions,
        held: Impressions,
        p_like: Directed,
        person: PersonAffinity,
        starts: Sequence[ListWeights],
        *,
        mutual: bool | None = None,
    ) -> "JudgedLists":
        """Shortlist the best unseen candidates of each part and start, beside held-out likes.

        mutual: whether the wanted ones are pairs who like each other; None: where enough were held out.

        Of more than 1,000 viewers, or 8,192 candidates whom none of them wants, some at even distances in
        the order of the people are judged.
        """
        n_people = len(p_like)
        if mutual is None:
            mutual = n_mutual(held) >= LEAST_MUTUAL
        i, j = _wanted(held, n_people, mutual)
        every = np.unique(i)
        chosen = every[evenly(len(every), _MOST_JUDGED)]
        listed = j[np.isin(i, chosen)]
        others = np.setdiff1d(np.concatenate([known.candidates, held.candidates]).astype(np.int64), listed)
        pool = np.union1d(listed, others[evenly(len(others), _MOST_BESIDE)])
        one_sided = not mutual or not np.isin(known.candidates, known.viewers).any()
        blocks = [
            _shortlisted(some, pool, known, (i, j), p_like, person, starts, one_sided=one_sided)
            for some in np.array_split(chosen, max(-(-len(chosen) // _AT_ONCE), 1))
        ]
        width = max(block[0].shape[1] for block in blocks)
        candidates, available, wanted = (
            np.concatenate([np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in parts])
            for parts in zip(*blocks, strict=True)
        )
        shape = candidates.shape
        viewer, other = np.repeat(chosen, shape[1]), candidates.ravel()
        forward, backward = (
            person.terms(p_like.logits(a, b), a, b).reshape(len(TERMS), *shape)
            for a, b in ((viewer, other), (other, viewer))
        )
        levellers = np.array([getattr(person, name).leveller for name in PARTS])
        likes = np.bincount(i, minlength=n_people)[chosen]
        return cls(
            viewers=chosen,
            candidates=candidates,
            available=available,
            wanted=np.array(np.nonzero(wanted)),
            likes=likes,
            forward=forward,
            backward=backward,
            own=levellers[:, chosen][:, :, None],
            others=levellers[:, candidates],
            one_sided=one_sided,
        )

    @classmethod
    def joined(cls, parts: "Sequence[JudgedLists]") -> "JudgedLists":
        """Return the lists of all parts, at least one, one after another."""
        width = max(part.candidates.shape[1] for part in parts)
        start = np.cumsum([0, *(len(part.viewers) for part in parts)])

        def padded(name: str) -> Any:
            arrays = [getattr(part, name) for part in parts]
            room = [[(0, 0)] * (one.ndim - 1) + [(0, width - one.shape[-1])] for one in arrays]
            return np.concatenate([np.pad(*pair) for pair in zip(arrays, room, strict=True)], axis=-2)

        wanted = [
            part.wanted + np.array([[first], [0]]) for part, first in zip(parts, start[:-1], strict=True)
        ]
        return cls(
            viewers=np.concatenate([part.viewers for part in parts]),
            candidates=padded("candidates"),
            available=padded("available"),
            wanted=np.concatenate(wanted, axis=1),
            likes=np.concatenate([part.likes for part in parts]),
            forward=padded("forward"),
            backward=padded("backward"),
            own=np.concatenate([part.own for part in parts], axis=1),
            others=padded("others"),
            one_sided=all(part.one_sided for part in parts),
        )

    def gains(
        self, weights: ListWeights, recent: Float64Array | None = None, *, depths: Sequence[int] = DEPTHS
    ) -> Float64Array:
        """Return the NDCG of each viewer's list, the mean over `depths`; equals share the worse place.

        recent: logits added to those of whoever looks at somebody, `(n_people,)` by the person looked at.
        """
        order = _weighted(self.forward, weights, self.own)
        if recent is not None:
            order = order + recent[self.candidates]
        if not self.one_sided:
            backward = _weighted(self.backward, weights, self.others)
            if recent is not None:
                backward = backward + recent[self.viewers][:, None]
            order = _log_sigmoid(order) + _log_sigmoid(backward)
        scores = np.where(self.available, order, -np.inf)
        at, column = self.wanted
        place = (scores[at] >= scores[at, column][:, None]).sum(axis=1)
        gain, total = 1.0 / np.log2(1.0 + place), np.zeros(len(self.viewers))
        for depth in depths:
            total += np.bincount(at, gain * (place <= depth), len(total)) / _ideal(self.likes, depth)
        return total / len(depths)


def _ideal(likes: Int64Array, depth: int) -> Float64Array:
    """Return the DCG to a depth of the best order of so many likes, one or more, `(n_viewers,)`."""
    return np.cumsum(1.0 / np.log2(np.arange(2, depth + 2)))[np.minimum(likes, depth) - 1]


def best_weights(lists: JudgedLists, starts: Sequence[ListWeights], usual: Float64Array) -> ListWeights:
    """Return the weights whose lists hold most held-out likes, sought from the best of `starts`.

    The first start is kept where the best of the others is not clearly better. Each part in turn is tried
    with other shares of its weight, and levelled more or less. A part without weight is tried with its
    `usual` one, `(n_terms,)`. Small differences are noise.
    """
    if not len(lists.viewers):
        return starts[0]
    gains = [lists.gains(start) for start in starts]
    first = int(np.argmax([found.mean() for found in gains]))
    first = first if is_better(gains[first], gains[0], errors=_ERRORS_OF_A_START) else 0
    best, reached = starts[first], gains[first]
    movable = [[TERM[name]] for name in PARTS if lists.forward[TERM[name]].any()]
    movable += [_OF_P_LIKE, [TERM["popularity"]]]
    for _ in range(_ROUNDS):
        before = best
        for terms in movable:
            for tried in _neighbours(best, terms, usual):
                found = lists.gains(tried)
                if is_better(found, reached, errors=_ERRORS_OF_A_STEP):
                    best, reached = tried, found
        if best is before:
            break
    return best


def with_popularity_for_unknown(
    lists: JudgedLists, weights: ListWeights, usual: float, centre: float
) -> ListWeights:
    """Return the weights with which somebody of whom nothing is known gets the popular, by `usual` at least.

    Those weights are sought by lists of people who decided, among whom popularity may count for nothing, or
    against a candidate, beside the other parts. Left as they are where held-out lists are clearly worse.
    centre: popularity that leaves the level alone.
    """
    missing = usual - weights.theta[TERM["popularity"]]
    if missing <= 0.0:
        return weights
    theta = weights.theta.copy()
    theta[_UNKNOWN] = [-missing * centre, missing]
    tried = replace(weights, theta=theta)
    return weights if is_better(lists.gains(weights), lists.gains(tried), errors=2.0) else tried


def is_better(gains: Float64Array, others: Float64Array, errors: float = 1.0) -> bool:
    """Say whether gains exceed others of the same viewers by more than so many standard errors."""
    if not len(gains):
        return False
    more = gains - others
    error = float(more.std()) / np.sqrt(max(len(more), 1))
    return bool(gains.mean() > others.mean() * _LEAST_BETTER and more.mean() > errors * error)


def _neighbours(now: ListWeights, terms: Sequence[int], usual: Float64Array) -> list[ListWeights]:
    """Return `now` with other weights of these terms."""
    at, found = list(terms), []
    weight = now.theta[at] if now.theta[at].any() else usual[at]
    for share in (*_SHARES, 1.0):
        theta = now.theta.copy()
        theta[at] = share * weight
        if not np.array_equal(theta, now.theta):
            found.append(replace(now, theta=theta))
    part = at[0] - TERM[PARTS[0]]
    for power in _POWERS if 0 <= part < len(PARTS) else ():
        levelled = now.levelled.copy()
        levelled[part] = power
        if power != now.levelled[part]:
            found.append(replace(now, levelled=levelled))
    return found


def _weighted(terms: Float64Array, weights: ListWeights, levellers: Float64Array) -> Float64Array:
    """Return the logits, `(n_viewers, width)`."""
    total = np.zeros(terms.shape[1:])
    first = TERM[PARTS[0]]
    for at in np.flatnonzero(weights.theta):
        term = weights.theta[at] * terms[at]
        power = weights.levelled[at - first] if 0 <= at - first < len(PARTS) else 0.0
        total += term * levellers[at - first] ** power if power else term
    return total


def _log_sigmoid(logits: Float64Array) -> Float64Array:
    return np.asarray(-np.logaddexp(0.0, -logits), np.float64)


def n_mutual(held: Impressions) -> int:
    """Return how many held-out likes are of somebody who likes back."""
    return len(
        _wanted(held, int(max(held.viewers.max(initial=0), held.candidates.max(initial=0))) + 1, True)[0]
    )


def _wanted(held: Impressions, n_people: int, mutual: bool | None = None) -> tuple[Int64Array, Int64Array]:
    """Return viewers and candidates of held-out pairs that like each other, or of all likes if few do."""
    at = held.labels > 0
    i, j = held.viewers[at].astype(np.int64), held.candidates[at].astype(np.int64)
    both = np.isin(j * n_people + i, i * n_people + j)
    if mutual is None:
        mutual = both.sum() >= LEAST_MUTUAL
    return (i[both], j[both]) if mutual else (i, j)


@dataclass(frozen=True, eq=False)
class _DirectedScores:
    """Scores of viewers for candidates, each part once for all weights.

    p_like: `(n_own, n_other)` logits; parts: the same of each part that has columns, by its name.
    """

    own: Int64Array
    other: Int64Array
    person: PersonAffinity
    p_like: npt.NDArray[np.float32]
    parts: dict[str, npt.NDArray[np.float32]]

    @classmethod
    def of(
        cls, own: Int64Array, other: Int64Array, p_like: Directed, person: PersonAffinity
    ) -> "_DirectedScores":
        """Score all pairs of `own` and `other`; who of them leads a list, single precision says."""

        def scores(taste: npt.NDArray[Any], appeal: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
            return taste[own].astype(np.float32) @ appeal[other].astype(np.float32).T

        rows: dict[str, AffinityRows] = {name: getattr(person, name) for name in PARTS}
        parts = {name: scores(part.taste, part.appeal) for name, part in rows.items() if part.taste.size}
        return cls(own, other, person, scores(p_like.taste, p_like.appeal), parts)

    def log_chances(self, weights: ListWeights) -> npt.NDArray[np.float32]:
        """Return the log-chances that `own` come to like `other`, `(n_own, n_other)`."""
        return np.asarray(-np.logaddexp(np.float32(0.0), -self.logits(weights)), np.float32)

    def logits(self, weights: ListWeights) -> npt.NDArray[np.float32]:
        """Return the logits of them, `(n_own, n_other)`."""
        theta, person = weights.theta, self.person
        known = theta[_OF_P_LIKE[0]] + theta[_OF_P_LIKE[1]] * person.known[self.own]
        unknown = person.unknown[self.own]
        level = theta[0] + theta[TERM["activity"]] * person.activity[self.own] + theta[_UNKNOWN[0]] * unknown
        logits = known.astype(np.float32)[:, None] * self.p_like + level.astype(np.float32)[:, None]
        for name, power in zip(PARTS, weights.levelled, strict=True):
            if theta[TERM[name]] and name in self.parts:
                part: AffinityRows = getattr(person, name)
                share = theta[TERM[name]] * part.leveller[self.own] ** power
                logits += share.astype(np.float32)[:, None] * self.parts[name]
        popular = theta[TERM["popularity"]] + theta[_UNKNOWN[1]] * unknown
        logits += popular.astype(np.float32)[:, None] * person.popularity[self.other].astype(np.float32)
        return logits


def _shortlisted(  # noqa: PLR0917
    some: Int64Array,
    pool: Int64Array,
    known: Impressions,
    wanted: tuple[Int64Array, Int64Array],
    p_like: Directed,
    person: PersonAffinity,
    starts: Sequence[ListWeights],
    *,
    one_sided: bool,
) -> tuple[Int64Array, BoolArray, BoolArray]:
    """Return candidates, which are available, and which are wanted, `(n_some, width)` each."""
    n_people = len(p_like)
    row, column = np.full(n_people, -1), np.full(n_people, -1)
    row[some], column[pool] = np.arange(len(some)), np.arange(len(pool))
    shut = np.zeros((len(some), len(pool)), bool)
    for a, b in ((known.viewers, known.candidates), (known.candidates, known.viewers)):
        at = (row[a] >= 0) & (column[b] >= 0)
        shut[row[a[at]], column[b[at]]] = True
    themselves = np.flatnonzero(column[some] >= 0)
    shut[themselves, column[some[themselves]]] = True
    is_wanted = np.zeros_like(shut)
    at = row[wanted[0]] >= 0
    is_wanted[row[wanted[0][at]], column[wanted[1][at]]] = True
    listed = is_wanted & ~shut
    there = _DirectedScores.of(some, pool, p_like, person)
    back = _DirectedScores.of(pool, some, p_like, person)
    recent = np.tile(person.recent_popularity[pool].astype(np.float32), (len(some), 1))
    orders = [
        there.logits(start) if one_sided else there.log_chances(start) + back.log_chances(start).T
        for start in starts
    ]
    parts = [*there.parts.values(), *(scores.T for scores in back.parts.values()), recent]
    every = [(order, _BEST_OF_ALL) for order in orders] + [(part, _BEST_OF_A_PART) for part in parts]
    for order, n in every:
        k = min(n, len(pool))
        first = np.argpartition(np.where(shut, np.float32(np.inf), -order), k - 1, axis=1)[:, :k]
        np.put_along_axis(listed, first, True, axis=1)
    listed &= ~shut
    width = int(listed.sum(axis=1).max(initial=0))
    first = np.argsort(~listed, axis=1, kind="stable")[:, :width]
    available = np.take_along_axis(listed, first, axis=1)
    return pool[first], available, np.take_along_axis(is_wanted, first, axis=1) & available
