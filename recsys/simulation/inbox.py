"""Likes arrive; the inbox is read from the most liked down, and some are liked back."""

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from recsys.simulation.chance import Step
from recsys.simulation.directed import Directed, is_among
from recsys.simulation.residents import GOOD
from recsys.simulation.scene import DAY, HOUR, Rows, Scene

_NIGHTS = 3


def answer_likes(scene: Scene, likes: Directed, at: int) -> Directed:
    """Log what becomes of new likes; return the matches, `actor` being who completed the match.

    A like the other has made already, or makes on the same night, is a match at once; the rest wait
    in the inbox of the target for the next day, among those that still lie there.
    """
    n = len(scene.people)
    back = likes.back(n)
    before = is_among(back, scene.standing.likes)
    same_night = is_among(back, np.sort(likes.keys(n)))
    at_once = likes.take(before | (same_night & _completes(likes, same_night, n)))
    return _joined(at_once, _read(scene, likes.take(~before & ~same_night), at + DAY))


def _completes(likes: Directed, mutual: npt.NDArray[np.bool_], n: int) -> npt.NDArray[np.bool_]:
    """Of two likes that cross on one night say which one completes the match: the later."""
    order = np.argsort(likes.keys(n))
    other = order[np.searchsorted(likes.keys(n)[order], likes.back(n)).clip(0, max(len(order) - 1, 0))]
    later = (likes.ts > likes.ts[other]) | ((likes.ts == likes.ts[other]) & (likes.actor > likes.target))
    return mutual & later


def _read(scene: Scene, likes: Directed, tomorrow: int) -> Directed:
    s, chance = scene.funnel, scene.chance
    j, i = likes.target, likes.actor
    logit = scene.truth.logit(j, i)
    comes_back = np.where(scene.standing.full[j], 0.0, 1.0 - (1.0 - scene.people.opens[j]) ** _NIGHTS)
    rank = _places(scene, j, logit)
    examined = chance.uniform(Step.READ, j, i) < comes_back * rank**-s.inbox_decay
    bad = scene.people.harm[j] != GOOD
    p = np.where(bad, scene.trouble.scripted_like, expit(logit + s.flattered))
    u = chance.uniform(Step.ANSWER, j, i)
    liked, rest = examined & (u < p), examined & (u >= p)
    passed = rest & ~bad & (chance.uniform(Step.PASS, j, i, 1) < s.inbox_passes)
    hours = s.answer_hours * np.exp(0.8 * chance.normal(Step.ANSWER_TIME, j, i))
    ts = likes.ts + (hours.clip(0.05, 24.0 * 14) * HOUR).astype(np.int64)
    ts = np.maximum(ts, tomorrow + ts % HOUR)
    scene.log.add("like", ts[liked], j[liked], i[liked], surface="inbox")
    scene.log.add("pass", ts[passed], j[passed], i[passed], surface="inbox")
    return Directed(j[liked], i[liked], ts[liked])


def _places(scene: Scene, owner: Rows, logit: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the place of each new like in its inbox, from 1, among new ones and those that wait."""
    waiting = scene.standing.waiting
    still = is_among(waiting.target, np.unique(owner))
    i, j = waiting.actor[still], waiting.target[still]
    among = np.concatenate([logit, scene.truth.logit(j, i)])
    return _rank_within(np.concatenate([owner, j]), among)[: len(owner)].astype(np.float64)


def _rank_within(group: Rows, score: npt.NDArray[np.float64]) -> Rows:
    """Rank scores within each group, best first, from 1.

    >>> _rank_within(np.array([5, 5, 3]), np.array([0.1, 0.2, 0.0])).tolist()
    [2, 1, 1]
    """
    order = np.lexsort((-score, group))
    ordered = group[order]
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - np.searchsorted(ordered, ordered) + 1
    return rank


def _joined(a: Directed, b: Directed) -> Directed:
    return Directed(
        np.concatenate([a.actor, b.actor]),
        np.concatenate([a.target, b.target]),
        np.concatenate([a.ts, b.ts]),
    )
