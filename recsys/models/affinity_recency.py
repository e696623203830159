"""Recency of decisions: the end of a log left out, and the weight of recent decisions it asks for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np

from recsys.data.unseen_pairs import UnseenPairs
from recsys.models.affinity import TERM, AffinityParts, Closeness, PersonAffinity
from recsys.models.calibration import Platt, fit_level, fit_platt, log_odds
from recsys.models.directed import Directed, sigmoid
from recsys.models.impressions import Impressions
from recsys.models.list_weights import JudgedLists, ListWeights, is_better
from recsys.models.logistic_regression import logistic_regression
from recsys.models.negative_sampling import level_beside, with_sampled_negatives
from recsys.models.stacking import evidence_weight
from recsys.types import BoolArray, Float64Array

LEAST_HELD_OUT: Final = 50
"""Held-out likes below which nothing is learned, and lists are in the order of p_like."""
_LATEST: Final = 0.2
"""Share of the pairs that is the end of a log."""
_LEAST_DAYS: Final = 2.0
"""Days a log covers at least where its times mean anything."""
RECENT: Final = (
    TERM["recent activity of the candidate"],
    TERM["recent popularity"],
    TERM["presence of the candidate"],
)
"""As `AffinityParts.recent` returns them."""
_RECENCIES: Final = (RECENT[:2], RECENT[2:])
"""Terms that are weighed together: how much goes on about somebody, and whether they are still there."""
_MOST_OF_THE_LOG: Final = 0.95
"""Share of the decisions whose time counts as the time a log covers; single dates may be wrong."""
_HALF_LIVES: Final = (1 / 4, 1 / 16, 1 / 64, 1 / 256)
"""Half-lives that are tried, as shares of the time the log covers."""
_RECENCY_WEIGHTS: Final = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_ERRORS: Final = 3.0
"""Standard errors by which a gain at the end exceeds chance, of dozens that are tried."""
_LEAST_GAIN: Final = 1e-9
_MOST_STEPS: Final = 20_000_000
"""Decisions that are followed to find whose circles are joined."""
_KNOWN_PRECISION: Final = 3.0
"""Of what being known adds at the end, around nothing, as at any time."""
_FIRST_PLACES: Final = (10,)
"""Whom recency puts first is told by the first places: in a small world longer lists hold nearly all."""


@dataclass(frozen=True, eq=False)
class HeldOutDecisions:
    """Decisions to judge by, and matrices of P(like | look) that have not seen them.

    known: the decisions that may be learned from, their ages counted to the last of them.
    """

    known: Impressions
    held: Impressions
    p_like: Directed


@dataclass(frozen=True, eq=False)
class HeldOutAffinity:
    """Decisions to judge by, and who comes across whom as far as what is known then says."""

    decisions: HeldOutDecisions
    parts: AffinityParts
    person: PersonAffinity

    def judged(self, starts: Sequence[ListWeights], *, mutual: bool | None = None) -> JudgedLists:
        """Return the lists that held-out likes judge; see `JudgedLists.of`."""
        one = self.decisions
        return JudgedLists.of(one.known, one.held, one.p_like, self.person, starts, mutual=mutual)

    def only(self, mask: BoolArray) -> "HeldOutAffinity":
        """Return the same with the held-out decisions where the mask is true."""
        return replace(self, decisions=replace(self.decisions, held=self.decisions.held.take(mask)))

    def as_recent(self, half_life: float) -> "HeldOutAffinity":
        """Return the same with recent activity and popularity of this half-life, in days."""
        activity, popularity, presence = self.recent(half_life)
        person = replace(
            self.person, recent_activity=activity, recent_popularity=popularity, presence=presence
        )
        return replace(self, person=person)

    def recent(self, half_life: float) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Return recent activity, recent popularity and presence of this half-life, in days."""
        parts = replace(self.parts, half_life=half_life)
        return parts.recent(self.decisions.known, len(self.decisions.p_like))

    def with_closeness(self, closeness: Closeness) -> "HeldOutAffinity":
        """Return the same with what common neighbours add to P(like | look)."""
        p_like = closeness.added_to(self.decisions.p_like, self.person)
        return replace(self, decisions=replace(self.decisions, p_like=p_like))


