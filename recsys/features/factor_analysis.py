"""Factor analysis of questionnaire items with missing answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.types import BoolArray, Float64Array


@dataclass(frozen=True, eq=False)
class FactorModel:
    """Items explained by a few hidden factors: `x_q = mean_q + loadings_q . f + noise`.

    f is standard normal with `n_factors` dimensions, the noise of item q has variance `noise_q`.

    mean:     `(n_items,)`
    loadings: `(n_items, n_factors)`
    noise:    `(n_items,)`, positive; where items of a group share it its covariance, `(n_items, n_items)`.

    >>> model = FactorModel(np.zeros(2), np.ones((2, 1)), np.ones(2))
    >>> model.posterior_mean(np.array([[1.0, np.nan], [np.nan, np.nan]])).tolist()
    [[0.5], [0.0]]
    """

    mean: Float64Array
    loadings: Float64Array
    noise: Float64Array

    def posterior_mean(self, items: Float64Array) -> Float64Array:
        """Return the expected factors given the answered items, `(n_people, n_factors)`.

        items: `(n_people, n_items)`, NaN where unanswered. Nothing answered gives 0.
        """
        return _posterior(self, items)[0]

    def reconstruct(self, items: Float64Array) -> Float64Array:
        """Return the expected value of every item given the answered ones, `(n_people, n_items)`."""
        return np.asarray(self.mean + self.posterior_mean(items) @ self.loadings.T)

    def weighted_loadings(self) -> Float64Array:
        """Return the loadings by the inverse of the noise, `(n_items, n_factors)`."""
        if self.noise.ndim == 1:
            return self.loadings / self.noise[:, None]
        return np.asarray(np.linalg.solve(self.noise, self.loadings), np.float64)


def _posterior(model: FactorModel, items: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return posterior means and covariances, `(n, k)` and `(n, k, k)`."""
    k = model.loadings.shape[1]
    seen = ~np.isnan(items)
    weighted = model.weighted_loadings()
    outer = weighted[:, :, None] * model.loadings[:, None, :]
    precision = np.eye(k) + (seen.astype(np.float64) @ outer.reshape(len(model.mean), k * k)).reshape(
        -1, k, k
    )
    centred = np.where(seen, items - model.mean, 0.0)
    covariance = 1.0 / precision if k == 1 else np.linalg.inv(precision)
    pull = centred @ weighted
    means = np.einsum("nab,nb->na", covariance, pull)
    return means, np.asarray(covariance, np.float64)


@dataclass(frozen=True, slots=True)
class FactorPrior:
    """What is thought of every item before any answer, worth `evidence` people.

    loading:  the usual loading with one factor; with more it is 0.
    noise:    the usual variance of the noise.
    """

    loading: float = 0.4
    noise: float = 0.4
    evidence: float = 10.0


def fit_factor_model(
    items: Float64Array,
    n_factors: int = 1,
    *,
    prior: FactorPrior | None = None,
    rounds: int = 50,
    groups: Sequence[int] | None = None,
) -> FactorModel:
    """Fit a factor model by expectation-maximisation over the answered items alone.

    Source: Rubin & Thayer, Psychometrika 1982; the missing items drop out of each person's sums.
    The prior keeps the fit defined with few answers or none: with nobody the result is the prior.

    items: `(n_people, n_items)`, NaN where unanswered. Deterministic.
    groups: the group of each item, `(n_items,)`, None for each its own. Items of a group are answered all or
            not at all, such as the answers of one question, which exclude each other: what they share beside
            the factors is noise, so that no factor comes of one question alone.
    """
    together = None if groups is None else in_one_group(groups)
    believed = prior or FactorPrior()
    n_items = items.shape[1]
    seen = ~np.isnan(items)
    mean = np.where(seen, items, 0.0).sum(axis=0) / (seen.sum(axis=0) + 1.0)
    usual = np.full((n_items, n_factors), believed.loading if n_factors == 1 else 0.0)
    start = _start(np.where(seen, items - mean, 0.0), usual, together)
    model = FactorModel(mean, start, np.full(n_items, believed.noise))
    for _ in range(rounds if len(items) else 0):
        model = _improved(model, items, usual, believed, together)
    return _oriented(model)


def in_one_group(groups: Sequence[int]) -> BoolArray:
    """Return which two items are of one group, `(n_items, n_items)`.

    >>> in_one_group([0, 1, 1]).astype(int).tolist()
    [[1, 0, 0], [0, 1, 1], [0, 1, 1]]
    """
    of = np.asarray(groups)
    return np.asarray(of[:, None] == of[None, :], np.bool_)


def between_groups(products: Float64Array, together: BoolArray | None) -> Float64Array:
    """Return products of items, `(n_items, n_items)`, 0 between different items of one group."""
    if together is None:
        return products
    return np.where(together & ~np.eye(len(products), dtype=bool), 0.0, products)


def _start(centred: Float64Array, usual: Float64Array, together: BoolArray | None) -> Float64Array:
    """Start from the principal directions, which EM only turns and sharpens."""
    n_factors = usual.shape[1]
    if n_factors == 1 or len(centred) == 0:
        return usual
    values, vectors = np.linalg.eigh(between_groups(centred.T @ centred / len(centred), together))
    strongest = np.argsort(-values, kind="stable")[:n_factors]
    start = np.zeros_like(usual)
    start[:, : len(strongest)] = vectors[:, strongest] * np.sqrt(np.maximum(values[strongest], 1e-6))
    return start


def _improved(
    model: FactorModel,
    items: Float64Array,
    usual: Float64Array,
    prior: FactorPrior,
    together: BoolArray | None,
) -> FactorModel:
    n_items, k = usual.shape
    seen = ~np.isnan(items)
    centred = np.where(seen, items - model.mean, 0.0)
    factors, covariance = _posterior(model, items)
    second = (covariance + factors[:, :, None] * factors[:, None, :]).reshape(-1, k * k)
    sums = (seen.astype(np.float64).T @ second).reshape(n_items, k, k) + prior.evidence * np.eye(k)
    cross = centred.T @ factors + prior.evidence * usual
    loadings = np.asarray(np.linalg.solve(sums, cross[:, :, None])[:, :, 0], np.float64)
    squares = (centred**2).sum(axis=0) - (loadings * cross).sum(axis=1)
    squares += prior.evidence * (prior.noise + (usual**2).sum(axis=1))
    known = seen.sum(axis=0) + prior.evidence
    noise = np.maximum(squares / known, 1e-3)
    if together is not None:
        shared = centred.T @ centred - loadings @ cross.T + prior.evidence * usual @ usual.T
        shared = np.where(together, (shared + shared.T) / 2.0 / known, 0.0)
        np.fill_diagonal(shared, noise)
        noise = shared
    return FactorModel(model.mean, loadings, noise)


def _oriented(model: FactorModel) -> FactorModel:
    """Turn every factor so that its loadings sum to something positive."""
    signs = np.where(model.loadings.sum(axis=0) < 0, -1.0, 1.0)
    return FactorModel(model.mean, model.loadings * signs, model.noise)
