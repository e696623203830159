"""Calibration by time: the end of a log is left out, and says what chances of the future are worth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from recsys.data.unseen_pairs import UnseenPairs
from recsys.models.calibration import Platt, fit_level, fit_platt, log_odds
from recsys.models.directed import Directed, sigmoid
from recsys.models.impressions import Impressions
from recsys.models.logistic_regression import logistic_regression
from recsys.models.negative_sampling import level_beside, with_sampled_negatives
from recsys.models.outcome_wait import OutcomeWait, outcome_wait
from recsys.models.stacking import KnownCandidates, evidence_weight
from recsys.types import Float64Array, Int32Array, Int64Array

LEAST_HELD_OUT: Final = 50
"""Held-out likes below which nothing is learned, and lists are in the order of p_like."""
_LATEST: Final = 0.2
"""Share of the pairs that is the end of a log."""
_LEAST_DAYS: Final = 1.0 / 24.0
"""Days a log covers at least where its times mean anything: rows written at one go are as good as untimed."""
_MOST_STEPS: Final = 20_000_000
"""Decisions that are followed to find whose circles are joined."""
_KNOWN_PRECISION: Final = 3.0
"""Of what late pairs add to what was learned, around nothing."""
_LEAST_INFORMATION: Final = 1e-9
_USUAL_LASTING: Final = 0.5
"""Share of a change that is believed where nothing tells whether it lasts."""
_LASTING_PRECISION: Final = 4.0
"""Of the share of a change of the rate that lasts, around half of it."""
_STEADY: Final = 1.5
"""Share of a change that is to come where the rate changes steadily, about: no more is forecast."""
_USUAL_SURPRISE: Final = 0.1
"""Logits by which the rate of a piece of a log usually misses its forecast, as of one more piece."""
_PIECES: Final = 8
_ENDS: Final = 3
"""Ends of a log, one before the other, that are asked whether what one says holds of another."""
_OF_CANDIDATES, _OF_BOTH, _OF_VIEWERS = 0.8**2, 1.0, 0.3**2
"""Variances around 0 of what being known adds: to candidates alone, to whoever is known, to viewers alone."""
_BETWEEN_ENDS: Final = np.array([0.05, 0.1, 0.2, 0.35, 0.6, 1.0, 1.5])
"""Standard deviations between ends that are weighed."""
_USUAL_BETWEEN: Final = 0.5
"""Of them; the prior is half a normal."""
_LEAST_KNOWN: Final = 0.1
"""Share of the late pairs whose candidates may be less known than what is said of being known reaches."""


class EarlyFit(NamedTuple):
    """Matrices of P(like | look), and what the viewers' selectivity adds to them, `(n_people,)` logits.

    selectivity: none of its own where None.
    """

    p_like: Directed
    selectivity: Float64Array | None = None


@dataclass(frozen=True, eq=False)
class HeldOutDecisions:
    """Decisions to judge by, and matrices of P(like | look) that have not seen them.

    known: the decisions that may be learned from, their ages counted to the last of them.
    selectivity: see `EarlyFit`. asked_age: of the known ones, and wait: see `OutcomeWait`.
    """

    known: Impressions
    held: Impressions
    p_like: Directed
    selectivity: Float64Array | None = None
    wait: OutcomeWait | None = None


def latest_held_out(
    decisions: Impressions, fitted: Callable[[Impressions], EarlyFit], wait: OutcomeWait | None = None
) -> HeldOutDecisions | None:
    """Return the latest pairs, and the matrices of P(like | look) of what was known before them.

    Where one outcome is known later than the other, pairs that were asked before the cut and whose outcome
    waits there are neither known nor judged: they are passes of those who were active before it, as
    candidates and as viewers alike, and say nothing of pairs to come. Nor are pairs asked so late that
    one of both outcomes alone is known of them.

    fitted: learns those matrices from fewer decisions. wait: when the pairs were asked, found where None.
    None where the log covers less than an hour, as where its rows have no times, or too few pairs are late.
    """
    if len(decisions) < LEAST_HELD_OUT or float(np.ptp(decisions.first_age)) < _LEAST_DAYS:
        return None
    wait = outcome_wait(decisions) if wait is None else wait
    if not wait.complete.any():
        return None
    days = float(np.quantile(wait.asked_age[wait.complete], _LATEST))
    early = decisions.first_age >= days
    held = wait.complete & (wait.asked_age < days) & ~decisions.same_pairs(decisions.take(early))
    if held.sum() < LEAST_HELD_OUT:
        return None
    known, before = decisions.take(early), replace(wait, asked_age=wait.asked_age[early] - days)
    # what a pair did after the cut is not known then
    age = np.where(known.age < days, known.first_age, known.age) - days
    known = replace(known, age=age, first_age=known.first_age - days)
    return HeldOutDecisions(known, decisions.take(held), *fitted(known), before)


def line_at_the_end(latest: HeldOutDecisions | None) -> Platt:
    """Return the line to what held at the end of a log; the identity without an end, see `latest_held_out`.

    A rate of likes that changes with time may go on or change back. So of a change that explains what was
    wrong with the chances the level takes the share that lasted in the log so far, see `lasting_share`.
    Whatever else was wrong with chances of the future (they were too sure, or too high for people who come
    late) is believed wholly.

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
    in_order = known[np.argsort(-latest.known.first_age, kind="stable")]
    lasting = lasting_share(np.concatenate([in_order, held]))
    return Platt(slope, level + (1.0 - lasting) * (log_odds(said) - log_odds(end)))


