"""The bootstrap over people on both sides, and intervals without one.

Intervals without resampling take a two-way variance from the influence of each pair.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from recsys.arguments import as_generator, checked_arguments
from recsys.data.pair_keys import unordered_pair_keys
from recsys.errors import InputError, did_you_mean, explained
from recsys.types import Float64Array, IndexArray, Int64Array, RNGLike


class PairMetric(Protocol):
    """A metric prepared over aligned pairs and called under any multiplicities.

    The pairs are fixed when it is made; a call says how often each pair's viewer and each
    pair's candidate count, both `(n_pairs,)` int64, all ones for the sample as it is. A metric that
    has nothing to average returns NaN.
    """

    def __call__(self, viewer_counts: Int64Array, candidate_counts: Int64Array) -> float:
        """Return the metric under these multiplicities."""
        ...


def sample_value(metric: PairMetric, n_pairs: int) -> float:
    """Return a metric of the sample as it is.

    >>> sample_value(lambda viewers, candidates: float((viewers * candidates).sum()), 3)
    3.0
    """
    ones = np.ones(n_pairs, np.int64)
    return metric(ones, ones)


@dataclass(frozen=True, slots=True)
class Interval:
    """A value of the sample and the interval that holds it at the level asked for.

    >>> Interval(0.5, 0.4, 0.6).lo
    0.4
    """

    value: float
    lo: float
    hi: float


@dataclass(frozen=True, eq=False)
class BootstrapResult:
    """Several metrics of one sample and of its resamples; all metrics see the same resamples.

    values: `(n_metrics,)` of the sample as it is.
    draws:  `(n_resamples, n_metrics)`.

    >>> draws = np.array([[0.6, 0.3], [0.4, 0.3]])
    >>> drawn = BootstrapResult(("a", "b"), np.array([0.5, 0.3]), draws, level=1.0)
    >>> drawn.difference("a", "b").value
    0.2
    """

    names: tuple[str, ...]
    values: Float64Array
    draws: Float64Array
    level: float

    def interval(self, name: str) -> Interval:
        """Return a metric with its interval."""
        at = self._at(name)
        return recentred(float(self.values[at]), self.draws[:, at], level=self.level)

    def within(self, name: str, known_range: tuple[float, float] | None) -> Interval:
        """Return a metric with its interval, clipped to the range the metric can have."""
        return clipped(self.interval(name), known_range)

    def difference(self, name: str, other: str) -> Interval:
        """Return `name` minus `other` with the interval of the paired difference."""
        a, b = self._at(name), self._at(other)
        value = float(self.values[a] - self.values[b])
        return recentred(value, self.draws[:, a] - self.draws[:, b], level=self.level)

    def _at(self, name: str) -> int:
        if name not in self.names:
            raise InputError(explained("unknown metric", got=name, remedy=did_you_mean(name, self.names)))
        return self.names.index(name)


def clipped(found: Interval, known_range: tuple[float, float] | None) -> Interval:
    """Return an interval cut to the range of its metric, which holds its value; None: no range is known.

    Moving draws to their value can carry their ends past a limit, or past the value itself where nearly
    all draws are alike.

    >>> clipped(Interval(1.0, 0.989, 1.006), (0.0, 1.0))
    Interval(value=1.0, lo=0.989, hi=1.0)
    >>> clipped(Interval(1.0, 1.000031, 1.000031), (0.0, 1.0))
    Interval(value=1.0, lo=1.0, hi=1.0)
    """
    if not np.isfinite([found.value, found.lo, found.hi]).all():
        return found
    least, most = (-np.inf, np.inf) if known_range is None else known_range
    lo = min(max(found.lo, least), found.value)
    hi = max(min(found.hi, most), found.value)
    return Interval(found.value, float(lo), float(hi))


def recentred(value: float, draws: Float64Array, *, level: float = 0.95) -> Interval:
    """Return the percentile interval of `draws` `(n,)`, moved so that its draws average `value`.

    Resampling with replacement repeats candidates, and a list that may show the same good candidate
    twice scores higher than any real list: the draws of a ranking metric sit above the value by that
    artefact alone, and moving them back takes it out. Draws that are NaN are left out.

    >>> recentred(1.0, np.array([1.5, 2.5]), level=1.0)
    Interval(value=1.0, lo=0.5, hi=1.5)
    """
    known = draws[np.isfinite(draws)]
    if not len(known) or not np.isfinite(value):
        return Interval(value, float("nan"), float("nan"))
    tail = (1.0 - level) / 2.0
    lo, hi = np.quantile(known - known.mean() + value, [tail, 1.0 - tail])
    return Interval(value, float(lo), float(hi))


def person_counts(n_people: int, rng: np.random.Generator) -> Int64Array:
    """Return how often each person is drawn when `n_people` are drawn with replacement, `(n_people,)`."""
    return np.bincount(rng.integers(0, n_people, n_people), minlength=n_people)


@checked_arguments
def bootstrap(
    metrics_by_name: Mapping[str, PairMetric],
    viewer: npt.NDArray[np.integer],
    candidate: npt.NDArray[np.integer],
    n_people: int,
    *,
    rng: RNGLike,
    n_resamples: int = 500,
    level: float = 0.95,
) -> BootstrapResult:
    """Evaluate every metric on the sample and on `n_resamples` resamples of its people.

    `viewer` and `candidate` `(n_pairs,)` are positions below `n_people`. Each resample draws people
    with replacement once; a pair counts the product of its two people's draws. That is the pigeonhole
    bootstrap (A. B. Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1 (2007) 386-411),
    which is slightly too wide and never too narrow by the dependence of pairs that share a person.
    All metrics see the same resamples, so differences between them are paired.
    Raises InputError when a level is outside (0, 1] or no resample is asked for.

    >>> mean = lambda viewers, candidates: float((viewers * candidates) @ [0.0, 1.0] / 2)
    >>> a, b = np.array([0, 1]), np.array([1, 2])
    >>> drawn = bootstrap({"mean": mean}, a, b, 3, rng=np.random.default_rng(0), n_resamples=20)
    >>> drawn.interval("mean").value, drawn.draws.shape
    (0.5, (20, 1))
    """
    if not 0.0 < level <= 1.0 or n_resamples < 1:
        raise InputError(
            explained(
                "no interval can be drawn",
                got=f"level {level}, {n_resamples} resamples",
                remedy="use a level in (0, 1] and 1 resample or more",
            )
        )
    draws = np.empty((n_resamples, len(metrics_by_name)))
    draw = as_generator(rng)
    for at in range(n_resamples):
        times = person_counts(n_people, draw)
        of_viewer, of_candidate = times[viewer], times[candidate]
        draws[at] = [metric(of_viewer, of_candidate) for metric in metrics_by_name.values()]
    values = np.array([sample_value(metric, len(viewer)) for metric in metrics_by_name.values()])
    return BootstrapResult(tuple(metrics_by_name), values, draws, level)


def of_groups(
    values: npt.ArrayLike,
    *,
    rng: RNGLike,
    weights: npt.ArrayLike | None = None,
    n_resamples: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Return the mean over groups `(n_groups,)` and its interval when whole groups are redrawn.

    For a number measured once a group (a wave, a town), where groups and not pairs are the sample.
    Groups whose value is NaN are left out. weights: `(n_groups,)` such as sizes; equal ones when None.

    >>> of_groups([0.5, 0.5, 0.5], rng=np.random.default_rng(0))
    Interval(value=0.5, lo=0.5, hi=0.5)
    """
    draw = as_generator(rng)
    every = np.asarray(values, dtype=np.float64)
    known = every[np.isfinite(every)]
    if not len(known):
        return Interval(float("nan"), float("nan"), float("nan"))
    weight = np.ones(len(every)) if weights is None else np.asarray(weights, dtype=np.float64)
    weight = weight[np.isfinite(every)]
    drawn = draw.integers(0, len(known), (n_resamples, len(known)))
    means = (known * weight)[drawn].sum(axis=1) / weight[drawn].sum(axis=1)
    return recentred(float(known @ weight / weight.sum()), means, level=level)


