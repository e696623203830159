"""How lists and inboxes are read: examination, likes, passes, replies to likes."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from recsys.catalogue.columns import Columns as C
from recsys.data.examination import Examination
from recsys.data.ids import IdIndex
from recsys.errors import InputError, did_you_mean, explained
from recsys.simulation.night_state import DAY, HOUR, NOT_ABUSIVE, DirectedEvents, NightContext, is_among
from recsys.simulation.sampling import Step
from recsys.types import BoolArray, Int64Array


@dataclass(frozen=True, eq=False)
class Exposures:
    """Exposures: viewer and candidate rows, position (1 is the top) and the propensity of the exposure."""

    viewer: Int64Array
    candidate: Int64Array
    position: Int64Array
    propensity: npt.NDArray[np.float64]

    @classmethod
    def of(cls, lists: pd.DataFrame, ids: IdIndex) -> "Exposures":
        """Read lists with viewer_id, candidate_id, rank and perhaps propensity (else 1: no chance in it).

        Raises InputError when a column is missing, a pair stands twice, somebody is shown to
        themself, a rank is not 1 or more, or a propensity is not in (0, 1]; UnknownIdError for ids
        the town does not know.
        """
        for column in (C.VIEWER, C.CANDIDATE, C.RANK):
            if column not in lists:
                remedy = did_you_mean(column, [str(name) for name in lists.columns])
                raise InputError(explained("lists lack a column", got=column, remedy=remedy))
        viewer = ids.rows(lists[C.VIEWER]).astype(np.int64)
        candidate = ids.rows(lists[C.CANDIDATE]).astype(np.int64)
        position = lists[C.RANK].to_numpy(np.int64)
        propensity = (
            lists[C.PROPENSITY].to_numpy(np.float64) if C.PROPENSITY in lists else np.ones(len(lists))
        )
        for wrong, what in (
            (viewer == candidate, "somebody is shown to themself"),
            (position < 1, "a rank is below 1"),
            (~((propensity > 0.0) & (propensity <= 1.0)), "a propensity is not in (0, 1]"),
            (pd.Series(viewer * len(ids) + candidate).duplicated().to_numpy(bool), "a pair stands twice"),
        ):
            if wrong.any():
                at = int(np.flatnonzero(wrong)[0])
                raise InputError(explained(what, where="lists", got=lists.iloc[at].to_dict()))
        return cls(viewer, candidate, position, propensity)

    @classmethod
    def joined(cls, parts: Sequence["Exposures"]) -> "Exposures":
        """Return the exposures of several, one after another."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def __len__(self) -> int:
        return len(self.viewer)

    def take(self, which: npt.NDArray[np.bool_]) -> "Exposures":
        """Return some of the exposures."""
        return Exposures(
            self.viewer[which], self.candidate[which], self.position[which], self.propensity[which]
        )


_LOOK_SECONDS = 40


@dataclass(frozen=True, eq=False)
class _Browsing:
    """What the viewer of each exposure would do: when, and one of like, hide, pass or nothing."""

    opened: Int64Array
    ts: Int64Array
    liked: BoolArray
    hidden: BoolArray
    passed: BoolArray


def browse(context: NightContext, shown: Exposures, at: int) -> DirectedEvents:
    """Log the exposures of opened lists and what follows a look; return the likes.

    A like made before is not made again. Every exposure is logged, looked at or not: the lower a
    place, the less likely the look. Who was passed or hidden by the other earlier on the same night
    is taken off the list before it is opened.
    """
    looks = _browsing(context, shown, at)
    there = ~_refused_before(shown, looks, len(context.people))
    i, j = shown.viewer, shown.candidate
    context.log.add(
        "impression",
        looks.opened[there],
        i[there],
        j[there],
        surface="list",
        position=shown.position[there],
        propensity=shown.propensity[there],
    )
    for kind, does in (("like", looks.liked), ("hide", looks.hidden), ("pass", looks.passed)):
        done = does & there
        context.log.add(kind, looks.ts[done], i[done], j[done], surface="list")
    liked = looks.liked & there
    return DirectedEvents(i[liked], j[liked], looks.ts[liked])


def _browsing(context: NightContext, shown: Exposures, at: int) -> _Browsing:
    s, random = context.funnel, context.random
    i, j = shown.viewer, shown.candidate
    opened = at + (random.uniform(Step.MOMENT, i, i) * (DAY - 4 * HOUR)).astype(np.int64)
    looked = random.uniform(Step.LOOK, i, j) < Examination.of(s.look_decay).at(shown.position)
    bad = context.people.abuse_kind[i] != NOT_ABUSIVE
    p_like = np.where(bad, context.abuse.scripted_like, _p_like(context, i, j))
    liked = looked & (random.uniform(Step.LIKE, i, j) < p_like)
    known = is_among(i * len(context.people) + j, context.night_state.likes)
    cold = looked & ~liked & ~bad & ~known
    hidden = cold & (random.uniform(Step.HIDE, i, j) < s.hides)
    passed = cold & ~hidden & (random.uniform(Step.PASS, i, j) < s.passes)
    ts = opened + _LOOK_SECONDS * shown.position
    return _Browsing(opened=opened, ts=ts, liked=liked & ~known, hidden=hidden, passed=passed)