def lasting_share(labels: Float64Array) -> float:
    """Return which share of a change of the rate of likes is left when as many decisions follow, 0 to 1.5.

    labels: `(n_decisions,)` of a log in the order of time. The log is cut where a fifth, then a fifth of what
    is left, is later, and so on: each time the rate of the last fifth lies so far from the rate of all that
    was known, and the share is the regression of what came next on that. 1 is a change that stays, above it
    one that goes on, 0 one that goes back; half of it but for what is beyond a standard error of that, so
    where a log is too short, too even or too restless to tell.

    >>> lasting_share(np.tile([0.0, 1.0], 500))
    0.5
    >>> ever_more = np.arange(4000) % 20 < np.linspace(4, 16, 4000)
    >>> round(lasting_share(ever_more.astype(float)), 1)
    1.5
    """
    ends = np.unique(np.round(len(labels) * (1.0 - _LATEST) ** np.arange(_PIECES)).astype(np.int64))
    total = np.concatenate([[0.0], np.cumsum(labels)])

    def rates(first: Int64Array, last: Int64Array) -> Float64Array:
        share = (total[last] - total[first] + 0.5) / (last - first + 1.0)
        return np.log(share) - np.log1p(-share)

    before, now, then = ends[:-2], ends[1:-1], ends[2:]
    whole = rates(np.zeros_like(now), now)
    changed, left = rates(before, now) - whole, rates(now, then) - whole
    size = max(float(changed @ changed), _LEAST_INFORMATION)
    found = float(changed @ left) / size
    surprise = (float(np.sum((left - found * changed) ** 2)) + _USUAL_SURPRISE**2) / max(len(now), 1)
    evidence = size / surprise
    precision = _LASTING_PRECISION + evidence
    away = evidence * (found - _USUAL_LASTING) / precision
    clearly = max(abs(away) - 1.0 / np.sqrt(precision), 0.0)
    return float(np.clip(_USUAL_LASTING + np.copysign(clearly, away), 0.0, _STEADY))


class LateEffect(NamedTuple):
    """What a feature of late pairs adds to their logits, as they alone say it, and its variance."""

    estimate: float = 0.0
    variance: float = 1.0 / _LEAST_INFORMATION

    @property
    def shrunken(self) -> float:
        """What it adds, around nothing."""
        return self.estimate / (1.0 + _KNOWN_PRECISION * self.variance)