_MOST_SHARE: Final = 0.5
"""A person's share of a metric is taken as no more than this."""
_FEWEST_DEGREES: Final = 4.0
"""Of a variance that is known no better, the fourth powers say nothing."""


@dataclass(frozen=True, eq=False)
class Influence:
    """What each pair moves a metric by, to first order, and its share of the metric.

    values: `(n_pairs,)`, sum 0: the value less what it would be without the pair, about.
    share:  `(n_pairs,)` of 0 or more, sum 1.
    """

    values: Float64Array
    share: Float64Array

    def on(self, pairs: IndexArray, n_pairs: int) -> "Influence":
        """Return the influences among `n_pairs` pairs of which these are the chosen."""
        return Influence(_scattered(self.values, pairs, n_pairs), _scattered(self.share, pairs, n_pairs))

    def minus(self, other: "Influence") -> "Influence":
        """Return the influences on the difference of two metrics of the same pairs."""
        return Influence(self.values - other.values, (self.share + other.share) / 2.0)


def influence_of_mean(values: Float64Array) -> Influence:
    """Return the influences on a mean over pairs.

    >>> influence_of_mean(np.array([0.0, 1.0])).values.tolist()
    [-0.25, 0.25]
    """
    n = max(len(values), 1)
    return Influence((values - values.mean()) / n if len(values) else values, np.full(len(values), 1.0 / n))


