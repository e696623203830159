"""Recall at k: the share of the candidates who work out that the first k places show."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.evaluation.measure import Times, once
from recsys.evaluation.ranked import Ranked, mean_over_viewers


@dataclass(frozen=True, eq=False)
class Recall:
    """(relevant candidates in places 1..k) / (relevant candidates), over viewers who have one."""

    ranked: Ranked
    k: int

    def __call__(self, viewer_times: Times, candidate_times: Times) -> float:
        """Return the mean recall under these multiplicities."""
        hits, relevant = self.ranked.gains(candidate_times, np.ones(self.k))
        counted = viewer_times[self.ranked.first_pair] * (relevant > 0)
        return mean_over_viewers(hits / np.maximum(relevant, 1), counted)


def recall(viewer: npt.ArrayLike, truth: npt.ArrayLike, score: npt.ArrayLike, *, k: int) -> float:
    """Return the mean recall at `k` over viewers with a relevant candidate, in [0, 1].

    >>> recall(["a", "a", "a", "b"], [1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6], k=2)
    0.5
    """
    ranked = Ranked.over(viewer, truth, score)
    return once(Recall(ranked, k), len(ranked.order))
