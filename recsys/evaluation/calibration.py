"""Calibration: expected calibration error, its estimate without the excess of chance, reliability tables."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import PROBABILITIES
from recsys.errors import InputError, explained
from recsys.evaluation.bootstrap import Dyads, Interval, corrected, sample_value
from recsys.evaluation.probability import outcomes, probabilities
from recsys.types import Float64Array, IndexArray, Int64Array

_SIZES: Final = 41


@dataclass(frozen=True, eq=False)
class Ece:
    """The mean of |rate - mean probability| over bins of equal mass, weighted by their pairs.

    What a sample shows is above the error of the population, of which chance alone leaves nothing 0: see
    `recsys.evaluation.bootstrap` for the estimate without that excess.

    Bins hold equally many pairs (not equal widths, which leave most bins almost empty); equal
    probabilities share a bin. The bins stay as they are when people are resampled.

    K. Nguyen and B. O'Connor, "Posterior calibration and exploratory analysis for natural language
    processing models", EMNLP 2015, 1587-1598.
    """

    bins: npt.NDArray[np.intp]
    truth: Float64Array
    probability: Float64Array
    n_bins: int

    @classmethod
    def of(cls, truth: npt.ArrayLike, probability: npt.ArrayLike, *, n_bins: int = 10) -> "Ece":
        """Prepare the metric for outcomes `(n,)` 0 or 1 and probabilities `(n,)`.

        Raises InputError when `n_bins` is less than one.
        """
        if n_bins < 1:
            raise InputError(explained("no bin to put pairs in", got=n_bins, remedy="use 1 or more"))
        known = outcomes(truth)
        p = probabilities(probability, len(known))
        first_of_equals = np.searchsorted(np.sort(p), p, side="left")
        return cls(first_of_equals * n_bins // max(len(p), 1), known, p, n_bins)

    def sums(self, times: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Return pairs, outcomes and probabilities summed by bin, each `(n_bins,)`."""

        def by_bin(values: Float64Array) -> Float64Array:
            return np.bincount(self.bins, values, minlength=self.n_bins).astype(np.float64)

        return by_bin(times), by_bin(times * self.truth), by_bin(times * self.probability)

    def __call__(self, viewer_counts: Int64Array, candidate_counts: Int64Array) -> float:
        """Return the error when pairs count viewer times x candidate times."""
        pairs, happened, said = self.sums((viewer_counts * candidate_counts).astype(np.float64))
        return float(np.abs(happened - said).sum() / pairs.sum()) if pairs.any() else float("nan")

    def deviations(self) -> tuple[Float64Array, Float64Array]:
        """Return (rate - mean probability) of each bin by its share of pairs, and each pair's part.

        The first is `(n_bins,)` and its absolute values add up to the error; the second, `(n_pairs,)`, is
        how much of it a pair adds more than the mean of its bin, divided by the number of pairs.
        """
        n = max(len(self.truth), 1)
        pairs, happened, said = self.sums(np.ones(len(self.truth)))
        bin_sum = happened - said
        each = self.truth - self.probability - (bin_sum / np.maximum(pairs, 1.0))[self.bins]
        return bin_sum / n, each / n


@checked_arguments
def ece(truth: npt.ArrayLike, probability: npt.ArrayLike, *, n_bins: int = 10) -> float:
    """Return the expected calibration error of a sample, in [0, 1]; NaN without pairs.

    Chance alone leaves it above 0. The metric `ece` of `evaluate`, `compare_models` and a night is
    that of the population, estimated from it less what chance adds, with an interval: see `EceEstimate`.

    Two bins: said 0.2 and nothing happened; said 0.8 and half happened.

    >>> round(ece([0, 0, 1, 0], [0.2, 0.2, 0.8, 0.8], n_bins=2), 3)
    0.25
    """
    metric = Ece.of(truth, probability, n_bins=n_bins)
    return sample_value(metric, len(metric.truth))


