"""Folds over people: what is held out are persons, never single pairs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.models.calibration import Platt, fit_platt
from recsys.models.pair_design import PairDesign
from recsys.models.pair_logistic import Precisions, fit_pair_logistic
from recsys.models.training_data import LabelledPairs
from recsys.types import BoolArray, Float64Array


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


@dataclass(frozen=True, slots=True)
class ScoredPrecisions:
    """One choice of precisions, the Platt line its held-out logits need, and their loss with it."""

    strengths: Precisions
    line: Platt
    loss: float


class CrossValidation:
    """Fits on the training pairs of each fold and keeps the logits of the pairs left out.

    design: all pairs; folds: which to train on and which to predict, see `people_folds`.
    """

    def __init__(self, design: PairDesign, folds: Sequence[tuple[BoolArray, BoolArray]]) -> None:
        self.design = design
        self.folds = folds
        self.curvature = design.curvature()
        self._known: dict[Precisions, ScoredPrecisions] = {}
        self.labels = np.concatenate([design.pairs.labels[held] for _, held in folds])

    def best(self, choices: Sequence[Precisions]) -> ScoredPrecisions:
        """Return the choice with the least log-loss after calibration, the first of equals."""
        new = [choice for choice in choices if choice not in self._known]
        for strengths, logits in zip(new, self._logits(new), strict=True):
            self._known[strengths] = self._scored(strengths, logits)
        return min((self._known[choice] for choice in choices), key=lambda one: one.loss)

    def _scored(self, strengths: Precisions, logits: Float64Array) -> ScoredPrecisions:
        line = fit_platt(logits, self.labels)
        calibrated = line.logits(logits)
        loss = np.mean(np.logaddexp(0.0, calibrated) - self.labels * calibrated)
        return ScoredPrecisions(strengths, line, float(loss))

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
