"""Folds over people: what is held out are persons, never single pairs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.models.calibration import Platt, fit_platt
from recsys.models.pair_design import PairDesign
from recsys.models.pair_logistic import Precisions, fit_pair_logistic
from recsys.models.training_data import LabelledPairs
from recsys.types import BoolArray, Float64Array, IntegerArray

_STANDARD_ERRORS = 2.0
"""By which a loss must exceed the least one to be told apart from it."""


def people_folds(
    pairs: LabelledPairs, n_people: int, n_folds: int, rng: np.random.Generator
) -> Iterator[tuple[BoolArray, BoolArray]]:
    """Yield, for each fold of people, which pairs to train on and which to predict.

    A pair with anybody of the fold is predicted, the others are trained on: nobody of the fold is
    seen, and both directions of a pair are always on the same side. A fold without pairs to train on
    or to predict is left out.
    """
    fold = rng.permutation(n_people) % n_folds
    of_viewer, of_candidate = fold[pairs.viewers], fold[pairs.candidates]
    for number in range(n_folds):
        held = (of_viewer == number) | (of_candidate == number)
        if held.any() and not held.all():
            yield ~held, held


def not_clearly_worse(losses: Float64Array, *groups: IntegerArray) -> BoolArray:
    """Return which choices cannot be told apart from the one with the least mean loss, `(n_choices,)`.

    losses: `(n_choices, n_rows)` held out. groups: `(n_rows,)` what rows have in common: one grouping, or the
    viewers and the candidates of pairs, whose differences then have a two-way variance. A choice is clearly
    worse by two standard errors.

    Where nothing clearly better is known, equal weights lose less than a choice, which follows the noise of
    what it was made on: Smith and Wallis, "A simple explanation of the forecast combination puzzle", Oxford
    Bulletin of Economics and Statistics 71 (2009) 331-355; the set is in the spirit of Hansen, Lunde and
    Nason, "The model confidence set", Econometrica 79 (2011) 453-497.

    >>> losses = np.array([[0.1, 0.3, 0.2, 0.2], [0.2, 0.2, 0.2, 0.22], [0.9, 0.8, 0.9, 0.8]])
    >>> not_clearly_worse(losses, np.arange(4)).tolist()
    [True, True, False]
    """
    more = losses - losses[np.argmin(losses.mean(axis=1))]
    residual = more - more.mean(axis=1, keepdims=True)
    variance = np.sum([_between(residual, group) for group in groups], axis=0)
    if len(groups) > 1:
        variance -= _between(residual, np.arange(losses.shape[1]))
    return np.asarray(more.sum(axis=1) <= _STANDARD_ERRORS * np.sqrt(np.maximum(variance, 0.0)))


def _between(residual: Float64Array, group: IntegerArray) -> Float64Array:
    """Return the sum of squares of the sums by group of each row, `(n_choices,)`."""
    _, of = np.unique(group, return_inverse=True)
    return np.array([np.sum(np.bincount(of, row) ** 2) for row in residual])


@dataclass(frozen=True, slots=True)
class ScoredPrecisions:
    """One choice of precisions, its held-out logits, and the losses of their rows after a Platt line."""

    strengths: Precisions
    logits: Float64Array
    losses: Float64Array

    @property
    def loss(self) -> float:
        """The mean loss."""
        return float(self.losses.mean())


@dataclass(frozen=True, slots=True)
class AveragedPrecisions:
    """Precisions whose fits are averaged, the best of them, and the Platt line of the mean of logits."""

    best: Precisions
    strengths: tuple[Precisions, ...]
    line: Platt


class CrossValidation:
    """Fits on the training pairs of each fold and keeps the logits of the pairs left out.

    design: all pairs; folds: which to train on and which to predict, see `people_folds`.
    """

    def __init__(self, design: PairDesign, folds: Sequence[tuple[BoolArray, BoolArray]]) -> None:
        self.design = design
        self.folds = folds
        self.curvature = design.curvature()
        self._known: dict[Precisions, ScoredPrecisions] = {}
        held_pairs = [design.pairs.take(held) for _, held in folds]
        self.labels = np.concatenate([pairs.labels for pairs in held_pairs])
        self.viewers = np.concatenate([pairs.viewers for pairs in held_pairs])
        self.candidates = np.concatenate([pairs.candidates for pairs in held_pairs])

    def best(self, choices: Sequence[Precisions]) -> Precisions:
        """Return the choice with the least log-loss after calibration, the first of equals."""
        new = [choice for choice in choices if choice not in self._known]
        for strengths, logits in zip(new, self._logits(new), strict=True):
            self._known[strengths] = ScoredPrecisions(strengths, logits, self._losses(logits))
        return min((self._known[choice] for choice in choices), key=lambda one: one.loss).strengths

    def averaged(self) -> AveragedPrecisions:
        """Return every choice tried that is not clearly worse than the best, for the mean of their fits."""
        tried = list(self._known.values())
        kept = not_clearly_worse(np.array([one.losses for one in tried]), self.viewers, self.candidates)
        logits = np.mean([one.logits for one, keep in zip(tried, kept, strict=True) if keep], axis=0)
        return AveragedPrecisions(
            best=min(tried, key=lambda one: one.loss).strengths,
            strengths=tuple(one.strengths for one, keep in zip(tried, kept, strict=True) if keep),
            line=fit_platt(logits, self.labels),
        )

    def _losses(self, logits: Float64Array) -> Float64Array:
        calibrated = fit_platt(logits, self.labels).logits(logits)
        return np.asarray(np.logaddexp(0.0, calibrated) - self.labels * calibrated, np.float64)

    def _logits(self, choices: Sequence[Precisions]) -> Float64Array:
        """Return held-out logits, `(n_choices, n_held)`; each fit starts from the one before."""
        parts = []
        for train, held in self.folds:
            learned, judged = self.design.take(train), self.design.take(held)
            theta, rows = None, []
            for strengths in choices:
                fit = fit_pair_logistic(learned, strengths, theta, curvature=self.curvature)
                theta = fit.theta
                rows.append(judged.logits(fit.weights))
            parts.append(np.array(rows))
        return np.hstack(parts)
