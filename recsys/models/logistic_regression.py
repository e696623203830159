"""Logistic regression with a normal prior, by Newton's method."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from recsys.types import Float64Array

PAIRS_AT_ONCE: Final = 16_384
"""Pairs whose numbers stay in a processor's cache while they are worked on."""
_MOST_STEPS: Final = 100
_HALVINGS: Final = 30
_LEAST_CURVE: Final = 1e-9
_SETTLED: Final = 1e-6
"""Each step squares what is left: after one of this size it is far below any difference that matters."""


class LossExpansion(NamedTuple):
    """A loss at some parameters, with gradient `(n_features,)` and curvature `(n_features, n_features)`."""

    loss: float
    gradient: Float64Array
    curvature: Float64Array


def logistic_regression(
    features: Float64Array,
    labels: Float64Array,
    weights: Float64Array,
    *,
    offset: Float64Array,
    mean: Float64Array,
    precision: Float64Array,
    start: Float64Array | None = None,
) -> Float64Array:
    """Return the posterior mode of a logistic regression, `(n_features,)`, by Newton's method.

    features: `(n_features, n_pairs)`. labels, weights, offset: `(n_pairs,)` 0 or 1, not negative, and what is
    added to the logit. mean, precision: `(n_features,)` of the normal prior. start: where to begin, at `mean`
    when None; it changes the way, not the end.

    >>> labels, free = np.array([1.0, 1.0, 1.0, 0.0]), np.zeros(1)
    >>> logistic_regression(
    ...     np.ones((1, 4)), labels, np.ones(4), offset=np.zeros(4), mean=free, precision=free
    ... ).round(3).tolist()
    [1.099]
    """

    def expansion(theta: Float64Array) -> LossExpansion:
        pull = precision * (theta - mean)
        loss, gradient, curvature = 0.5 * float(pull @ (theta - mean)), pull, np.diag(precision)
        for first in range(0, len(labels), PAIRS_AT_ONCE):
            part = slice(first, first + PAIRS_AT_ONCE)
            x, w, y = features[:, part], weights[part], labels[part]
            losses, p = log_losses(offset[part] + theta @ x, y)
            loss += float(w @ losses)
            gradient = gradient + x @ (w * (p - y))
            curvature = curvature + (x * (w * np.maximum(p * (1.0 - p), _LEAST_CURVE))) @ x.T
        return LossExpansion(loss, gradient, curvature)

    return newton(expansion, mean if start is None else start)


def newton(expansion: Callable[[Float64Array], LossExpansion], start: Float64Array) -> Float64Array:
    """Return where a convex loss is least; a step is halved until the loss is no greater after it.

    Without that a line of scores with a long tail leaps from side to side of its slope for ever.

    >>> def square(at):
    ...     return LossExpansion(float((at[0] - 3.0) ** 2), 2.0 * (at - 3.0), np.array([[2.0]]))
    >>> newton(square, np.array([2.5])).tolist()
    [3.0]
    """
    theta, here = start, expansion(start)
    for _ in range(_MOST_STEPS):
        step = np.linalg.solve(here.curvature, -here.gradient)
        length = float(np.abs(step).max(initial=0.0))
        if length < _SETTLED:
            return np.asarray(theta + step, np.float64)
        step /= max(1.0, length)
        there = expansion(theta + step)
        for _ in range(_HALVINGS):
            if there.loss <= here.loss:
                break
            step /= 2.0
            there = expansion(theta + step)
        theta, here = theta + step, there
    return theta


def log_losses(logits: Float64Array, labels: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return the log-loss of labels 0 or 1, and P(1), `(n_pairs,)` each.

    >>> losses, p = log_losses(np.array([0.0, 800.0]), np.array([1.0, 0.0]))
    >>> losses.round(3).tolist(), p.tolist()
    ([0.693, 800.0], [0.5, 1.0])
    """
    small = np.exp(-np.abs(logits))
    whole = 1.0 + small
    losses = np.maximum(logits, 0.0) - labels * logits + np.log(whole)
    return losses, np.where(logits >= 0.0, 1.0, small) / whole
