"""Platt scaling: an increasing line through logits, so that probabilities mean what they say."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from recsys.models.directed import sigmoid
from recsys.types import Float64Array

LEAST_SLOPE = 0.05
"""Calibration may flatten scores, but never turn or erase their order."""
_HALVINGS: Final = 30


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
    logits: Float64Array, labels: Float64Array, weights: Float64Array | None = None, *, evidence: float = 10.0
) -> Platt:
    """Fit slope and intercept by maximum likelihood, near the identity when there is little to learn.

    Each direction of a pair is one observation, so the fit calibrates P(i likes j); the logits must
    come from a model that did not see these people. One more observation, half yes and half no, at the
    mean logit and a pull of the slope to 1 worth `evidence` keep the fit finite when only one class
    was seen; nothing to learn from gives the identity.

    Source: Platt, 1999; Newton's method as in Lin, Lin & Weng, Machine Learning 2007.

    logits, labels, weights: `(n_pairs,)`; labels are 0 or 1, weights not negative.
    """
    weight = np.ones(len(logits)) if weights is None else weights
    total = float(weight.sum())
    if total <= 0.0:
        return Platt()
    centre = float((weight * logits).sum() / total)
    x = np.append(logits - centre, [0.0, 0.0])
    y, w = np.append(labels, [0.0, 1.0]), np.append(weight, [0.5, 0.5])
    theta = np.array([1.0, log_odds(float((w * y).sum() / w.sum()))])

    def loss_at(at: Float64Array) -> float:
        logits = at[0] * x + at[1]
        return float(w @ (np.logaddexp(0.0, logits) - y * logits) + evidence * (at[0] - 1.0) ** 2 / 2.0)

    loss = known_loss(loss_at)
    for _ in range(100):
        step = shortened(theta, _newton_step(theta, x, y, w, evidence), loss)
        theta = theta - step
        if np.abs(step).max() < 1e-10:
            break
    slope = max(float(theta[0]), LEAST_SLOPE)
    intercept = log_odds(float((w * y).sum() / w.sum())) if slope == LEAST_SLOPE else float(theta[1])
    return Platt(slope=slope, intercept=intercept - slope * centre)


def known_loss(loss: Callable[[Float64Array], float]) -> Callable[[Float64Array], float]:
    """Return the same loss, which is not computed again where it was looked at last.

    Where a step of `shortened` ends is where the next one begins.

    >>> looked_at = []
    >>> loss = known_loss(lambda at: looked_at.append(at) or float(at[0]))
    >>> loss(np.array([2.0])), loss(np.array([2.0])), len(looked_at)
    (2.0, 2.0, 1)
    """
    last: tuple[bytes, float] = b"", 0.0

    def at_or_known(at: Float64Array) -> float:
        nonlocal last
        if (place := at.tobytes()) != last[0]:
            last = place, loss(at)
        return last[1]

    return at_or_known


def shortened(theta: Float64Array, step: Float64Array, loss: Callable[[Float64Array], float]) -> Float64Array:
    """Return the Newton step, halved until `theta - step` has no greater loss.

    Without it a line of scores with a long tail leaps from side to side of its slope for ever.

    >>> shortened(np.array([1.0]), np.array([4.0]), lambda at: float(at[0] ** 2)).tolist()
    [2.0]
    """
    now = loss(theta)
    for _ in range(_HALVINGS):
        if loss(theta - step) <= now:
            break
        step = step / 2.0
    return step


def log_odds(share: float) -> float:
    """Return the logit of a share between 0 and 1."""
    return float(np.log(share) - np.log1p(-share))


def _newton_step(
    theta: Float64Array, x: Float64Array, y: Float64Array, w: Float64Array, evidence: float
) -> Float64Array:
    """Return the step on the penalised loss, shortened so that it never leaps."""
    p = sigmoid(theta[0] * x + theta[1])
    residual, curve = w * (p - y), np.maximum(w * p * (1.0 - p), 1e-12)
    gradient = np.array([(residual * x).sum() + evidence * (theta[0] - 1.0), residual.sum()])
    cross = (curve * x).sum()
    hessian = np.array([[(curve * x * x).sum() + evidence, cross], [cross, curve.sum()]])
    step = np.linalg.solve(hessian, gradient)
    return np.asarray(step / max(1.0, np.abs(step).max() / 2.0), np.float64)
