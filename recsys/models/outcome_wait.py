"""Outcomes of which one is known later than the other, as the silence after a message is than an answer."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from recsys.models.impressions import Impressions
from recsys.types import BoolArray, Float64Array, Int64Array

_LEAST_OUTCOMES: Final = 50
"""Of either kind, below which nothing is told."""
_CLEARLY_LATER: Final = 0.8
"""Chance that an answer of the one kind took longer than one of the other, from which it is known later."""
_LEAST_TOGETHER: Final = 0.5
"""Share of the later replies that are given after one and the same wait, as silences are."""
_LEAST_DAYS, _STEP, _MOST_OF_LOG = 1.0 / 24.0, 1.25, 0.25
_WIDTH: Final = 0.25
"""Half of the days around a wait in which decisions are counted, as a share of it."""
_NEARBY: Final = np.linspace(0.75, 1.5, 26)
"""Times a wait beside which it may lie after all."""
_WIDTHS: Final = np.array([0.25, 0.12, 0.06, 0.03])
"""Of the days counted there, as shares: what is near counts most."""
_LEAST_Z, _LEAST_RATIO = 4.0, 1.2
"""How clearly, and how many times as often, decisions lie a wait apart as together or the other way."""
_MOST_ROWS: Final = 50_000


@dataclass(frozen=True, eq=False)
class OutcomeWait:
    """When pairs were asked, where one outcome is known later than the other.

    asked_age: `(n_decisions,)` days from then to the latest event of the log, at least `first_age`.
    days: after which either outcome of nearly all pairs is known; 0 where both are known at once.
    """

    asked_age: Float64Array
    days: float = 0.0

    @property
    def complete(self) -> BoolArray:
        """Which pairs were asked so early that their outcome would be known whatever it was."""
        return self.asked_age >= self.days


def outcome_wait(decisions: Impressions) -> OutcomeWait:
    """Return when pairs were asked, as far as a log of answers tells that one of them is known later.

    A like that is answered tells when the other was asked, see `_since_like`; else the times of the answers
    of each person, see `_later_by`. Where both outcomes are known alike, pairs were asked when they answered.
    """
    labels, first = decisions.labels > 0, decisions.first_age
    since = _since_like(decisions)
    replies, asked, days = np.isfinite(since), first.copy(), 0.0
    later = _later_reply(since[replies], labels[replies])
    if later is None:
        replies[:] = False
    else:
        asked[replies] += since[replies]
        days = _usual(since[replies & (labels == later)])[0]
    rest = decisions if later is None else decisions.take(~replies)
    shift = _later_by(rest)
    if shift:
        asked[~replies & (labels == (shift < 0))] += abs(shift)
    return OutcomeWait(asked, max(days, abs(shift)))


def _since_like(decisions: Impressions) -> Float64Array:
    """Return the days from a like by the candidate to the decision that came after it, NaN without one."""
    back = decisions.reverse()
    liked = back.sums(decisions.labels) > 0
    since = back.sums(decisions.labels * decisions.first_age) - decisions.first_age
    return np.where(liked & (since > 0), since, np.nan)


def _later_reply(since: Float64Array, labels: BoolArray) -> bool | None:
    """Say which of both replies takes clearly longer, True of a like; None if neither does."""
    yes, no = np.sort(since[labels]), np.sort(since[~labels])
    if min(len(yes), len(no)) < _LEAST_OUTCOMES:
        return None
    below = np.searchsorted(yes, no, "left") + np.searchsorted(yes, no, "right")
    yes_later = 1.0 - float(below.mean()) / (2.0 * len(yes))
    later = yes_later > 0.5
    if max(yes_later, 1.0 - yes_later) < _CLEARLY_LATER or _usual(yes if later else no)[1] < _LEAST_TOGETHER:
        return None
    return later


def _usual(since: Float64Array) -> tuple[float, float]:
    """Return the usual one of some days, and the share of them that lie about it."""
    usual = float(np.median(since))
    return usual, float(np.mean(np.abs(since - usual) <= _WIDTH * usual))


def _later_by(decisions: Impressions) -> float:
    """Return the days by which passes are known later than likes, below 0 where likes are; 0 for neither.

    People do things in spells. What they are asked in one and answer alike lies together, and no time apart
    holds more pairs of a like and a pass of one person than none, by the inequality of Cauchy and Schwarz.
    Where passes wait, they lie so much later than the likes of their spell, and seldomer twice as much later,
    or sooner; of those who grow choosy, passes lie the later the more. People count alike, as viewers and as
    candidates, and as clusters.
    """
    some = _of_few(decisions)
    likes, days = some.labels > 0, float(np.ptp(some.first_age)) if len(some) else 0.0
    if min(likes.sum(), (~likes).sum()) < _LEAST_OUTCOMES or days <= 0.0:
        return 0.0
    apart = _DaysApart.of(some, days)
    waits = _LEAST_DAYS * _STEP ** np.arange(
        np.log(max(_MOST_OF_LOG * days / _LEAST_DAYS, 1.0)) / np.log(_STEP)
    )
    found = max(np.concatenate([waits, -waits]), key=apart.clearly, default=0.0)
    found = apart.mode(found) if apart.clearly(found) > _LEAST_Z else 0.0
    return found if found and apart.clearly(found) > _LEAST_Z else 0.0


def _of_few(decisions: Impressions) -> Impressions:
    """Return the decisions of so many viewers that there are not more than it takes to tell."""
    every = -(-len(decisions) // _MOST_ROWS)
    return decisions if every <= 1 else decisions.take(decisions.viewers % every == 0)


@dataclass(frozen=True, eq=False)
class _DaysApart:
    """Days from the likes to the passes of one person, as a viewer or as a candidate.

    likes: ascending times, `(2 n_likes,)`, each person's after another's. passes: `(2 n_passes,)` in the same
    times. owner: `(2 n_passes,)` whose passes they are. size: of each person's decisions. days: of the log.
    """

    likes: Float64Array
    passes: Float64Array
    owner: Int64Array
    size: Int64Array
    days: float

    @classmethod
    def of(cls, decisions: Impressions, days: float) -> "_DaysApart":
        n_people = int(max(decisions.viewers.max(), decisions.candidates.max())) + 1
        owner = np.concatenate([decisions.viewers, decisions.candidates + n_people]).astype(np.int64)
        time = np.asarray(3.0 * days * owner - np.tile(decisions.first_age, 2), np.float64)
        like = np.tile(decisions.labels > 0, 2)
        order = np.argsort(time[~like], kind="stable")
        return cls(np.sort(time[like]), time[~like][order], owner[~like][order], np.bincount(owner), days)

    def counts(self, by: float, width: float) -> Float64Array:
        """Return how many likes lie `by` days before each pass, give or take the width, `(2 n_passes,)`.

        More by the share of the log in which none can lie, since it begins and ends.
        """
        middle = self.passes - by
        first = np.searchsorted(self.likes, middle - width)
        found = np.searchsorted(self.likes, middle + width, "right") - first
        return found / (1.0 - min(abs(by) / self.days, 0.9))

    def clearly(self, wait: float) -> float:
        """Return how clearly more lie a wait apart than together, twice as far, or the other way: least z."""
        if not wait:
            return 0.0
        there, *beside = (self.counts(by * wait, _WIDTH * abs(wait)) for by in (1.0, -1.0, 0.0, 2.0))
        if there.sum() < _LEAST_RATIO * max(one.sum() for one in beside):
            return 0.0
        return min(self.z(there - one) for one in beside)

    def z(self, more: Float64Array) -> float:
        """Return how far what passes have more of lies above 0, in standard errors of people."""
        each = np.bincount(self.owner, more, len(self.size)) / np.maximum(self.size, 1)
        return float(each.sum() / max(np.sqrt(each @ each), 1e-9))

    def mode(self, by: float) -> float:
        """Return the days apart that are most often, each person's as one, at or beside `by`."""
        near, weight = by * _NEARBY, 1.0 / self.size[self.owner]
        widths = abs(by) * _WIDTHS
        often = [sum(weight @ self.counts(one, width) / width for width in widths) for one in near]
        return float(near[int(np.argmax(often))])
