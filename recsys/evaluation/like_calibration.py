"""A model's P(like | look) brought to a log by a small regression, for off-policy estimates."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from scipy.special import expit, logit

from recsys.types import Float64Array

_PRECISION: Final = 30.0
"""Inverse variance of a slope beforehand: a standard deviation of a column moves a logit by .2 or so."""
_STEPS: Final = 10
_LEAST: Final = 1e-4


@dataclass(frozen=True, eq=False)
class LikeCalibration:
    """What is added to the logit of a model's P(like | look) so that it fits a log.

    A ridge regression on the logits of both predictions of a pair, its covariates, and the products of any
    two of these: what a model of each side by itself cannot know lies in what both sides have together. The
    level is nearly free; slopes are drawn to 0, where the model stays as it is.

    center, scale: `(n_columns,)` of the log. slopes: `(1 + n_columns + n_products,)`.
    """

    center: Float64Array
    scale: Float64Array
    slopes: Float64Array

    @classmethod
    def fit(
        cls,
        predicted: tuple[Float64Array, Float64Array],
        covariates: Float64Array,
        look: Float64Array,
        like: Float64Array,
    ) -> Self:
        """Fit to `(n,)` impressions: P(like | look) and P(back | like), `(n, n_covariates)`, looks, likes.

        An impression is liked with chance `look` times P(like | look), so one that brought no like counts
        less the less likely it was looked at.
        """
        columns = _columns(predicted, covariates)
        center, scale = columns.mean(axis=0), columns.std(axis=0)
        made = cls(center, np.where(scale > 1e-9, scale, 1.0), np.zeros(0))
        design, offset = made._design(columns), _logit(predicted[0])
        precision = np.full(design.shape[1], _PRECISION)
        precision[0] = 1.0
        slopes = np.zeros(design.shape[1])
        for _ in range(_STEPS):
            p = expit(offset + design @ slopes)
            mean, slope = look * p, look * p * (1.0 - p)
            spread = np.maximum(mean * (1.0 - mean), 1e-9)
            curve = (design * (slope * slope / spread)[:, None]).T @ design + np.diag(precision)
            gradient = design.T @ ((like - mean) / spread * slope) - precision * slopes
            slopes = slopes + np.clip(np.linalg.solve(curve, gradient), -1.0, 1.0)
        return cls(made.center, made.scale, slopes)

    def __call__(
        self, predicted: tuple[Float64Array, Float64Array], covariates: Float64Array
    ) -> Float64Array:
        """Return P(like | look) of `(n,)` pairs, in (0, 1)."""
        design = self._design(_columns(predicted, covariates))
        return np.asarray(expit(_logit(predicted[0]) + design @ self.slopes))

    def _design(self, columns: Float64Array) -> Float64Array:
        """Return a one, the standardised columns and the products of two different ones."""
        one = np.clip((columns - self.center) / self.scale, -4.0, 4.0)
        first, second = np.triu_indices(one.shape[1], 1)
        return np.column_stack([np.ones(len(one)), one, one[:, first] * one[:, second]])


def _columns(predicted: tuple[Float64Array, Float64Array], covariates: Float64Array) -> Float64Array:
    return np.column_stack([*(_logit(one) for one in predicted), covariates])


def _logit(chance: Float64Array) -> Float64Array:
    return np.asarray(logit(np.clip(chance, _LEAST, 1.0 - _LEAST)))
