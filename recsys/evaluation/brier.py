"""Brier score: the mean squared distance between probability and outcome."""

from dataclasses import dataclass

import numpy.typing as npt

from recsys.evaluation.aligned import outcomes, probabilities
from recsys.evaluation.measure import Floats, Times, once


@dataclass(frozen=True, eq=False)
class Brier:
    """The mean of (p - y)^2 over pairs; lower is better.

    G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
    Review 78 (1950) 1-3.
    """

    loss: Floats

    @classmethod
    def over(cls, truth: npt.ArrayLike, probability: npt.ArrayLike) -> "Brier":
        """Prepare the metric for outcomes `(n,)` 0 or 1 and probabilities `(n,)`."""
        known = outcomes(truth)
        return cls((probabilities(probability, len(known)) - known) ** 2)

    def __call__(self, viewer_times: Times, candidate_times: Times) -> float:
        """Return the mean loss when pairs count viewer times x candidate times."""
        times = viewer_times * candidate_times
        return float(times @ self.loss / times.sum()) if times.any() else float("nan")


def brier(truth: npt.ArrayLike, probability: npt.ArrayLike) -> float:
    """Return the Brier score in [0, 1]; NaN without pairs.

    >>> brier([1, 0], [0.75, 0.5])
    0.15625
    """
    measure = Brier.over(truth, probability)
    return once(measure, len(measure.loss))
