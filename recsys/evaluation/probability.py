"""Area under the ROC curve: how often a pair that worked scores above one that did not."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import InputError, explained
from recsys.evaluation.bootstrap import sample_value
from recsys.types import Float64Array, Int64Array


def outcomes(truth: npt.ArrayLike) -> Float64Array:
    """Return outcomes as `(n,)` float64.

    Raises InputError when a value is neither 0 nor 1.

    >>> outcomes([True, 0]).tolist()
    [1.0, 0.0]
    """
    array = np.asarray(truth, dtype=np.float64).reshape(-1)
    wrong = (array != 0.0) & (array != 1.0)
    if wrong.any():
        raise InputError(
            explained(
                "an outcome is neither 0 nor 1",
                where=f"position {int(np.flatnonzero(wrong)[0])}",
                got=float(array[wrong][0]),
                remedy="leave out pairs whose outcome is not known",
            )
        )
    return array


def scores(values: npt.ArrayLike, n: int) -> Float64Array:
    """Return scores as `(n,)` float64; minus infinity is a score, NaN is not.

    Raises InputError when one is NaN or the number of scores is not `n`.

    >>> scores([0.5, -np.inf], 2).tolist()
    [0.5, -inf]
    """
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    if len(array) != n:
        raise InputError(explained("scores and outcomes differ in number", got=f"{len(array)} and {n}"))
    if np.isnan(array).any():
        at = int(np.flatnonzero(np.isnan(array))[0])
        raise InputError(
            explained("a score is missing", where=f"position {at}", remedy="score every pair or leave it out")
        )
    return array


def probabilities(values: npt.ArrayLike, n: int) -> Float64Array:
    """Return probabilities as `(n,)` float64.

    Raises InputError when one is outside [0, 1] or missing.

    >>> probabilities([0.0, 1.0], 2).tolist()
    [0.0, 1.0]
    """
    array = scores(values, n)
    wrong = (array < 0.0) | (array > 1.0)
    if wrong.any():
        raise InputError(
            explained(
                "a probability is outside [0, 1]",
                where=f"position {int(np.flatnonzero(wrong)[0])}",
                got=float(array[wrong][0]),
                remedy="pass probabilities, not logits",
            )
        )
    return array


@dataclass(frozen=True, eq=False)
class Auc:
    """The Mann-Whitney form, ties half: P(s+ > s-) + P(s+ = s-) / 2.

    J. A. Hanley and B. J. McNeil, "The meaning and use of the area under a receiver operating
    characteristic (ROC) curve", Radiology 143 (1982) 29-36.

    order:  `(n_pairs,)` positions by score, ascending.
    starts: first position of each group of equal scores within `order`.
    """

    order: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]
    truth: Float64Array

    @classmethod
    def of(cls, truth: npt.ArrayLike, score: npt.ArrayLike) -> "Auc":
        """Prepare the metric for outcomes `(n,)` 0 or 1 and scores `(n,)`."""
        known = outcomes(truth)
        values = scores(score, len(known))
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        new = np.ones(len(ordered), bool)
        new[1:] = ordered[1:] != ordered[:-1]
        return cls(order, np.flatnonzero(new), known[order])

    def __call__(self, viewer_counts: Int64Array, candidate_counts: Int64Array) -> float:
        """Return the area when pairs count viewer times x candidate times."""
        if not len(self.order):
            return float("nan")
        times = (viewer_counts * candidate_counts)[self.order].astype(np.float64)
        positive = np.add.reduceat(times * self.truth, self.starts)
        negative = np.add.reduceat(times * (1.0 - self.truth), self.starts)
        below = np.cumsum(negative) - negative
        n_pairs = positive.sum() * negative.sum()
        return float((positive * (below + negative / 2.0)).sum() / n_pairs) if n_pairs else float("nan")


def auc(truth: npt.ArrayLike, score: npt.ArrayLike, *, times: npt.ArrayLike | None = None) -> float:
    """Return the area under the ROC curve in [0, 1]; NaN when only one outcome occurs.

    `times` `(n,)` says how often each pair counts, once by default.

    One of the two pairs that worked is above both that did not (2 wins), the other is above one and
    ties with one (1.5 wins): 3.5 of 4.

    >>> auc([1, 0, 1, 0], [0.9, 0.5, 0.5, 0.1])
    0.875
    """
    metric = Auc.of(truth, score)
    n = len(metric.truth)
    counts = np.ones(n, np.int64) if times is None else np.asarray(times, np.int64)
    return metric(counts, np.ones(n, np.int64))


@dataclass(frozen=True, eq=False)
class Brier:
    """The mean of (p - y)^2 over pairs; lower is better.

    G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
    Review 78 (1950) 1-3.
    """

    loss: Float64Array

    @classmethod
    def of(cls, truth: npt.ArrayLike, probability: npt.ArrayLike) -> "Brier":
        """Prepare the metric for outcomes `(n,)` 0 or 1 and probabilities `(n,)`."""
        known = outcomes(truth)
        return cls((probabilities(probability, len(known)) - known) ** 2)

    def __call__(self, viewer_counts: Int64Array, candidate_counts: Int64Array) -> float:
        """Return the mean loss when pairs count viewer times x candidate times."""
        times = viewer_counts * candidate_counts
        return float(times @ self.loss / times.sum()) if times.any() else float("nan")


def brier(truth: npt.ArrayLike, probability: npt.ArrayLike) -> float:
    """Return the Brier score in [0, 1]; NaN without pairs.

    >>> brier([1, 0], [0.75, 0.5])
    0.15625
    """
    metric = Brier.of(truth, probability)
    return sample_value(metric, len(metric.loss))


LEAST: Final = 1e-12
"""Probabilities are kept this far from 0 and 1, so that one certain mistake stays finite."""


@dataclass(frozen=True, eq=False)
class LogLoss:
    """The mean of -y ln p - (1 - y) ln(1 - p) over pairs; lower is better.

    I. J. Good, "Rational decisions", Journal of the Royal Statistical Society B 14 (1952) 107-114.
    """

    loss: Float64Array

    @classmethod
    def of(cls, truth: npt.ArrayLike, probability: npt.ArrayLike) -> "LogLoss":
        """Prepare the metric for outcomes `(n,)` 0 or 1 and probabilities `(n,)`."""
        known = outcomes(truth)
        p = np.clip(probabilities(probability, len(known)), LEAST, 1.0 - LEAST)
        return cls(-known * np.log(p) - (1.0 - known) * np.log1p(-p))

    def __call__(self, viewer_counts: Int64Array, candidate_counts: Int64Array) -> float:
        """Return the mean loss when pairs count viewer times x candidate times."""
        times = viewer_counts * candidate_counts
        return float(times @ self.loss / times.sum()) if times.any() else float("nan")


def log_loss(truth: npt.ArrayLike, probability: npt.ArrayLike) -> float:
    """Return the mean logarithmic loss in nats, 0 or more; NaN without pairs.

    >>> round(log_loss([1, 0], [0.5, 0.5]), 6)
    0.693147
    """
    metric = LogLoss.of(truth, probability)
    return sample_value(metric, len(metric.loss))


@dataclass(frozen=True, eq=False)
class Ece:
    """The mean of |rate - mean probability| over bins of equal mass, weighted by their pairs.

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