def earlier_ends(
    latest: HeldOutDecisions | None, fitted: Callable[[Impressions], EarlyFit]
) -> list[HeldOutDecisions]:
    """Return the ends of what was known before the end of a log, and before that, the latest first.

    fitted: see `latest_held_out`.
    """
    ends: list[HeldOutDecisions] = []
    while latest is not None and len(ends) < _ENDS - 1:
        latest = latest_held_out(latest.known, fitted, latest.wait)
        if latest is not None:
            ends.append(latest)
    return ends


def candidates_at_the_end(
    latest: HeldOutDecisions | None, line: Platt, earlier: Sequence[HeldOutDecisions] = ()
) -> KnownCandidates:
    """Return what late pairs say of candidates of whom much, little and nothing was known before.

    Where lists follow what was said, who is passed on first is hardly shown again: candidates of few
    decisions are those about whom these were passes, and being known seems to say more than it does. And
    where candidates come one after another, each kind in its time, how often a viewer said yes may be what
    was decided about, and tell nothing of those who come next. What was known before late decisions does not
    depend on what these were, so it tells how much of either to take back, or to add, as far as errors in
    clusters of people allow. Selectivity counts for nothing at the least, and never the other way round. What
    being known adds is believed as far as earlier ends confirm it and it is not common to both sides, see
    `_of_candidates_alone`.

    Nothing without an end, see `latest_held_out`. line: of the logits, see `line_at_the_end`. earlier: see
    `earlier_ends`.
    """
    if latest is None:
        return KnownCandidates()
    held = latest.held
    known = _known(latest.known.candidates, held.candidates, len(latest.p_like))
    least = float(np.quantile(known, _LEAST_KNOWN))
    as_known = np.maximum(known, least)
    usual = float(as_known.mean())
    logits = line.logits(latest.p_like.logits(held.viewers, held.candidates))
    ends = [_both_sides(latest, line), *(_both_sides(end, line_at_the_end(end)) for end in earlier)]
    added = _of_candidates_alone(ends)
    unknown = 1.0 - known
    if latest.selectivity is None or not unknown.any():
        return KnownCandidates(added, usual, least)
    selectivity = line.slope * latest.selectivity[held.viewers]
    middle = float(unknown @ selectivity / unknown.sum())
    logits = logits + added * (as_known - usual)
    share = _late_effect(unknown * (selectivity - middle), latest, logits).shrunken
    return KnownCandidates(added, usual, least, max(share, -1.0), middle)


def _known(before: Int32Array, at: Int32Array, n_people: int) -> Float64Array:
    """Return how well people at the rows `at` are known by decisions before, `(n_pairs,)` from 0 to 1."""
    return evidence_weight(np.bincount(before, minlength=n_people).astype(np.float64))[at]


def _both_sides(end: HeldOutDecisions, line: Platt) -> tuple[LateEffect, LateEffect]:
    """Return what being known adds to candidates, and to viewers, at an end of a log."""
    known, held, n_people = end.known, end.held, len(end.p_like)
    logits, found = line.logits(end.p_like.logits(held.viewers, held.candidates)), []
    for before, at in ((known.candidates, held.candidates), (known.viewers, held.viewers)):
        as_known = _known(before, at, n_people)
        as_known = np.maximum(as_known, np.quantile(as_known, _LEAST_KNOWN))
        found.append(_late_effect(as_known - as_known.mean(), end, logits))
    return found[0], found[1]


