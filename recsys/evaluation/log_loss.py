"""Logarithmic loss: how surprised the probabilities are by what happened, in nats."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.evaluation.aligned import outcomes, probabilities
from recsys.evaluation.measure import Floats, Times, once

LEAST: Final = 1e-12
"""Probabilities are kept this far from 0 and 1, so that one certain mistake stays finite."""


@dataclass(frozen=True, eq=False)
class LogLoss:
    """The mean of -y ln p - (1 - y) ln(1 - p) over pairs; lower is better.

    I. J. Good, "Rational decisions", Journal of the Royal Statistical Society B 14 (1952) 107-114.
    """

    loss: Floats

    @classmethod
    def over(cls, truth: npt.ArrayLike, probability: npt.ArrayLike) -> "LogLoss":
        """Prepare the metric for outcomes `(n,)` 0 or 1 and probabilities `(n,)`."""
        known = outcomes(truth)
        p = np.clip(probabilities(probability, len(known)), LEAST, 1.0 - LEAST)
        return cls(-known * np.log(p) - (1.0 - known) * np.log1p(-p))

    def __call__(self, viewer_times: Times, candidate_times: Times) -> float:
        """Return the mean loss when pairs count viewer times x candidate times."""
        times = viewer_times * candidate_times
        return float(times @ self.loss / times.sum()) if times.any() else float("nan")


def log_loss(truth: npt.ArrayLike, probability: npt.ArrayLike) -> float:
    """Return the mean logarithmic loss in nats, 0 or more; NaN without pairs.

    >>> round(log_loss([1, 0], [0.5, 0.5]), 6)
    0.693147
    """
    measure = LogLoss.over(truth, probability)
    return once(measure, len(measure.loss))
