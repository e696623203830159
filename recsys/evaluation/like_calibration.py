"""A model's P(like | look) brought to a log by a small regression, for off-policy estimates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from recsys.catalogue.columns import Columns as C
from recsys.evaluation.protocol import numbers
from recsys.types import BoolArray, Float64Array

_PRECISION: Final = 30.0
"""Inverse variance of a slope beforehand: a standard deviation of a column moves a logit by .2 or so."""
_STEPS: Final = 10
_LEAST: Final = 1e-4
_SETTLED: Final = 1e-7


@dataclass(frozen=True, eq=False)
class LikeCalibration:
    """What is added to the logit of a model's P(like | look) so that it fits a log.

    A ridge regression on the logits of both predictions of a pair, its covariates, and the products of any
    two of these: what a model of each side by itself cannot know lies in what both sides have together. The
    pairs of the lists to be judged have a level of their own, so that a model that is wrong of just whom they
    prefer is brought to the log where it counts, as in targeted estimation (M. J. van der Laan and D. Rubin,
    The International Journal of Biostatistics 2 (2006), article 11; their weights are left out here).
    The general level is nearly free; the rest is drawn to 0, where the model stays as it is.

    center, scale: `(n_columns,)` of the log. slopes: `(2 + n_columns + n_products,)`.
    """

    center: Float64Array
    scale: Float64Array
    slopes: Float64Array

    @classmethod
    def fit(
        cls,
        predicted: tuple[Float64Array, Float64Array],
        covariates: Float64Array,
        listed: BoolArray,
        look: Float64Array,
        like: Float64Array,
    ) -> Self:
        """Fit to `(n,)` impressions: P(like | look) and P(back | like), `(n, n_covariates)`, looks, likes.

        listed: `(n,)` whether the pair is in the lists to be judged.
        An impression is liked with chance `look` times P(like | look), so one that brought no like counts
        less the less likely it was looked at.
        """
        columns = _columns(predicted, covariates)
        center, scale = columns.mean(axis=0), columns.std(axis=0)
        made = cls(center, np.where(scale > 1e-9, scale, 1.0), np.zeros(0))
        design, offset = made._design(columns, listed), _logit(predicted[0])
        precision = np.full(design.shape[1], _PRECISION)
        precision[0] = 1.0
        slopes = np.zeros(design.shape[1])
        for _ in range(_STEPS):
            p = expit(offset + design @ slopes)
            mean, slope = look * p, look * p * (1.0 - p)
            spread = np.maximum(mean * (1.0 - mean), 1e-9)
            curve = (design * (slope * slope / spread)[:, None]).T @ design + np.diag(precision)
            gradient = design.T @ ((like - mean) / spread * slope) - precision * slopes
            step = np.clip(np.linalg.solve(curve, gradient), -1.0, 1.0)
            slopes = slopes + step
            if np.abs(step).max() < _SETTLED:
                break
        return cls(made.center, made.scale, slopes)

    def __call__(
        self, predicted: tuple[Float64Array, Float64Array], covariates: Float64Array, listed: BoolArray
    ) -> Float64Array:
        """Return P(like | look) of `(n,)` pairs, in (0, 1)."""
        design = self._design(_columns(predicted, covariates), listed)
        return np.asarray(expit(_logit(predicted[0]) + design @ self.slopes))

    def _design(self, columns: Float64Array, listed: BoolArray) -> Float64Array:
        """Return a one, who is listed, the standardised columns and the products of two different ones."""
        one = np.clip((columns - self.center) / self.scale, -4.0, 4.0)
        first, second = np.triu_indices(one.shape[1], 1)
        return np.column_stack([np.ones(len(one)), listed, one, one[:, first] * one[:, second]])


def calibrated_likes(
    log: pd.DataFrame, look: Float64Array, lists: pd.DataFrame, covariates: Sequence[str]
) -> tuple[Float64Array, Float64Array]:
    """Return P(like | look) of impressions and of listed pairs by a model brought to the log, NaN unknown.

    look: `(n_impressions,)` chances that the place was looked at. covariates: columns of both tables.
    """
    shown, wanted = (
        _Pairs.of(table, covariates, where) for table, where in ((log, "the log"), (lists, "the lists"))
    )
    ids = [C.VIEWER, C.CANDIDATE]
    listed = pd.MultiIndex.from_frame(log[ids]).isin(pd.MultiIndex.from_frame(lists[ids]))
    of_log, of_lists = np.full(len(log), np.nan), np.full(len(lists), np.nan)
    at = shown.known
    if at.any():
        fitted = LikeCalibration.fit(
            shown.predicted, shown.covariates, listed[at], look[at], numbers(log, "like")[at]
        )
        of_log[at] = fitted(shown.predicted, shown.covariates, listed[at])
        every = np.ones(int(wanted.known.sum()), bool)
        of_lists[wanted.known] = fitted(wanted.predicted, wanted.covariates, every)
    return of_log, of_lists


@dataclass(frozen=True, eq=False)
class _Pairs:
    """What is known of the pairs of a table: predictions and covariates of the rows `known` `(n_rows,)`."""

    predicted: tuple[Float64Array, Float64Array]
    covariates: Float64Array
    known: BoolArray

    @classmethod
    def of(cls, table: pd.DataFrame, covariates: Sequence[str], where: str) -> Self:
        given = [numbers(table, name, where=where) for name in covariates]
        columns = np.column_stack(given) if given else np.empty((len(table), 0))
        first, second = (
            numbers(table, name, where=where) if name in table else np.full(len(table), np.nan)
            for name in (C.P_LIKE, C.P_LIKED_BACK)
        )
        known = np.isfinite(first + second + columns.sum(axis=1))
        return cls((first[known], second[known]), columns[known], known)


def _columns(predicted: tuple[Float64Array, Float64Array], covariates: Float64Array) -> Float64Array:
    return np.column_stack([*(_logit(one) for one in predicted), covariates])


def _logit(chance: Float64Array) -> Float64Array:
    return np.asarray(logit(np.clip(chance, _LEAST, 1.0 - _LEAST)))
