"""What every metric looks like to the bootstrap: a number that depends on how often people count."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]


class Measure(Protocol):
    """A metric prepared over aligned pairs, asked again under other multiplicities.

    The pairs are fixed when the measure is made; a call says how often each pair's viewer and each
    pair's candidate count, both `(n_pairs,)` int64, all ones for the sample as it is. A measure that
    has nothing to average returns NaN.
    """

    def __call__(self, viewer_times: Times, candidate_times: Times) -> float:
        """Return the metric under these multiplicities."""
        ...


def once(measure: Measure, n_pairs: int) -> float:
    """Return a measure of the sample as it is.

    >>> once(lambda viewers, candidates: float((viewers * candidates).sum()), 3)
    3.0
    """
    ones = np.ones(n_pairs, np.int64)
    return measure(ones, ones)