@dataclass(frozen=True, eq=False)
class EceEstimate:
    """The calibration error of the population, from that of a sample and the noise of its bins.

    A sample's error adds absolute values, so chance never cancels: a calibrated model shows an error above 0.
    Of all errors of bins that add up to so much, the likeliest are the sample's deviations, each made
    smaller (or larger) by the same multiple of its variance: bins that show no more than chance are the first
    to be 0. Given noise of the two-way covariance of the bins, each shows errors of its own; the one whose
    mean is the error seen is the estimate (0 when chance alone shows as much), and those that make it
    unlikely bound the interval. At 0 the test is of calibration at 1 - level on one side, so that a
    calibrated model's interval holds 0 as often as the level says.

    deviations: `(n_bins,)`. lo, hi: of the interval. value: the estimate, 0 or more.
    less_chance: the error seen less what chance adds, below 0 where chance adds more.
    reach: how far chance takes an error such as the estimate up, in 1 of 2 / (1 - level) samples.
    """

    deviations: Float64Array
    value: float
    lo: float
    hi: float
    less_chance: float
    reach: float

    @classmethod
    def of(cls, deviations: Float64Array, noise: Float64Array, *, level: float) -> Self:
        """Estimate from deviations and draws of their noise, `(n_draws, n_bins)`."""
        seen = float(np.abs(deviations).sum())
        alone = np.abs(noise).sum(axis=1)
        tail = (1.0 - level) / 2.0
        errors = _likeliest_errors(deviations, noise.var(axis=0), 3.0 * float(np.quantile(alone, 1.0 - tail)))
        size = np.abs(errors).sum(axis=1)
        shown = np.array([np.abs(one + noise).sum(axis=1) for one in errors])
        mean = np.maximum.accumulate(shown.mean(axis=1))
        low, high = (np.maximum.accumulate(np.quantile(shown, q, axis=1)) for q in (tail, 1.0 - tail))
        value = float(np.interp(seen, mean, size)) if seen > mean[0] else 0.0
        lo = 0.0
        if seen > float(np.quantile(alone, level)):
            lo = min(max(float(np.interp(seen, high, size)), float(size[1])), value)
        at = int(np.abs(size - value).argmin())
        return cls(
            deviations,
            value,
            lo,
            max(float(np.interp(seen, low, size)), value),
            seen - (float(mean[at]) - float(size[at])),
            float(high[at] - mean[at]),
        )

    @property
    def interval(self) -> Interval:
        """The estimate with its interval."""
        return Interval(self.value, self.lo, self.hi)

    def minus(self, other: "EceEstimate") -> Interval:
        """Return the difference; its ends are as far off as those of both intervals, taken as independent.

        An interval that ends at 0 ends there because no error is smaller: chance reaches further.

        G. Y. Zou and A. Donner, "Construction of confidence limits about effect measures: a general
        approach", Statistics in Medicine 27 (2008) 1693-1702.
        """
        if np.array_equal(self.deviations, other.deviations) and self.interval == other.interval:
            return Interval(0.0, 0.0, 0.0)
        value = self.less_chance - other.less_chance
        below = float(np.hypot(self._below, other.hi - other.less_chance))
        above = float(np.hypot(self.hi - self.less_chance, other._below))
        return Interval(value, value - below, value + above)

    @property
    def _below(self) -> float:
        """How far the error less chance may lie above the one of the population."""
        own = self.less_chance - self.lo
        return max(own, 0.0) if self.lo > 0.0 else max(own, self.reach)


def _likeliest_errors(deviations: Float64Array, variance: Float64Array, more: float) -> Float64Array:
    """Return errors of bins from none to the deviations and to `more` above them, `(n_sizes, n_bins)`.

    variance: `(n_bins,)` of the deviations, of which a bin whose pairs all came to the same shows none; a
    tenth of the mean is added to each. Errors of each size are nearest to the deviations in units of it.
    """
    unsure = variance + max(float(variance.mean()) / 10.0, 1e-12)
    part, size = unsure / unsure.sum(), np.abs(deviations)
    smaller = np.linspace(float((size / part).max()), 0.0, _SIZES)
    larger = -np.linspace(0.0, more + float(size.sum()) / 2.0, _SIZES)[1:]
    less = np.concatenate([smaller, larger])[:, None] * part
    return np.asarray(np.where(deviations < 0.0, -1.0, 1.0) * np.maximum(size - less, 0.0), np.float64)