def latest_held_out(
    decisions: Impressions, fitted: Callable[[Impressions], Directed]
) -> HeldOutDecisions | None:
    """Return the latest pairs, and the matrices of P(like | look) of what was known before them.

    fitted: learns those matrices from fewer decisions. None where the log covers less than two days, as
    where its rows have no times, or too few pairs are late.
    """
    if len(decisions) < LEAST_HELD_OUT or float(np.ptp(decisions.first_age)) < _LEAST_DAYS:
        return None
    days = float(np.quantile(decisions.first_age, _LATEST))
    early = decisions.first_age >= days
    held = ~early & ~decisions.same_pairs(decisions.take(early))
    if held.sum() < LEAST_HELD_OUT:
        return None
    known = decisions.take(early)
    # what a pair did after the cut is not known then
    age = np.where(known.age < days, known.first_age, known.age) - days
    known = replace(known, age=age, first_age=known.first_age - days)
    return HeldOutDecisions(known, decisions.take(held), fitted(known))


def line_at_the_end(latest: HeldOutDecisions | None) -> Platt:
    """Return the line to what held at the end of a log; the identity without an end, see `latest_held_out`.

    A rate of likes that changes with time may as well change back: between what held on average and what held
    last, neither is the better forecast. So the level goes back half of the way, in logits, towards the rate
    of the whole log, as far as that change explains what was wrong with the chances. Whatever else was wrong
    with chances of the future (they were too sure, or too high for people who come late) is believed wholly.

    How sure chances may be is asked of pairs both of whom are known, each as far as it is: where candidates
    come one after another, the end is of new ones, whom nothing tells apart, and says nothing of the others.
    """
    if latest is None:
        return Platt()
    logits = latest.p_like.logits(latest.held.viewers, latest.held.candidates)
    known, held = latest.known.labels, latest.held.labels
    slope = fit_platt(logits, held, _both_known(latest)).slope
    end, whole = _smoothed_rate(held), _smoothed_rate(np.concatenate([known, held]))
    said = float(np.clip(sigmoid(logits).mean(), min(end, whole), max(end, whole)))
    level = fit_level(slope * logits, held)
    return Platt(slope, level + 0.5 * (log_odds(said) - log_odds(end)))


def known_candidates_at_the_end(latest: HeldOutDecisions | None, line: Platt) -> tuple[float, float]:
    """Return what being fully known adds to the logits of a candidate, 0 or less, and how known they were.

    Where lists follow what was said, who is passed on first is hardly shown again: candidates of few
    decisions are those about whom these were passes, and being known seems to say more than it does. What was
    known before late decisions does not depend on what these were, so it tells how much of that to take back.
    0 and 0 without an end, see `latest_held_out`. line: of the logits, see `line_at_the_end`.
    """
    if latest is None:
        return 0.0, 0.0
    received = np.bincount(latest.known.candidates, minlength=len(latest.p_like)).astype(np.float64)
    known = evidence_weight(received)[latest.held.candidates]
    usual, logits = float(known.mean()), latest.p_like.logits(latest.held.viewers, latest.held.candidates)
    found = logistic_regression(
        (known - usual)[None, :],
        latest.held.labels,
        np.ones(len(known)),
        offset=line.logits(logits),
        mean=np.zeros(1),
        precision=np.array([_KNOWN_PRECISION]),
    )
    return min(float(found[0]), 0.0), usual


def _both_known(latest: HeldOutDecisions) -> Float64Array:
    """Return how well both people of the held-out pairs are known, `(n_pairs,)` from 0 to 1."""
    known, held, n_people = latest.known, latest.held, len(latest.p_like)
    given, received = (
        evidence_weight(np.bincount(own, minlength=n_people).astype(np.float64))[at]
        for own, at in ((known.viewers, held.viewers), (known.candidates, held.candidates))
    )
    return np.asarray(np.sqrt(given * received) * _of_one_circle(latest), np.float64)