def ece(truth: npt.ArrayLike, probability: npt.ArrayLike, *, n_bins: int = 10) -> float:
    """Return the expected calibration error in [0, 1]; NaN without pairs.

    Two bins: said 0.2 and nothing happened; said 0.8 and half happened.

    >>> round(ece([0, 0, 1, 0], [0.2, 0.2, 0.8, 0.8], n_bins=2), 3)
    0.25
    """
    metric = Ece.of(truth, probability, n_bins=n_bins)
    return sample_value(metric, len(metric.truth))


def reliability_table(
    truth: npt.ArrayLike, probability: npt.ArrayLike, *, n_bins: int = 10, z: float = 1.96
) -> pd.DataFrame:
    """Return one row a bin of equal mass: what was said, what happened, and Wilson's interval.

    Columns: pairs, said (mean probability), happened (rate), lo, hi (of the rate), all in [0, 1].
    The interval is E. B. Wilson's, Journal of the American Statistical Association 22 (1927) 209-212;
    it takes pairs as independent, so it is for the eye and not for a verdict.

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
    return pd.DataFrame(
        {
            "pairs": n.astype(np.int64),
            "said": said[filled] / n,
            "happened": rate,
            "lo": np.maximum(centre - half, 0.0),
            "hi": np.minimum(centre + half, 1.0),
        }
    )
