"""Metrics of probabilities and scores: AUC, Brier score, log loss."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.arguments import checked_arguments
from recsys.errors import InputError, explained
from recsys.evaluation.bootstrap import Influence, influence_of_mean, sample_value
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

    def influence(self) -> Influence:
        """Return by how much each pair is placed better than the area says."""
        n = len(self.truth)
        n_positive = self.truth.sum()
        n_negative = n - n_positive
        if not n_positive or not n_negative:
            return Influence(np.zeros(n), np.full(n, 1.0 / max(n, 1)))
        positive = np.add.reduceat(self.truth, self.starts)
        size = np.diff(self.starts, append=n)
        negative = size - positive
        below = (np.cumsum(negative) - negative / 2.0) / n_negative
        above = (n_positive - np.cumsum(positive) + positive / 2.0) / n_positive
        placed = np.where(self.truth > 0, np.repeat(below, size), np.repeat(above, size))
        area = float(placed[self.truth > 0].mean())
        each = np.where(self.truth > 0, n_positive, n_negative)
        values, share = np.empty(n), np.empty(n)
        values[self.order], share[self.order] = (placed - area) / each, 0.5 / each
        return Influence(values, share)


@checked_arguments
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
class MeanLoss:
    """The mean of a loss over pairs, `(n_pairs,)`; lower is better."""

    loss: Float64Array

    def __call__(self, viewer_counts: Int64Array, candidate_counts: Int64Array) -> float:
        """Return the mean loss when pairs count viewer times x candidate times."""
        times = viewer_counts * candidate_counts
        return float(times @ self.loss / times.sum()) if times.any() else float("nan")

    def influence(self) -> Influence:
        """Return by how much the loss of each pair exceeds the mean."""
        return influence_of_mean(self.loss)


@dataclass(frozen=True, eq=False)
class Brier(MeanLoss):
    """The mean of (p - y)^2 over pairs; lower is better.

    G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
    Review 78 (1950) 1-3.
    """

    @classmethod
    def of(cls, truth: npt.ArrayLike, probability: npt.ArrayLike) -> "Brier":
        """Prepare the metric for outcomes `(n,)` 0 or 1 and probabilities `(n,)`."""
        known = outcomes(truth)
        return cls((probabilities(probability, len(known)) - known) ** 2)


@checked_arguments
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
class LogLoss(MeanLoss):
    """The mean of -y ln p - (1 - y) ln(1 - p) over pairs; lower is better.

    I. J. Good, "Rational decisions", Journal of the Royal Statistical Society B 14 (1952) 107-114.
    """

    @classmethod
    def of(cls, truth: npt.ArrayLike, probability: npt.ArrayLike) -> "LogLoss":
        """Prepare the metric for outcomes `(n,)` 0 or 1 and probabilities `(n,)`."""
        known = outcomes(truth)
        p = np.clip(probabilities(probability, len(known)), LEAST, 1.0 - LEAST)
        return cls(-known * np.log(p) - (1.0 - known) * np.log1p(-p))


@checked_arguments
def log_loss(truth: npt.ArrayLike, probability: npt.ArrayLike) -> float:
    """Return the mean logarithmic loss in nats, 0 or more; NaN without pairs.

    >>> round(log_loss([1, 0], [0.5, 0.5]), 6)
    0.693147
    """
    metric = LogLoss.of(truth, probability)
    return sample_value(metric, len(metric.loss))
