"""Scales found in the answers themselves, where a catalogue names none: which questions go together."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from recsys.features.factor_analysis import FactorPrior, between_groups, fit_factor_model, in_one_group
from recsys.types import Float64Array, Int64Array

MOST_SCALES: Final = 12
_STRONGEST: Final = 3
_ROUNDS: Final = 30
_LEAST_ITEMS: Final = 2
_LEAST_BOTH: Final = 3
_CURVE: Final = 0.6
"""Share of the variance of a factor that makes it a curve of others. In drawn surveys of two to four traits
and some 300 people it is .64 to .91 for curves, and at most .55 for traits however weak."""


def learn_scales(items: Float64Array, questions: tuple[str, ...]) -> tuple[str, ...]:
    """Return the scale of each question: a factor model with missing answers, rotated, and parted by factor.

    A scale is named by its strongest questions, the strongest first, as `learned:a+b+c`. With fewer than two
    questions, or answers of nobody, all stand on one scale.

    items: `(n_people, n_questions)` scores in [-1, 1], NaN where unanswered. Deterministic.

    >>> learn_scales(np.zeros((0, 2)), ("a", "b"))
    ('learned:a+b', 'learned:a+b')
    """
    n_factors = max(count_factors(items), 1)
    model = fit_factor_model(items, n_factors, prior=FactorPrior(evidence=10.0), rounds=_ROUNDS)
    strength = varimax(model.loadings / np.sqrt(model.noise + (model.loadings**2).sum(axis=1))[:, None])
    scale_of = _assigned(np.abs(strength))
    names = {}
    for scale in np.unique(scale_of):
        own = np.flatnonzero(scale_of == scale)
        order = own[np.argsort(-np.abs(strength[own, scale]), kind="stable")]
        names[scale] = "learned:" + "+".join(questions[at] for at in order[:_STRONGEST])
    return tuple(names[scale] for scale in scale_of)


def count_factors(items: Float64Array, groups: Sequence[int] | None = None) -> int:
    """Return how many factors stand out of noise, 0 to `MOST_SCALES`; 1 where too little is known to say.

    Eigenvalues of the correlations of those who answered both are held against the largest that noise of so
    many people and questions gives (Marchenko and Pastur 1967). A question that few answered counts for less.

    groups: see `fit_factor_model`; what items of one group share is no factor. Nor is the weakest factor
    where people's standings on it are a curve of their standings on the others: where answers are items of
    their own, those in the middle of one trait go together, which shows as a factor of "middle against ends"
    (the Guttman effect; M. J. Greenacre, "Theory and Applications of Correspondence Analysis", 1984).

    >>> count_factors(np.zeros((0, 3)))
    1
    """
    seen = (~np.isnan(items)).astype(np.float64)
    n_both = seen.T @ seen
    if items.shape[1] < 2 * _LEAST_ITEMS or n_both.mean() < _LEAST_BOTH:
        return 1
    count = np.maximum(seen.sum(axis=0), 1.0)
    mean = np.where(seen > 0, items, 0.0).sum(axis=0) / count
    centred = np.where(seen > 0, items - mean, 0.0)
    deviation = np.sqrt((centred**2).sum(axis=0) / count)
    scaled = centred / np.where(deviation > 0, deviation, 1.0)
    together = None if groups is None else in_one_group(groups)
    # noise of the usual size in every correlation: one of few people, which is mostly noise, counts for less
    certainty = np.sqrt(np.minimum(n_both / n_both.mean(), 1.0)) * (n_both >= _LEAST_BOTH)
    np.fill_diagonal(certainty, 1.0)
    correlations = scaled.T @ scaled / np.maximum(n_both, 1.0) * certainty
    values = np.linalg.eigvalsh(between_groups(correlations, together))
    n_apart = items.shape[1] if together is None else 1.0 + (~together).sum() / items.shape[1]
    noise = (1.0 + np.sqrt(n_apart / n_both.mean())) ** 2
    most = min(MOST_SCALES, items.shape[1] // _LEAST_ITEMS)
    n_factors = min(int((values > noise).sum()), most)
    answers = np.where(seen > 0, scaled, np.nan)
    while groups is not None and n_factors > 1 and _weakest_is_a_curve(answers, n_factors, groups):
        n_factors -= 1
    return n_factors


def _weakest_is_a_curve(items: Float64Array, n_factors: int, groups: Sequence[int]) -> bool:
    """Say whether the weakest factor, more than any other, is a function of the others.

    Each is regressed on the others with their squares, products and cubes. Where another one is a better
    function than the weakest, leaving the weakest out would not leave out the curve.
    """
    model = fit_factor_model(items, n_factors, prior=FactorPrior(), rounds=_ROUNDS, groups=groups)
    _, turn = np.linalg.eigh(model.loadings.T @ model.weighted_loadings())
    standing = model.posterior_mean(items) @ turn
    standing /= np.maximum(standing.std(axis=0), 1e-12)
    explained = [_explained_by_curves(standing, at) for at in range(n_factors)]
    return explained[0] > _CURVE and explained[0] >= max(explained)


def _explained_by_curves(standing: Float64Array, at: int) -> float:
    """Return the share of the variance of one column that a cubic of the others explains, in [0, 1]."""
    others = np.delete(standing, at, axis=1)
    first, second = np.triu_indices(others.shape[1])
    powers = [np.ones((len(others), 1)), others, others[:, first] * others[:, second], others**3]
    design = np.hstack(powers)
    left = standing[:, at] - design @ np.linalg.lstsq(design, standing[:, at], rcond=None)[0]
    return 1.0 - float(left.var()) / max(float(standing[:, at].var()), 1e-12)


def varimax(loadings: Float64Array, rounds: int = 100) -> Float64Array:
    """Return the loadings turned so that each question leans on few factors, `(n_questions, n_factors)`.

    Source: Kaiser, Psychometrika 1958.

    >>> varimax(np.array([[1.0], [0.5]])).tolist()
    [[1.0], [0.5]]
    """
    n_items, n_factors = loadings.shape
    if n_factors < 2:
        return loadings
    turn = np.eye(n_factors)
    last = 0.0
    for _ in range(rounds):
        turned = loadings @ turn
        target = turned**3 - turned * (turned**2).sum(axis=0) / n_items
        left, values, right = np.linalg.svd(loadings.T @ target)
        turn = left @ right
        if values.sum() <= last * (1 + 1e-8):
            break
        last = float(values.sum())
    return np.asarray(loadings @ turn, np.float64)


def _assigned(strength: Float64Array) -> Int64Array:
    """Return the factor of each question, `(n_questions,)`; one with a single question is given up."""
    left = strength.copy()
    while True:
        scale_of = left.argmax(axis=1)
        size = np.bincount(scale_of, minlength=left.shape[1])
        alone = np.flatnonzero((size > 0) & (size < _LEAST_ITEMS))
        if not len(alone) or (size > 0).sum() < 2:
            return scale_of.astype(np.int64)
        left[:, alone[0]] = -1.0