def _of_one_circle(latest: HeldOutDecisions) -> Float64Array:
    """Say whether somebody who decided about the candidate had decided about anybody whom the viewer had.

    `(n_pairs,)`, 1 or 0. Two who are known from circles apart, as from two seasons, know nothing of each
    other. 1 for all pairs of a log in which that takes long to find: there circles are joined.
    """
    from scipy.sparse import csr_array

    known, held, n_people = latest.known, latest.held, len(latest.p_like)
    pairs = (np.ones(len(known)), (known.viewers, known.candidates))
    decided = csr_array(pairs, shape=(n_people, n_people))
    received = np.bincount(known.candidates, minlength=n_people)
    work = np.bincount(known.viewers, received[known.candidates], n_people)[held.viewers]
    if work.sum() > _MOST_STEPS:
        return np.ones(len(held))
    beside = csr_array(decided[held.viewers] @ decided.T)
    of_candidate = csr_array(decided.T)[held.candidates]
    return np.asarray(beside.multiply(of_candidate).sum(axis=1)).ravel().astype(bool).astype(np.float64)


def line_beside_unseen(
    latest: HeldOutDecisions | None, decisions: Impressions, per_like: float, rng: np.random.Generator
) -> Platt:
    """Return the line to chances of likes beside drawn pairs, as they were at the end of a log of likes.

    decisions: of the whole log; who met in it is not drawn. How many pairs are drawn beside a like does not
    change with time, so all of the line is believed. The identity without an end, see `latest_held_out`.
    """
    if latest is None or not per_like:
        return Platt()
    unseen = UnseenPairs.of(decisions.viewers, decisions.candidates)
    held = with_sampled_negatives(latest.held, per_like, rng, unseen=unseen)
    line = fit_platt(latest.p_like.logits(held.viewers, held.candidates), held.labels)
    return line.then(level_beside(held.labels, per_like))


def _smoothed_rate(labels: Float64Array) -> float:
    """Return the share of ones, of one more label that is half a one."""
    return float((labels.sum() + 0.5) / (len(labels) + 1.0))


def with_recency(choice: ListWeights, splits: Sequence[HeldOutAffinity]) -> tuple[ListWeights, float]:
    """Return `choice` with a weight of recent decisions or of presence, and their half-life in days.

    splits: first the end of the log, then pairs of any time.
    What, weight and half-life are those that help lists of the end most, less what they cost lists of pairs
    of any time. 0 where no gain at the end exceeds chance.
    """
    span = float(np.quantile(splits[0].decisions.known.first_age, _MOST_OF_THE_LOG))
    found: dict[tuple[tuple[int, ...], float, float], list[Float64Array]] = {}
    for split, terms in product(splits, _RECENCIES):
        recent = {share: _recent(split, terms, share * span) for share in _HALF_LIVES}
        lately = replace(split.person, recent_popularity=recent[_HALF_LIVES[1]])
        lists = replace(split, person=lately).judged([choice])
        for share, amount in recent.items():
            for weight in _RECENCY_WEIGHTS:
                more = weight * (amount - _usual(amount, split))
                gains = lists.gains(choice, more, depths=_FIRST_PLACES)
                found.setdefault((terms, weight, share), []).append(gains)

    def none(key: tuple[tuple[int, ...], float, float]) -> list[Float64Array]:
        return found[key[0], 0.0, _HALF_LIVES[0]]

    def worth(key: tuple[tuple[int, ...], float, float]) -> float:
        end, *others = (
            float(np.log(max(gain.mean(), _LEAST_GAIN) / max(base.mean(), _LEAST_GAIN)))
            for gain, base in zip(found[key], none(key), strict=True)
        )
        return end + float(np.mean(others))

    better = [key for key in found if is_better(found[key][0], none(key)[0], errors=_ERRORS)]
    best = max(better, key=worth, default=(RECENT, 0.0, 1.0))
    if not better or worth(best) <= 0.0:
        return choice, 1.0
    terms, weight, half_life = best[0], best[1], best[2] * span
    theta = choice.theta.copy()
    theta[list(terms)] = weight
    theta[TERM["level"]] -= weight * _usual(_recent(splits[0], terms, half_life), splits[0])
    return replace(choice, theta=theta), half_life


def _recent(split: HeldOutAffinity, terms: tuple[int, ...], half_life: float) -> Float64Array:
    """Return the sum of some of `RECENT`, `(n_people,)`."""
    amounts = dict(zip(RECENT, split.recent(half_life), strict=True))
    return np.asarray(np.sum([amounts[term] for term in terms], axis=0), np.float64)


def _usual(recent: Float64Array, split: HeldOutAffinity) -> float:
    """Return what those who were decided about have of it, so that a great weight leaves the level alone.

    Else chances of many candidates come so near to 1 that they cannot be told apart.
    """
    return float(recent[split.decisions.known.candidates].mean())
