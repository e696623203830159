"""What a pair regression says about people it was not fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.models.calibration import Platt, fit_platt
from recsys.models.pair_logistic import PairDesign, Strengths, fit_pair_logistic

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scored:
    """One choice of precisions, the Platt line its held-out logits need, and their loss with it."""

    strengths: Strengths
    line: Platt
    loss: float


class HeldOut:
    """Fits on the training pairs of each fold and keeps the logits of the pairs left out.

    design: all pairs; folds: which to train on and which to predict, see `people_folds`.
    """

    def __init__(self, design: PairDesign, folds: Sequence[tuple[Mask, Mask]]) -> None:
        self.design = design
        self.folds = folds
        self.curvature = design.curvature()
        self._known: dict[Strengths, Scored] = {}
        self.labels = np.concatenate([design.pairs.labels[held] for _, held in folds])

    def best(self, choices: Sequence[Strengths]) -> Scored:
        """Return the choice with the least log-loss after calibration, the first of equals."""
        new = [choice for choice in choices if choice not in self._known]
        for strengths, logits in zip(new, self._logits(new), strict=True):
            self._known[strengths] = self._scored(strengths, logits)
        return min((self._known[choice] for choice in choices), key=lambda one: one.loss)

    def _scored(self, strengths: Strengths, logits: Floats) -> Scored:
        line = fit_platt(logits, self.labels)
        calibrated = line.logits(logits)
        loss = np.mean(np.logaddexp(0.0, calibrated) - self.labels * calibrated)
        return Scored(strengths, line, float(loss))

    def _logits(self, choices: Sequence[Strengths]) -> Floats:
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
