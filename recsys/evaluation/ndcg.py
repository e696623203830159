"""Normalised discounted cumulative gain at k: relevant candidates, early places worth more."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.evaluation.measure import Floats, Times, once
from recsys.evaluation.ranked import Ranked, mean_over_viewers


def log_discount(k: int) -> Floats:
    """Return 1 / log2(place + 1) for places 1..k, `(k,)`.

    >>> log_discount(3).round(3).tolist()
    [1.0, 0.631, 0.5]
    """
    return np.asarray(1.0 / np.log2(np.arange(2, k + 2)))


@dataclass(frozen=True, eq=False)
class Ndcg:
    """The sum of 1 / log2(place + 1) over relevant candidates, divided by the best possible sum.

    Averaged over viewers who have a relevant candidate and at least `least_candidates` candidates in
    all. Equal scores share their places. K. Jaervelin and J. Kekaelaeinen, "Cumulated gain-based
    evaluation of IR techniques", ACM Transactions on Information Systems 20 (2002) 422-446.
    """

    ranked: Ranked
    k: int
    least_candidates: int = 1

    def per_viewer(self, candidate_times: Times) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return each viewer's value and whether it is defined, both `(n_viewers,)`."""
        discount = log_discount(self.k)
        gain, relevant = self.ranked.gains(candidate_times, discount)
        best = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(relevant, self.k)]
        defined = (relevant > 0) & (self.ranked.n_candidates >= self.least_candidates)
        return np.divide(gain, best, out=np.zeros_like(gain), where=defined), defined

    def __call__(self, viewer_times: Times, candidate_times: Times) -> float:
        """Return the mean under these multiplicities."""
        values, defined = self.per_viewer(candidate_times)
        return mean_over_viewers(values, viewer_times[self.ranked.first_pair] * defined)


def ndcg(
    viewer: npt.ArrayLike,
    truth: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    k: int,
    least_candidates: int = 1,
) -> float:
    """Return the mean NDCG at `k` over viewers with a relevant candidate, in [0, 1].

    Viewer a has one relevant candidate, in the second place: 1 / log2(3). Viewer b has none and does
    not count.

    >>> round(ndcg(["a", "a", "b"], [0, 1, 0], [0.9, 0.8, 0.7], k=5), 4)
    0.6309
    """
    ranked = Ranked.over(viewer, truth, score)
    return once(Ndcg(ranked, k, least_candidates), len(ranked.order))