def _scattered(values: Float64Array, pairs: IndexArray, n_pairs: int) -> Float64Array:
    whole = np.zeros(n_pairs)
    whole[pairs] = values
    return whole


@runtime_checkable
class SmoothMetric(Protocol):
    """A `PairMetric` that knows the influence of each of its pairs."""

    def __call__(self, viewer_counts: Int64Array, candidate_counts: Int64Array) -> float:
        """Return the metric under these multiplicities."""
        ...

    def influence(self) -> Influence:
        """Return the influence of each pair on the metric of the sample as it is."""
        ...


def corrected(sums: Float64Array, share: Float64Array) -> Float64Array:
    """Return the sums of people with the squares they would have were the metric known beside the sample.

    A sum is of what differs from the sample's own metric, of which a person holds a share themselves. See
    R. M. Bell and D. F. McCaffrey, "Bias reduction in standard errors for linear regression with
    multi-stage samples", Survey Methodology 28 (2002) 169-181.
    """
    return np.asarray(sums / np.sqrt(1.0 - np.minimum(share, _MOST_SHARE)))


@dataclass(frozen=True, eq=False)
class Dyads:
    """Who stands in each pair, and which pairs are of the same two people.

    viewer, candidate: positions below `n_people`; dyad: below `n_dyads`; `(n_pairs,)` each.
    """

    viewer: IndexArray
    candidate: IndexArray
    dyad: IndexArray
    n_people: int
    n_dyads: int

    @classmethod
    def of(cls, viewer: npt.NDArray[np.integer], candidate: npt.NDArray[np.integer], n_people: int) -> Self:
        """Return the pairs with the unordered pairs of people numbered."""
        a, b = np.asarray(viewer, np.int64), np.asarray(candidate, np.int64)
        found, dyad = np.unique(unordered_pair_keys(a, b, n_people), return_inverse=True)
        return cls(a, b, dyad.reshape(-1), n_people, len(found))

    def by_person(self, values: Float64Array) -> Float64Array:
        """Return the sum of values over the pairs each person stands in, `(n_people,)`."""
        own = np.bincount(self.viewer, values, self.n_people)
        apart = np.where(self.viewer == self.candidate, 0.0, values)
        return np.asarray(own + np.bincount(self.candidate, apart, self.n_people), np.float64)

    def by_dyad(self, values: Float64Array) -> Float64Array:
        """Return the sum of values over the one or two pairs of two people, `(n_dyads,)`."""
        return np.asarray(np.bincount(self.dyad, values, self.n_dyads), np.float64)

    def sums(self, influence: Influence) -> tuple[Float64Array, Float64Array]:
        """Return the influence of each person and each two people, corrected for few people."""
        person, dyad = self.by_person(influence.values), self.by_dyad(influence.values)
        return (
            corrected(person, self.by_person(influence.share)),
            corrected(dyad, self.by_dyad(influence.share)),
        )

    def error(self, influence: Influence) -> tuple[float, float]:
        """Return the standard error of a metric and the degrees of freedom it is known with.

        People less dyads: pairs that share one person are dependent, and those that share both were
        counted twice. The degrees are those of this difference (F. E. Satterthwaite, Biometrics Bulletin 2
        (1946) 110-114): it is small where pairs depend little on people, and as uncertain as its first part.

        P. M. Aronow, C. Samii and V. A. Assenova, "Cluster-robust variance estimation for dyadic data",
        Political Analysis 23 (2015) 564-577; A. C. Cameron, J. B. Gelbach and D. L. Miller, "Robust
        inference with multiway clustering", Journal of Business and Economic Statistics 29 (2011) 238-249.
        """
        person, dyad = self.sums(influence)
        of_people, of_dyads = float(person @ person), float(dyad @ dyad)
        variance = of_people - of_dyads
        if variance <= 0.0:
            variance = of_dyads
        fourth = float((person**4).sum())
        degrees = 3.0 * variance**2 / fourth if fourth > 0.0 else np.inf
        most = max(self.n_people - 1.0, _FEWEST_DEGREES)
        return float(np.sqrt(variance)), float(np.clip(degrees, _FEWEST_DEGREES, most))
