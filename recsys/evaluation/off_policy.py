"""What other lists would bring, estimated from a log of impressions whose propensities are known.

A match is a like and an answer. Estimators differ in what they take from the log and what from a model:

| name       | from the log                       | from a model                              |
|------------|------------------------------------|-------------------------------------------|
| ips        | matches over the listed pairs      |                                           |
| snips      | matches over the weights           |                                           |
| dm         |                                    | like and answer                           |
| dr         | matches, less those predicted      | like and answer                           |
| switch_dr  | the same where weights are small   | like and answer                           |
| dips       | likes                              | answer                                    |
| dpr        | likes, less those predicted        | like and answer                           |
| calibrated | likes, for a small regression      | like and answer, and covariates           |
| blend      | likes, less those so predicted     | the same                                  |

`dr` is doubly robust: right when either the propensities or the model are. `dips` and `dpr` use the like on
the way to the match, after the abstract of Y. Hayashi, S. Goda and Y. Saito, "Off-policy evaluation and
learning for matching markets" (RecSys 2025, arXiv:2507.13608), in forms of our own: a model knows answers
from all likes, also those that came from elsewhere, and a log has far fewer matches than likes. `dpr` gives
each impression the weight of the chance that it was looked at, since places that nobody looks at say little:
it takes it that what the model lacks of a pair has nothing to do with its place in the log. `calibrated` is
`dm` with P(like | look) brought to the whole log by a small regression (recsys.evaluation.like_calibration),
impressions included that no lot decided, and with a level of its own for the pairs of the lists; its error is
that of the model, which no interval shows. `blend` is `calibrated` plus a share of what `dpr`
adds to it, d, with standard error e: the share max(0, 1 - 2 e^2 / d^2). It follows the log where the model
of likes is surely wrong, and chance hardly ever.

`dm`, `dips`, `dpr`, `calibrated` and `blend` take the answer from `p_liked_back` and never look at `match`:
when it is twice too high so are they. They are without bias only where it is right. `dr` and `snips`, which
count matches, are the check; a log whose matches contradict `p_liked_back` is warned of.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

from recsys.arguments import check_level, checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.data.examination import ExaminationCurve
from recsys.errors import InputError, explained, warn
from recsys.evaluation.bootstrap import Dyads, Influence, sample_value
from recsys.evaluation.like_calibration import calibrated_likes
from recsys.evaluation.off_policy_tables import (
    CHANCE,
    LIKE,
    MATCH,
    PREDICTED,
    check_tables,
    contradiction,
    drawn_lists,
)
from recsys.evaluation.probability import scores
from recsys.evaluation.protocol import numbers
from recsys.types import Float64Array, Int64Array

LEAST_SUPPORT: Final = 0.5
"""With less of the lists within reach of the log, nothing is estimated from it."""
_WARNED_SUPPORT: Final = 0.9
_SURELY: Final = 3.0
_BY_ANSWER: Final = ("dm", "dips", "dpr", "calibrated", "blend")
"""Estimators that take the answer from p_liked_back alone."""


@dataclass(frozen=True, eq=False)
class OffPolicyLog:
    """A log seen from other lists: `(n,)` impressions of pairs in them, `(m,)` pairs of the lists.

    base:    `(n,)` chance of the pair in the lists over its propensity in the log.
    there, read: `(n,)` chance that the place in the log, and that in the lists, is looked at.
    like, match: `(n,)` 0 or 1. like_hat, back_hat: `(n,)` predicted for the place in the log, NaN unknown.
    chance:  `(m,)` of each pair to be in the lists. value_hat: `(m,)` predicted chance of a match there.
    calibrated: like_hat and value_hat by a model that is brought to the log.
    contradiction: what the matches of the log say against back_hat, see `off_policy_tables`.
    dyads:   who stands in each impression; whole: in each impression, then in each pair of the lists.
    """

    base: Float64Array
    there: Float64Array
    read: Float64Array
    like: Float64Array
    match: Float64Array
    like_hat: Float64Array
    back_hat: Float64Array
    chance: Float64Array
    value_hat: Float64Array
    calibrated: tuple[Float64Array, Float64Array]
    contradiction: str
    dyads: Dyads = field(repr=False)
    whole: Dyads = field(repr=False)

    @property
    def effective_size(self) -> float:
        """How many evenly weighted impressions would say as much (Kish)."""
        total = float(self.base.sum())
        return total * total / float(self.base @ self.base) if total else 0.0

    @property
    def support(self) -> float:
        """About what share of the lists the log could have shown (Horvitz and Thompson)."""
        return min(float(self.base.sum()) / max(float(self.chance.sum()), 1e-300), 1.0)

    @property
    def predicted(self) -> bool:
        """Whether a model has a number for every pair."""
        return bool(np.isfinite(self.value_hat).all() and np.isfinite(self.like_hat + self.back_hat).all())

    def repeated(self) -> str:
        """Return that the log holds listed pairs more often than one draw would, empty where it does not.

        Weights of one draw add up to the pairs of the lists, but for chance: three standard errors.
        """
        draws = float(self.base.sum()) / max(float(self.chance.sum()), 1e-300)
        if draws <= 1.0 + _SURELY * draws / np.sqrt(max(self.effective_size, 1e-9)):
            return ""
        return f"by its weights the log holds each listed pair {draws:.1f} times"

    def reason(self) -> str:
        """Return why nothing can be estimated from the log, empty when something can."""
        if self.effective_size < LEAST_EFFECTIVE:
            return f"an effective {self.effective_size:.1f} impressions are too few"
        if self.support < LEAST_SUPPORT:
            return f"the log could have shown {self.support:.0%} of the lists"
        return ""


@checked_arguments
def off_policy(
    log: pd.DataFrame,
    lists: pd.DataFrame,
    *,
    examination: ExaminationCurve | None = None,
    covariates: Sequence[str] = (),
    switch: float = 10.0,
    most: float = np.inf,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the matches a listed pair that `lists` would bring, by several estimators with intervals.

    log:   viewer_id, candidate_id, propensity (the chance with which the pair was shown, in (0, 1]), like and
           match (0 or 1); with `examination` also position. Keep all impressions of a list that was drawn,
           those with a chance of 1 too. Where only some lists were drawn, as with `randomised_share`, their
           chances are those of viewers who were drawn: the others' impressions are left out, here, and so are
           their lists, and a warning says how many viewers are left; with `ts` day by day. Give the whole
           log: "calibrated" and "blend" learn from its other impressions too.
    lists: viewer_id, candidate_id, rank; chance, the probability that the pair is in the list, 1 without.
    p_like and p_liked_back in both tables are what a model says: P(like | look) with `examination`, else
           P(like | shown), and P(liked back | like). Without them only "ips" and "snips" are estimated.
    examination: how likely a place is looked at; lists are read differently when pairs stand elsewhere in
           them. None takes every place for as good as every other.
    covariates: columns of numbers in both tables for "calibrated" and "blend": what is known of the pair, of
           either side or both, such as the scores of a simpler model. Predictions are covariates themselves.
    switch: where the weight is larger, "switch_dr" trusts the model alone. most: larger weights are cut.

    Columns: estimator, value, lo, hi, effective_size, support, n (impressions of pairs in the lists), reason.
    Values are NaN and `reason` says why when the effective size is below 10 or less than half of the lists is
    within reach of the log; then, and when it is surely less than nine tenths, a warning says so. "ips" adds
    up what each draw brings: where the log surely holds listed pairs more often than one draw would, as over
    several nights, it is NaN too, with a warning.
    "dm", "dips", "dpr", "calibrated" and "blend" take the answer from p_liked_back and not from `match`. When
    the log's matches contradict it by more than three standard errors, a warning and their `reason` say so.
    "dm", "calibrated" and "blend" have no interval: nothing in the log says how wrong their models are.

    Raises MissingColumnError, and InputError for a propensity that is not in (0, 1], an outcome that is not
    0 or 1, a match without a like, a place below 1, a prediction outside [0, 1], a pair listed twice, or an
    impression that stands twice (in a log with `ts`).

    >>> pairs = [(f"v{n}", f"c{n % 7}") for n in range(80)]
    >>> lists = pd.DataFrame(pairs, columns=["viewer_id", "candidate_id"]).assign(rank=1)
    >>> log = lists.drop(columns="rank")[::2].assign(propensity=0.5, like=1, match=[1, 0] * 20)
    >>> off_policy(log, lists)[["estimator", "value"]].values.tolist()
    [['ips', 0.5], ['snips', 0.5]]
    """
    check_level(level)
    seen = _seen(log, lists, examination, most, tuple(covariates))
    known = max(seen.effective_size, 1e-9)
    if seen.reason():
        warn(f"nothing is estimated from the log: {seen.reason()}")
    elif seen.support * (1.0 + 2.0 / np.sqrt(known)) < _WARNED_SUPPORT:
        warn(
            f"the log could have shown about {seen.support:.0%} of the pairs of these lists: 'snips' is of "
            "these alone, 'ips' counts the others as no match, the rest take them to be like these beside "
            "the model; give every pair a chance above 0"
        )
    return pd.DataFrame(list(_rows(seen, switch, level)))