def _p_like(context: NightContext, i: Int64Array, j: Int64Array) -> npt.NDArray[np.float64]:
    """Return P(like | looked), less for who is in conversations already where the town has that effect."""
    if not context.funnel.busy:
        return context.truth.p_like(i, j)
    return expit(context.truth.logit(i, j) - context.funnel.busy * context.night_state.talking[i])


def _refused_before(shown: Exposures, looks: _Browsing, n: int) -> BoolArray:
    """Say which exposures come after the candidate passed or hid the viewer on the same night."""
    refusing = looks.hidden | looks.passed
    by_other = shown.candidate[refusing] * n + shown.viewer[refusing]
    order = np.argsort(by_other)
    keys: Int64Array = by_other[order]
    when = looks.ts[refusing][order]
    found = np.zeros(len(shown), bool)
    if len(keys):
        own = shown.viewer * n + shown.candidate
        at = np.searchsorted(keys, own).clip(0, len(keys) - 1)
        found = (keys[at] == own) & (when[at] < looks.opened)
    return found


_NIGHTS = 3


def answer_likes(context: NightContext, likes: DirectedEvents, at: int) -> DirectedEvents:
    """Log what becomes of new likes; return the matches, `actor` being who completed the match.

    A like the other has made already, or makes on the same night, is a match at once; the rest wait
    in the inbox of the target for the next day, among those that still lie there.
    """
    n = len(context.people)
    back = likes.back(n)
    before = is_among(back, context.night_state.likes)
    same_night = is_among(back, np.sort(likes.keys(n)))
    at_once = likes.take(before | (same_night & _completes(likes, same_night, n)))
    return _joined(at_once, _read(context, likes.take(~before & ~same_night), at + DAY))


def _completes(likes: DirectedEvents, mutual: npt.NDArray[np.bool_], n: int) -> npt.NDArray[np.bool_]:
    """Of two likes that cross on one night say which one completes the match: the later."""
    order = np.argsort(likes.keys(n))
    other = order[np.searchsorted(likes.keys(n)[order], likes.back(n)).clip(0, max(len(order) - 1, 0))]
    later = (likes.ts > likes.ts[other]) | ((likes.ts == likes.ts[other]) & (likes.actor > likes.target))
    return mutual & later


def _read(context: NightContext, likes: DirectedEvents, tomorrow: int) -> DirectedEvents:
    s, random = context.funnel, context.random
    j, i = likes.target, likes.actor
    logit = context.truth.logit(j, i)
    comes_back = np.where(context.night_state.full[j], 0.0, 1.0 - (1.0 - context.people.opens[j]) ** _NIGHTS)
    rank = _places(context, j, logit)
    examined = random.uniform(Step.READ, j, i) < comes_back * Examination.of(s.inbox_decay).at(rank)
    bad = context.people.abuse_kind[j] != NOT_ABUSIVE
    busy = s.busy * context.night_state.talking[j] if s.busy else 0.0
    p = np.where(bad, context.abuse.scripted_like, expit(logit + s.flattered - busy))
    u = random.uniform(Step.ANSWER, j, i)
    liked, rest = examined & (u < p), examined & (u >= p)
    passed = rest & ~bad & (random.uniform(Step.PASS, j, i, 1) < s.inbox_passes)
    hours = s.answer_hours * np.exp(0.8 * random.normal(Step.ANSWER_TIME, j, i))
    ts = likes.ts + (hours.clip(0.05, 24.0 * 14) * HOUR).astype(np.int64)
    ts = np.maximum(ts, tomorrow + ts % HOUR)
    context.log.add("like", ts[liked], j[liked], i[liked], surface="inbox")
    context.log.add("pass", ts[passed], j[passed], i[passed], surface="inbox")
    return DirectedEvents(j[liked], i[liked], ts[liked])


def _places(
    context: NightContext, owner: Int64Array, logit: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the place of each new like in its inbox, from 1, among new ones and those that wait."""
    waiting = context.night_state.waiting
    still = is_among(waiting.target, np.unique(owner))
    i, j = waiting.actor[still], waiting.target[still]
    among = np.concatenate([logit, context.truth.logit(j, i)])
    return _rank_within(np.concatenate([owner, j]), among)[: len(owner)].astype(np.float64)


def _rank_within(group: Int64Array, score: npt.NDArray[np.float64]) -> Int64Array:
    """Rank scores within each group, best first, from 1.

    >>> _rank_within(np.array([5, 5, 3]), np.array([0.1, 0.2, 0.0])).tolist()
    [2, 1, 1]
    """
    order = np.lexsort((-score, group))
    ordered = group[order]
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - np.searchsorted(ordered, ordered) + 1
    return rank


def _joined(a: DirectedEvents, b: DirectedEvents) -> DirectedEvents:
    return DirectedEvents(
        np.concatenate([a.actor, b.actor]),
        np.concatenate([a.target, b.target]),
        np.concatenate([a.ts, b.ts]),
    )
