"""Precision at k: the share of the first k places that hold a candidate who worked out."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.evaluation.measure import Times, once
from recsys.evaluation.ranked import Ranked, mean_over_viewers


@dataclass(frozen=True, eq=False)
class Precision:
    """(relevant candidates in places 1..k) / k, averaged over all viewers.

    The denominator is k for a short list too: an empty place helps nobody.
    """

    ranked: Ranked
    k: int

    def __call__(self, viewer_times: Times, candidate_times: Times) -> float:
        """Return the mean precision under these multiplicities."""
        hits, _ = self.ranked.gains(candidate_times, np.ones(self.k))
        return mean_over_viewers(hits / self.k, viewer_times[self.ranked.first_pair])


def precision(viewer: npt.ArrayLike, truth: npt.ArrayLike, score: npt.ArrayLike, *, k: int) -> float:
    """Return the mean precision at `k` over viewers, in [0, 1]; NaN without pairs.

    >>> precision(["a", "a", "a", "b"], [1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6], k=2)
    0.25
    """
    ranked = Ranked.over(viewer, truth, score)
    return once(Precision(ranked, k), len(ranked.order))