def _seen(
    log: pd.DataFrame,
    lists: pd.DataFrame,
    examination: ExaminationCurve | None,
    most: float,
    covariates: tuple[str, ...],
) -> OffPolicyLog:
    check_tables(log, lists, examination is not None, covariates)
    every = log.reset_index(drop=True)  # rows are found again by their number
    log, lists = drawn_lists(every, lists)
    chance = lists[CHANCE].to_numpy(np.float64) if CHANCE in lists else np.ones(len(lists))
    read = np.ones(len(lists)) if examination is None else examination(lists[C.RANK].to_numpy(np.float64))
    listed = lists[[C.VIEWER, C.CANDIDATE]].assign(chance_=chance, read_=read)
    looked = np.ones(len(every)) if examination is None else examination(numbers(every, C.POSITION))
    found, wanted = calibrated_likes(every, looked, lists, covariates)
    known = (
        every.assign(look_=looked, calibrated_=found).loc[log.index].merge(listed, on=[C.VIEWER, C.CANDIDATE])
    )
    there = known["look_"].to_numpy(np.float64)
    base = np.minimum(known["chance_"].to_numpy(np.float64) / known[C.PROPENSITY].to_numpy(np.float64), most)
    like_hat, back_hat = (_column(known, name) for name in PREDICTED)
    sides = [table[side] for side in (C.VIEWER, C.CANDIDATE) for table in (known, lists)]
    viewer, candidate = pd.factorize(pd.concat(sides))[0].reshape(2, -1)
    n_people = int(max(viewer.max(initial=-1), candidate.max(initial=-1))) + 1
    return OffPolicyLog(
        base=base,
        there=np.maximum(there, 1e-12),
        read=known["read_"].to_numpy(np.float64),
        like=numbers(known, LIKE),
        match=numbers(known, MATCH),
        like_hat=like_hat * there,
        back_hat=back_hat,
        chance=chance,
        value_hat=_column(lists, C.P_LIKE) * read * _column(lists, C.P_LIKED_BACK),
        calibrated=(
            known["calibrated_"].to_numpy(np.float64) * there,
            wanted * read * _column(lists, C.P_LIKED_BACK),
        ),
        contradiction=contradiction(log),
        dyads=Dyads.of(viewer[: len(known)], candidate[: len(known)], n_people),
        whole=Dyads.of(viewer, candidate, n_people),
    )


