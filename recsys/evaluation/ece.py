"""Expected calibration error: how far stated probabilities are from what then happens."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import InputError, explained
from recsys.evaluation.aligned import outcomes, probabilities
from recsys.evaluation.measure import Floats, Times, once


@dataclass(frozen=True, eq=False)
class Ece:
    """The mean of |rate - mean probability| over bins of equal mass, weighted by their pairs.

    Bins hold equally many pairs (not equal widths, which leave most bins almost empty); equal
    probabilities share a bin. The bins stay as they are when people are resampled.

    K. Nguyen and B. O'Connor, "Posterior calibration and exploratory analysis for natural language
    processing models", EMNLP 2015, 1587-1598.
    """

    bins: npt.NDArray[np.intp]
    truth: Floats
    probability: Floats
    n_bins: int

    @classmethod
    def over(cls, truth: npt.ArrayLike, probability: npt.ArrayLike, *, n_bins: int = 10) -> "Ece":
        """Prepare the metric for outcomes `(n,)` 0 or 1 and probabilities `(n,)`.

        Raises InputError when `n_bins` is less than one.
        """
        if n_bins < 1:
            raise InputError(explained("no bin to put pairs in", got=n_bins, remedy="use 1 or more"))
        known = outcomes(truth)
        p = probabilities(probability, len(known))
        first_of_equals = np.searchsorted(np.sort(p), p, side="left")
        return cls(first_of_equals * n_bins // max(len(p), 1), known, p, n_bins)

    def sums(self, times: Floats) -> tuple[Floats, Floats, Floats]:
        """Return pairs, outcomes and probabilities summed by bin, each `(n_bins,)`."""

        def by_bin(values: Floats) -> Floats:
            return np.bincount(self.bins, values, minlength=self.n_bins).astype(np.float64)

        return by_bin(times), by_bin(times * self.truth), by_bin(times * self.probability)

    def __call__(self, viewer_times: Times, candidate_times: Times) -> float:
        """Return the error when pairs count viewer times x candidate times."""
        pairs, happened, said = self.sums((viewer_times * candidate_times).astype(np.float64))
        return float(np.abs(happened - said).sum() / pairs.sum()) if pairs.any() else float("nan")


def ece(truth: npt.ArrayLike, probability: npt.ArrayLike, *, n_bins: int = 10) -> float:
    """Return the expected calibration error in [0, 1]; NaN without pairs.

    Two bins: said 0.2 and nothing happened; said 0.8 and half happened.

    >>> round(ece([0, 0, 1, 0], [0.2, 0.2, 0.8, 0.8], n_bins=2), 3)
    0.25
    """
    measure = Ece.over(truth, probability, n_bins=n_bins)
    return once(measure, len(measure.truth))


def reliability_table(
    truth: npt.ArrayLike, probability: npt.ArrayLike, *, n_bins: int = 10, z: float = 1.96
) -> pd.DataFrame:
    """Return one row a bin of equal mass: what was said, what happened, and Wilson's interval.

    Columns: pairs, said (mean probability), happened (rate), lo, hi (of the rate), all in [0, 1].
    The interval is E. B. Wilson's, Journal of the American Statistical Association 22 (1927) 209-212;
    it takes pairs as independent, so it is for the eye and not for a verdict.

    >>> reliability_table([0, 0, 1, 0], [0.2, 0.2, 0.8, 0.8], n_bins=2)[["pairs", "said", "happened"]]
       pairs  said  happened
    0      2   0.2       0.0
    1      2   0.8       0.5
    """
    measure = Ece.over(truth, probability, n_bins=n_bins)
    pairs, happened, said = measure.sums(np.ones(len(measure.truth)))
    filled = pairs > 0
    n, rate = pairs[filled], happened[filled] / pairs[filled]
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return pd.DataFrame(
        {
            "pairs": n.astype(np.int64),
            "said": said[filled] / n,
            "happened": rate,
            "lo": np.maximum(centre - half, 0.0),
            "hi": np.minimum(centre + half, 1.0),
        }
    )
