"""Estimates of several metrics over the same pairs: values, intervals, paired differences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from recsys.arguments import as_generator, checked_arguments
from recsys.errors import InputError, did_you_mean, explained
from recsys.evaluation.bootstrap import (
    BootstrapResult,
    Dyads,
    Influence,
    Interval,
    PairMetric,
    SmoothMetric,
    bootstrap,
    clipped,
    sample_value,
)
from recsys.evaluation.calibration import Ece, EceEstimate, ece_estimates
from recsys.types import Float64Array, IndexArray, Int64Array, RNGLike

_DRAWS: Final = 2000


@dataclass(frozen=True, eq=False)
class OnPairs:
    """A metric of some of the pairs, called with the multiplicities of all.

    >>> total = OnPairs(np.array([2]), lambda viewers, candidates: float((viewers * candidates).sum()))
    >>> total(np.array([1, 1, 3]), np.array([1, 1, 2]))
    6.0
    """

    pairs: IndexArray
    metric: PairMetric

    def __call__(self, viewer_counts: Int64Array, candidate_counts: Int64Array) -> float:
        """Return the metric of the pairs kept."""
        return self.metric(viewer_counts[self.pairs], candidate_counts[self.pairs])


@dataclass(frozen=True, eq=False)
class ListValue:
    """The mean over viewers of the summed values of their pairs, such as the matches a list can expect.

    viewer: `(n_pairs,)` any number that tells viewers apart. values: `(n_pairs,)`, 0 where not listed.

    >>> ListValue(np.array([0, 0, 1]), np.array([0.5, 0.25, 0.25]))(np.ones(3), np.ones(3))
    0.5
    """

    viewer: IndexArray
    values: Float64Array

    def __call__(self, viewer_counts: Int64Array, candidate_counts: Int64Array) -> float:
        """Return the mean when viewers and candidates count so often."""
        _, first = np.unique(self.viewer, return_index=True)
        counted = viewer_counts[first].sum()
        total = (viewer_counts * candidate_counts) @ self.values
        return float(total / counted) if counted else float("nan")

    def influence(self) -> Influence:
        """Return by how much each pair is worth more than its part of the mean."""
        _, number, size = np.unique(self.viewer, return_inverse=True, return_counts=True)
        share = 1.0 / (size[number] * len(size))
        return Influence(self.values / len(size) - self.values.sum() / len(size) * share, share)


@dataclass(frozen=True, eq=False)
class Estimates:
    """Metrics of one sample of pairs with intervals over people on both sides.

    Smooth metrics have the two-way variance of `Dyads.error` and Student's t with the degrees of freedom
    found there; the calibration error has `EceEstimate`; any other metric has the bootstrap over people,
    which is too wide where a metric ranks.

    >>> from recsys.evaluation.probability import Brier
    >>> loss, people = Brier.of([1, 0, 1, 0], [0.9, 0.2, 0.6, 0.3]), np.array([0, 0, 1, 1])
    >>> found = estimate({"brier": loss}, people, np.array([2, 3, 2, 3]), 4, rng=np.random.default_rng(0))
    >>> found.interval("brier").value < 0.1
    True
    """

    metrics: Mapping[str, PairMetric]
    dyads: Dyads
    normal: Float64Array
    drawn: BootstrapResult
    level: float

    def interval(self, name: str) -> Interval:
        """Return a metric with its interval."""
        metric = self._metric(name)
        if name in self.drawn.names:
            return self.drawn.interval(name)
        if isinstance(_inner(metric), Ece):
            return self._ece(name)[0].interval
        return self._by_error(self._value(name), self._influence(name))

    def within(self, name: str, known_range: tuple[float, float] | None) -> Interval:
        """Return a metric with its interval, kept in the range the metric can have.

        A share has its interval on the scale of log odds, on which few people bend it least.
        """
        found = self.interval(name)
        smooth = name not in self.drawn.names and not isinstance(_inner(self._metric(name)), Ece)
        if smooth and known_range == (0.0, 1.0) and 0.0 < found.value < 1.0:
            reach = (found.hi - found.value) / (found.value * (1.0 - found.value))
            odds = float(special.logit(found.value))
            return Interval(found.value, *(float(special.expit(odds + by)) for by in (-reach, reach)))
        return clipped(found, known_range)

    def difference(self, name: str, other: str) -> Interval:
        """Return `name` minus `other` with the interval of the paired difference.

        Raises InputError when one of the two knows its influences and the other does not.
        """
        if name == other:
            nothing = 0.0 * abs(self._value(name))
            return Interval(nothing, nothing, nothing)
        kinds = {type(_inner(self._metric(one))) for one in (name, other)}
        if name in self.drawn.names and other in self.drawn.names:
            return self.drawn.difference(name, other)
        if name in self.drawn.names or other in self.drawn.names:
            remedy = "compare metrics of one kind"
            raise InputError(
                explained("no interval of this difference", got=f"{name}, {other}", remedy=remedy)
            )
        if kinds == {Ece}:
            return self._ece_difference(name, other)
        value = self._value(name) - self._value(other)
        return self._by_error(value, self._influence(name).minus(self._influence(other)))

    def _by_error(self, value: float, influence: Influence) -> Interval:
        if not np.isfinite(value):
            return Interval(value, float("nan"), float("nan"))
        error, degrees = self.dyads.error(influence)
        half = float(special.stdtrit(degrees, (1.0 + self.level) / 2.0)) * error if error else 0.0
        return Interval(value, value - half, value + half)

    def _ece_difference(self, name: str, other: str) -> Interval:
        first, second = self._ece(name, other)
        return first.minus(second)

    def _ece(self, *names: str) -> list[EceEstimate]:
        metrics, pairs = [], []
        for name in names:
            metric = self._metric(name)
            inner = _inner(metric)
            assert isinstance(inner, Ece)
            metrics.append(inner)
            pairs.append(metric.pairs if isinstance(metric, OnPairs) else np.arange(len(self.dyads.viewer)))
        return ece_estimates(metrics, self.dyads, pairs, self.normal, level=self.level)

    def _influence(self, name: str) -> Influence:
        metric = self._metric(name)
        inner = _inner(metric)
        assert isinstance(inner, SmoothMetric)
        found = inner.influence()
        return found.on(metric.pairs, len(self.dyads.viewer)) if isinstance(metric, OnPairs) else found

    def _value(self, name: str) -> float:
        return sample_value(self._metric(name), len(self.dyads.viewer))

    def _metric(self, name: str) -> PairMetric:
        if name not in self.metrics:
            raise InputError(explained("unknown metric", got=name, remedy=did_you_mean(name, self.metrics)))
        return self.metrics[name]


def _inner(metric: PairMetric) -> PairMetric:
    return _inner(metric.metric) if isinstance(metric, OnPairs) else metric


@checked_arguments
def estimate(
    metrics_by_name: Mapping[str, PairMetric],
    viewer: npt.NDArray[np.integer],
    candidate: npt.NDArray[np.integer],
    n_people: int,
    *,
    rng: RNGLike,
    n_resamples: int = 500,
    level: float = 0.95,
) -> Estimates:
    """Estimate metrics of pairs whose people are `viewer` and `candidate`, positions below `n_people`.

    rng and n_resamples: for the noise of calibration, and the bootstrap of metrics that do not know the
    influence of their pairs. Raises InputError when a level is outside (0, 1] or no resample is asked for.

    >>> from recsys.evaluation.probability import Brier
    >>> loss = Brier.of([1, 0, 1, 0], [0.9, 0.2, 0.6, 0.3])
    >>> a, b, rng = np.array([0, 0, 1, 1]), np.array([2, 3, 2, 3]), np.random.default_rng(0)
    >>> round(estimate({"brier": loss}, a, b, 4, rng=rng).interval("brier").value, 3)
    0.075
    """
    others = {
        name: metric
        for name, metric in metrics_by_name.items()
        if not isinstance(_inner(metric), Ece | SmoothMetric)
    }
    rng = as_generator(rng)
    normal = rng.standard_normal((_DRAWS, 2 * _most_bins(metrics_by_name)))
    drawn = bootstrap(others, viewer, candidate, n_people, rng=rng, n_resamples=n_resamples, level=level)
    return Estimates(dict(metrics_by_name), Dyads.of(viewer, candidate, n_people), normal, drawn, level)


def _most_bins(metrics: Mapping[str, PairMetric]) -> int:
    inner = [_inner(metric) for metric in metrics.values()]
    return max((metric.n_bins for metric in inner if isinstance(metric, Ece)), default=0)