def _column(table: pd.DataFrame, name: str) -> Float64Array:
    return table[name].to_numpy(np.float64) if name in table else np.full(len(table), np.nan)


def _rows(seen: OffPolicyLog, switch: float, level: float) -> Iterator[dict[str, object]]:
    reason = seen.reason()
    by_place = seen.base * seen.read / seen.there
    of_log = seen.base.sum()
    matched, match = by_place * seen.match, (by_place, seen.match)
    plans: list[_Plan] = [
        _Plan("ips", 0.0, matched, np.zeros(len(seen.base)), float(seen.chance.sum()), match),
        _Plan("snips", 0.0, matched, seen.base, of_log, match),
    ]
    if seen.predicted and len(seen.chance):
        direct = float(seen.chance @ seen.value_hat / seen.chance.sum())
        error = by_place * (seen.match - seen.like_hat * seen.back_hat)
        looked, like = seen.base * seen.there, seen.base * seen.read * seen.back_hat
        lacking = like * (seen.like - seen.like_hat)
        small = np.where(seen.base <= switch, 1.0, 0.0)
        answered = by_place * seen.back_hat
        plans += [
            _Plan("dm", direct),
            _Plan("dr", direct, error, seen.base, of_log, (by_place, seen.match)),
            _Plan("switch_dr", direct, small * error, seen.base, of_log, (small * by_place, seen.match)),
            _Plan("dips", 0.0, answered * seen.like, seen.base, of_log, (answered, seen.like)),
            _Plan("dpr", direct, lacking, looked, looked.sum(), (like, seen.like)),
        ]
        plans += _calibrated_plans(seen)
    repeated = seen.repeated()
    if repeated and not reason:
        causes = "as over several nights, or with lists made of what was shown"
        warn(f"'ips' is not estimated: {repeated}, {causes}; take 'snips', or the log of one draw")
    for plan in plans:
        value, lo, hi = _estimated(seen, plan, level)
        why = reason or (repeated if plan.estimator == "ips" else "")
        refused = bool(why) and plan.estimator != "dm"
        yield {
            "estimator": plan.estimator,
            "value": np.nan if refused else value,
            "lo": np.nan if refused else lo,
            "hi": np.nan if refused else hi,
            "effective_size": seen.effective_size,
            "support": seen.support,
            "n": len(seen.base),
            "reason": why if refused else seen.contradiction if plan.estimator in _BY_ANSWER else "",
        }