def _of_candidates_alone(ends: Sequence[tuple[LateEffect, LateEffect]]) -> float:
    """Return what being known adds to candidates, as far as ends of a log confirm it, in logits.

    Ends differ by chance and as times change. So each is a draw around what they have in common, see
    `_in_common`. And where a no is known later than a yes, as the silence after a message is, decisions that
    wait at the cut are passes of those who were active before it, as candidates and as viewers alike, and say
    nothing of decisions to come. So of what is added to candidates, as much is taken back as is added to
    viewers too; never more than all of it.

    ends: of candidates and of viewers, see `_both_sides`.
    """
    candidates, viewers = zip(*ends, strict=True)
    of_candidates, of_viewers = np.repeat([[[1.0, 1.0, 0.0]], [[0.0, 1.0, 1.0]]], len(ends), axis=1)
    whole = float(_in_common(candidates, of_candidates)[:2].sum())
    found = _in_common([*candidates, *viewers], np.vstack([of_candidates, of_viewers]))[0]
    return float(np.clip(found, min(whole, 0.0), max(whole, 0.0)))


def _in_common(effects: Sequence[LateEffect], of: Float64Array) -> Float64Array:
    """Return what is added to candidates alone, to both sides and to viewers alone, `(3,)` posterior means.

    effects: of ends of a log, each a draw around a sum of the three, with a variance between ends that is
    weighed by how well it explains them. of: `(n_effects, 3)` which of the three each is a sum of.
    """
    means, variances = (np.array(one) for one in zip(*effects, strict=True))
    to_effects = np.diag([_OF_CANDIDATES, _OF_BOTH, _OF_VIEWERS]) @ of.T
    fits, modes = [], []
    for between in _BETWEEN_ENDS:
        covariance = of @ to_effects + np.diag(variances + between**2)
        pull = np.linalg.solve(covariance, means)
        fits.append(-0.5 * (np.linalg.slogdet(covariance)[1] + means @ pull))
        modes.append(to_effects @ pull)
    prior = np.log(np.gradient(_BETWEEN_ENDS)) - 0.5 * (_BETWEEN_ENDS / _USUAL_BETWEEN) ** 2
    weight = np.exp(np.array(fits) - max(fits) + prior)
    return np.asarray(weight @ np.array(modes) / weight.sum(), np.float64)


def _late_effect(feature: Float64Array, latest: HeldOutDecisions, logits: Float64Array) -> LateEffect:
    """Return what a feature of the late pairs adds to their logits, beside any level.

    feature, logits: `(n_pairs,)`. Pairs of one viewer and pairs of one candidate err together, so all pairs
    count for as much less as the variance of the score where the feature adds nothing, with errors in such
    clusters, exceeds that of independent pairs: from one candidate, whoever decided, little is learned.

    Source: Cameron, Gelbach and Miller, "Robust inference with multiway clustering", Journal of Business and
    Economic Statistics 29 (2011) 238-249.
    """
    held, n_people = latest.held, len(latest.p_like)
    ones = np.ones(len(feature))

    def mode(features: Float64Array, precision: Sequence[float]) -> Float64Array:
        mean, beside = np.zeros(len(features)), np.array(precision)
        return logistic_regression(features, held.labels, ones, offset=logits, mean=mean, precision=beside)

    def curved(added: Float64Array) -> tuple[Float64Array, Float64Array, float]:
        p = sigmoid(logits + added)
        curve = p * (1.0 - p)
        centred = feature - curve @ feature / curve.sum()
        return p, centred, float(curve @ centred**2)

    p, centred, information = curved(mode(ones[None, :], [0.0])[0] * ones)
    errors, owners = centred * (held.labels - p), (held.viewers, held.candidates)
    variance = sum(float(np.sum(np.bincount(own, errors, n_people) ** 2)) for own in owners)
    variance -= float(errors @ errors)
    effect = max(variance / max(information, _LEAST_INFORMATION), 1.0)
    features, pull = np.vstack([ones, feature]), _KNOWN_PRECISION * effect
    found = mode(features, [0.0, pull])
    information = curved(found @ features)[2]
    if information <= _LEAST_INFORMATION:
        return LateEffect()
    return LateEffect(float(found[1]) * (1.0 + pull / information), effect / information)


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
