"""Factor analysis of questionnaire items with missing answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

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
        return _posterior(self, _Answered.of(items, self.mean))[0]

    def reconstruct(self, items: Float64Array) -> Float64Array:
        """Return the expected value of every item given the answered ones, `(n_people, n_items)`."""
        return np.asarray(self.mean + self.posterior_mean(items) @ self.loadings.T)

    def weighted_loadings(self) -> Float64Array:
        """Return the loadings by the inverse of the noise, `(n_items, n_factors)`."""
        if self.noise.ndim == 1:
            return self.loadings / self.noise[:, None]
        return np.asarray(np.linalg.solve(self.noise, self.loadings), np.float64)


@dataclass(frozen=True, eq=False)
class _Answered:
    """The items as every round of the fit takes them.

    seen:    `(n_people, n_items)` float64, 1 where answered.
    centred: `(n_people, n_items)`, items less their mean, 0 where not answered.
    """

    seen: Float64Array
    centred: Float64Array

    @classmethod
    def of(cls, items: Float64Array, mean: Float64Array) -> "_Answered":
        seen = ~np.isnan(items)
        return cls(seen.astype(np.float64), np.where(seen, items - mean, 0.0))

    @cached_property
    def count(self) -> Float64Array:
        """How many answered each item, `(n_items,)`."""
        return np.asarray(self.seen.sum(axis=0))

    @cached_property
    def squares(self) -> Float64Array:
        """The sum of squares of each item, `(n_items,)`."""
        return np.asarray((self.centred**2).sum(axis=0))

    @cached_property
    def products(self) -> Float64Array:
        """The sums of products of items, `(n_items, n_items)`."""
        return np.asarray(self.centred.T @ self.centred)


def _posterior(model: FactorModel, answered: _Answered) -> tuple[Float64Array, Float64Array]:
    """Return posterior means and covariances, `(n, k)` and `(n, k, k)`."""
    k = model.loadings.shape[1]
    weighted = model.weighted_loadings()
    row, column = np.triu_indices(k)  # the matrices are symmetric: one half is summed
    outer = weighted[:, row] * model.loadings[:, column]
    precision = np.eye(k) + _symmetric(answered.seen @ outer, k)
    covariance = 1.0 / precision if k == 1 else np.linalg.inv(precision)
    means = np.einsum("nab,nb->na", covariance, answered.centred @ weighted)
    return means, np.asarray(covariance, np.float64)


def _symmetric(halves: Float64Array, k: int) -> Float64Array:
    """Return symmetric matrices `(n, k, k)` from their upper halves, `(n, k * (k + 1) / 2)`."""
    row, column = np.triu_indices(k)
    place = np.empty((k, k), np.intp)
    place[row, column] = place[column, row] = np.arange(len(row))
    return halves[:, place]


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
    answered = _Answered.of(items, mean)
    model = FactorModel(mean, _start(answered, usual, together), np.full(n_items, believed.noise))
    for _ in range(rounds if len(items) else 0):
        model = _improved(model, answered, usual, believed, together)
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


def _start(answered: _Answered, usual: Float64Array, together: BoolArray | None) -> Float64Array:
    """Start from the principal directions, which EM only turns and sharpens."""
    n_people, n_factors = len(answered.centred), usual.shape[1]
    if n_factors == 1 or n_people == 0:
        return usual
    values, vectors = np.linalg.eigh(between_groups(answered.products / n_people, together))
    strongest = np.argsort(-values, kind="stable")[:n_factors]
    start = np.zeros_like(usual)
    start[:, : len(strongest)] = vectors[:, strongest] * np.sqrt(np.maximum(values[strongest], 1e-6))
    return start


def _improved(
    model: FactorModel,
    answered: _Answered,
    usual: Float64Array,
    prior: FactorPrior,
    together: BoolArray | None,
) -> FactorModel:
    k = usual.shape[1]
    row, column = np.triu_indices(k)
    factors, covariance = _posterior(model, answered)
    second = covariance[:, row, column] + factors[:, row] * factors[:, column]
    sums = _symmetric(answered.seen.T @ second, k) + prior.evidence * np.eye(k)
    cross = answered.centred.T @ factors + prior.evidence * usual
    loadings = np.asarray(np.linalg.solve(sums, cross[:, :, None])[:, :, 0], np.float64)
    squares = answered.squares - (loadings * cross).sum(axis=1)
    squares += prior.evidence * (prior.noise + (usual**2).sum(axis=1))
    known = answered.count + prior.evidence
    noise = np.maximum(squares / known, 1e-3)
    if together is not None:
        shared = answered.products - loadings @ cross.T + prior.evidence * usual @ usual.T
        shared = np.where(together, (shared + shared.T) / 2.0 / known, 0.0)
        np.fill_diagonal(shared, noise)
        noise = shared
    return FactorModel(model.mean, loadings, noise)


def _oriented(model: FactorModel) -> FactorModel:
    """Turn every factor so that its loadings sum to something positive."""
    signs = np.where(model.loadings.sum(axis=0) < 0, -1.0, 1.0)
    return FactorModel(model.mean, model.loadings * signs, model.noise)