@dataclass(frozen=True, eq=False)
class _Plan:
    """An estimate: `start` plus the sum of `(n,)` parts over a total, None where the log adds nothing.

    shares: `(n,)` what each impression adds to the total; zeros where the total is known without the log.
    outcomes: `(n,)` what an outcome of each impression adds to the parts, and whether it came, 0 or 1.
    """

    estimator: str
    start: float
    parts: Float64Array | None = None
    shares: Float64Array | None = None
    total: float = 0.0
    outcomes: tuple[Float64Array, Float64Array] | None = None

    def variance_by_chance(self, looked: Float64Array) -> float:
        """Return the variance that outcomes alone bring, were all looks as likely to bring one; 0 unknown.

        looked: `(n,)` chance of a look. Their rate has one more outcome and two more looks, so that it is
        neither 0 nor 1.
        """
        if self.outcomes is None:
            return 0.0
        weight, came = self.outcomes[0] / self.total, self.outcomes[1]
        rate = looked * (came.sum() + 1.0) / (looked.sum() + 2.0)
        return float(weight * weight @ (rate * np.maximum(1.0 - rate, 0.0)))


def _calibrated_plans(seen: OffPolicyLog) -> Iterator[_Plan]:
    """Yield "calibrated" and "blend", where predictions and covariates of every pair are known."""
    like_hat, value_hat = seen.calibrated
    if not np.isfinite(value_hat).all() or not np.isfinite(like_hat).all():
        return
    direct = float(seen.chance @ value_hat / seen.chance.sum())
    yield _Plan("calibrated", direct)
    looked = seen.base * seen.there
    lacking = seen.base * seen.read * (seen.like - like_hat) * seen.back_hat
    value, lo, hi = _estimated(seen, _Plan("", direct, lacking, looked, looked.sum()), 0.95)
    moved, error = value - direct, (hi - lo) / 4.0
    share = max(0.0, 1.0 - 2.0 * error * error / (moved * moved)) if moved else 0.0
    yield _Plan("blend", direct + share * moved)


def _estimated(seen: OffPolicyLog, plan: _Plan, level: float) -> tuple[float, float, float]:
    """Return the value of a plan with its interval over people on both sides; NaN where there is none.

    Outcomes are few, and one of a large weight that happens not to come lowers the value and leaves no trace
    in the variance of what did come. So where chance would bring more variance than was seen, the mean of the
    two is taken, which is known about twice as well: as E. B. Wilson's interval of a share (Journal of the
    American Statistical Association 22 (1927) 209-212) does not take its variance from the sample alone.
    """
    if plan.parts is None or plan.shares is None:
        return plan.start, float("nan"), float("nan")
    if plan.total <= 0.0:
        return float("nan"), float("nan"), float("nan")
    part, share = plan.parts / plan.total, plan.shares / plan.total
    mean = float(part.sum())
    if plan.shares.any():
        error, degrees = seen.dyads.error(Influence(part - share * mean, share))
    else:
        weight = seen.chance / plan.total
        moved = np.concatenate([part, -weight * mean])
        error, degrees = seen.whole.error(Influence(moved, np.concatenate([share, weight])))
    both = (error * error + plan.variance_by_chance(seen.there)) / 2.0
    if both > error * error:
        error, degrees = float(np.sqrt(both)), 2.0 * degrees
    half = float(-stdtrit(degrees, (1.0 - level) / 2.0)) * error
    return plan.start + mean, plan.start + mean - half, plan.start + mean + half


LEAST_EFFECTIVE: Final = 10.0
"""Below this effective size nothing is estimated."""
_LEAST_SUPPORT: Final = 0.9