def ece_estimates(
    metrics: list[Ece], dyads: Dyads, pairs: list[IndexArray], normal: Float64Array, *, level: float
) -> list[EceEstimate]:
    """Return the estimates of metrics over pairs of the same people, their noise drawn jointly.

    pairs: for each metric, positions of its pairs among those of `dyads`. normal: `(n_draws, m)` standard
    normal draws with m at least the bins of all metrics together.
    """
    found, persons, twos = [], [], []
    for metric, at in zip(metrics, pairs, strict=True):
        deviations, each = metric.deviations()
        found.append(deviations)
        person, dyad = _by_bin(metric, each, dyads, at)
        persons.append(person)
        twos.append(dyad)
    person, dyad = np.hstack(persons), np.hstack(twos)
    value, vector = np.linalg.eigh(person.T @ person - dyad.T @ dyad)
    kept = np.maximum(value, 0.0)
    # what negative eigenvalues take from the whole variance is taken from the others
    whole = float(value.sum()) / max(float(kept.sum()), 1e-300)
    root = vector * np.sqrt(kept * whole if whole > 0.0 else kept)
    noise = normal[:, : root.shape[0]] @ root.T
    ends = np.cumsum([len(deviations) for deviations in found])
    parts = np.split(noise, ends[:-1], axis=1)
    return [EceEstimate.of(d, part, level=level) for d, part in zip(found, parts, strict=True)]


def _by_bin(
    metric: Ece, each: Float64Array, dyads: Dyads, at: IndexArray
) -> tuple[Float64Array, Float64Array]:
    """Return what each person and each two add to each bin, `(n_people, n_bins)`, `(n_dyads, n_bins)`."""
    viewer, candidate, two = dyads.viewer[at], dyads.candidate[at], dyads.dyad[at]

    def summed(who: IndexArray, n: int) -> Float64Array:
        cells = np.bincount(who * metric.n_bins + metric.bins, each, n * metric.n_bins)
        return np.asarray(cells.reshape(n, metric.n_bins), np.float64)

    person = summed(viewer, dyads.n_people) + summed(candidate, dyads.n_people)
    dyad = summed(two, dyads.n_dyads)
    share = np.full(len(at), 1.0 / max(len(at), 1))
    of_person = np.bincount(viewer, share, dyads.n_people) + np.bincount(candidate, share, dyads.n_people)
    of_dyad = np.bincount(two, share, dyads.n_dyads)
    return (
        corrected(person, np.asarray(of_person[:, None], np.float64)),
        corrected(dyad, np.asarray(of_dyad[:, None], np.float64)),
    )


@checked_arguments
def reliability_table(
    truth: npt.ArrayLike, probability: npt.ArrayLike, *, n_bins: int = 10, z: float = 1.96
) -> pd.DataFrame:
    """Return one row a bin of equal mass: what was said, what happened, and Wilson's interval.

    Columns: pairs, said (mean probability), happened (rate), lo, hi (of the rate), all in [0, 1].
    The interval is E. B. Wilson's, Journal of the American Statistical Association 22 (1927) 209-212;
    it takes pairs as independent, so it is for the eye and not for a verdict. A column of `score_pairs` names
    what it is the probability of, in `attrs["of"]`, which `recsys.plots.reliability` writes into the title.

    >>> reliability_table([0, 0, 1, 0], [0.2, 0.2, 0.8, 0.8], n_bins=2)[["pairs", "said", "happened"]]
       pairs  said  happened
    0      2   0.2       0.0
    1      2   0.8       0.5
    """
    metric = Ece.of(truth, probability, n_bins=n_bins)
    pairs, happened, said = metric.sums(np.ones(len(metric.truth)))
    filled = pairs > 0
    n, rate = pairs[filled], happened[filled] / pairs[filled]
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    table = pd.DataFrame(
        {
            "pairs": n.astype(np.int64),
            "said": said[filled] / n,
            "happened": rate,
            "lo": np.maximum(centre - half, 0.0),
            "hi": np.minimum(centre + half, 1.0),
        }
    )
    name = str(getattr(probability, "name", ""))
    if name in PROBABILITIES:
        table.attrs["of"] = PROBABILITIES[name]
    return table
