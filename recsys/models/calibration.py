"""Platt scaling: an increasing line through logits, so that probabilities mean what they say."""

from dataclasses import dataclass

import numpy as np

from recsys.models.logistic_regression import logistic_regression
from recsys.types import Float64Array

LEAST_SLOPE = 0.05
"""Calibration may flatten scores, but never turn or erase their order."""


@dataclass(frozen=True, slots=True)
class Platt:
    """The calibrated logit is `slope * x + intercept`; slope is positive, so order is kept.

    >>> Platt(2.0, -1.0).logits(np.array([1.0]))
    array([1.])
    """

    slope: float = 1.0
    intercept: float = 0.0

    def logits(self, logits: Float64Array) -> Float64Array:
        """Return calibrated logits."""
        return self.slope * logits + self.intercept

    def then(self, other: "Platt") -> "Platt":
        """Return this line with another one after it.

        >>> Platt(2.0, 1.0).then(Platt(0.5, -1.0))
        Platt(slope=1.0, intercept=-0.5)
        """
        return Platt(other.slope * self.slope, other.slope * self.intercept + other.intercept)


def fit_platt(
    logits: Float64Array,
    labels: Float64Array,
    weights: Float64Array | None = None,
    *,
    evidence: float = 10.0,
    near: Platt | None = None,
) -> Platt:
    """Fit slope and intercept by maximum likelihood, near the identity when there is little to learn.

    Each direction of a pair is one observation, so the fit calibrates P(i likes j); the logits must
    come from a model that did not see these people. One more observation, half yes and half no, at the
    mean logit and a pull of the slope to 1 worth `evidence` keep the fit finite when only one class
    was seen; nothing to learn from gives the identity.

    Source: Platt, 1999; Newton's method as in Lin, Lin & Weng, Machine Learning 2007.

    logits, labels, weights: `(n_pairs,)`; labels are 0 or 1, weights not negative. near: a line to begin
    from, such as one of almost the same pairs; it changes the way, not the end.
    """
    weight = np.ones(len(logits)) if weights is None else weights
    total = float(weight.sum())
    if total <= 0.0:
        return Platt()
    centre = float(weight @ logits / total)
    x = np.append(logits - centre, [0.0, 0.0])
    y, w = np.append(labels, [0.0, 1.0]), np.append(weight, [0.5, 0.5])
    usual = np.array([1.0, log_odds(float(w @ y / w.sum()))])
    slope, level = logistic_regression(
        np.array([x, np.ones(len(x))]),
        y,
        w,
        offset=np.zeros(len(x)),
        mean=usual,
        precision=np.array([evidence, 0.0]),
        start=None if near is None else np.array([near.slope, near.intercept + near.slope * centre]),
    )
    if slope <= LEAST_SLOPE:
        slope, level = LEAST_SLOPE, usual[1]
    return Platt(slope=float(slope), intercept=float(level - slope * centre))


def fit_level(logits: Float64Array, labels: Float64Array) -> float:
    """Return what to add to logits so that their mean chance is the share of ones, of one more that is half.

    logits, labels: `(n_pairs,)`.

    >>> round(fit_level(np.full(8, 1.0), np.repeat([0.0, 1.0], 4)), 6)
    -1.0
    """
    x, y = np.append(logits, [logits.mean()] * 2), np.append(labels, [0.0, 1.0])
    level = logistic_regression(
        np.ones((1, len(x))),
        y,
        np.append(np.ones(len(logits)), [0.5, 0.5]),
        offset=x,
        mean=np.zeros(1),
        precision=np.zeros(1),
    )
    return float(level[0])


def log_odds(share: float) -> float:
    """Return the logit of a share between 0 and 1."""
    return float(np.log(share) - np.log1p(-share))