@dataclass(frozen=True, eq=False)
class Snips:
    """The self-normalised mean of outcomes, each weighted by how much more often it would be shown.

    V = sum_n w_n r_n / sum_n w_n, with w_n = pi(shown_n) / propensity_n. Weights are cut at `most`
    (which trades a little bias for much variance); the normalisation removes the bias that a wrong
    overall level of the propensities would bring.

    A. Swaminathan and T. Joachims, "The self-normalized estimator for counterfactual learning",
    NeurIPS 2015.

    What is estimated is the rate of the pairs in the places that were drawn by chance. Those of minimum
    exposure are ends of lists: the value is that of the other lists' people when they stand there, not in
    their first places.

    >>> metric = Snips.of([1, 0] * 10, propensity=[0.5] * 20, shown=[1.0, 0.0] * 10)
    >>> metric(np.ones(20, np.int64), np.ones(20, np.int64))
    1.0
    """

    weight: Float64Array
    outcome: Float64Array

    @classmethod
    def of(
        cls, outcome: npt.ArrayLike, propensity: npt.ArrayLike, shown: npt.ArrayLike, *, most: float = np.inf
    ) -> "Snips":
        """Prepare the metric for impressions: what came of each, its chance in the log, its chance now.

        outcome: `(n,)` any number. propensity: `(n,)` in (0, 1]. shown: `(n,)` in [0, 1], 1 where the
        other lists would show the pair.
        Raises InputError when a propensity is not in (0, 1] or a chance not in [0, 1].
        """
        reward = np.asarray(outcome, np.float64).reshape(-1)
        logged, now = scores(propensity, len(reward)), scores(shown, len(reward))
        wrong = (logged <= 0.0) | (logged > 1.0)
        if wrong.any():
            remedy = "leave out impressions that were not drawn with a known chance"
            got = float(logged[wrong][0])
            raise InputError(explained("a propensity is not in (0, 1]", got=got, remedy=remedy))
        if ((now < 0.0) | (now > 1.0)).any():
            raise InputError(explained("a chance of being shown is not in [0, 1]"))
        return cls(np.minimum(now / logged, most), reward)

    @property
    def effective_size(self) -> float:
        """How many evenly weighted impressions would say as much, (sum w)^2 / sum w^2 (Kish)."""
        total = self.weight.sum()
        return float(total * total / (self.weight @ self.weight)) if total else 0.0

    def support(self, n_listed: int) -> float:
        """Return what share of `n_listed` pairs of the other lists the log could have shown, about.

        Each impression of such a pair stands for 1 / propensity of them (D. G. Horvitz and D. J. Thompson,
        Journal of the American Statistical Association 47 (1952) 663-685).
        """
        return min(float(self.weight.sum()) / n_listed, 1.0) if n_listed else 1.0

    def influence(self) -> Influence:
        """Return by how much each impression is worth more than the mean."""
        share = self.weight / max(float(self.weight.sum()), 1e-300)
        return Influence(share * (self.outcome - float(share @ self.outcome)), share)

    def __call__(self, viewer_counts: Int64Array, candidate_counts: Int64Array) -> float:
        """Return the value when impressions count viewer times x candidate times.

        NaN when the effective size of the log is less than 10: so few say nothing.
        """
        if self.effective_size < LEAST_EFFECTIVE:
            return float("nan")
        weight = self.weight * viewer_counts * candidate_counts
        return float(weight @ self.outcome / weight.sum()) if weight.any() else float("nan")


@checked_arguments
def snips(
    outcome: npt.ArrayLike,
    propensity: npt.ArrayLike,
    shown: npt.ArrayLike,
    *,
    most: float = np.inf,
    n_listed: int | None = None,
) -> float:
    """Return the estimated mean outcome of an impression under other lists; NaN when too few are known.

    n_listed: how many pairs the other lists hold; a warning says when the log could not have shown a tenth
    of them, of whom nothing can be estimated.

    Of four, the first counts 1 / 0.5 = 2, the second 1 / 0.25 = 4, the others would not be shown:
    (2 * 1 + 4 * 0) / 6, and so of forty such.

    >>> round(snips([1, 0, 1, 1] * 10, [0.5, 0.25, 0.5, 0.5] * 10, [1, 1, 0, 0] * 10), 4)
    0.3333
    """
    metric = Snips.of(outcome, propensity, shown, most=most)
    if n_listed is not None and metric.support(n_listed) < _LEAST_SUPPORT:
        warn(
            f"the log could have shown about {metric.support(n_listed):.0%} of the pairs of these lists; "
            "the estimate is of these alone: give every pair a chance above 0"
        )
    return sample_value(metric, len(metric.outcome))
