"""Area under the ROC curve: how often a pair that worked scores above one that did not."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.evaluation.aligned import outcomes, scores
from recsys.evaluation.measure import Floats, Times


@dataclass(frozen=True, eq=False)
class Auc:
    """The Mann-Whitney form, ties half: P(s+ > s-) + P(s+ = s-) / 2.

    J. A. Hanley and B. J. McNeil, "The meaning and use of the area under a receiver operating
    characteristic (ROC) curve", Radiology 143 (1982) 29-36.

    order:  `(n_pairs,)` positions by score, ascending.
    starts: first position of each group of equal scores within `order`.
    """

    order: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]
    truth: Floats

    @classmethod
    def over(cls, truth: npt.ArrayLike, score: npt.ArrayLike) -> "Auc":
        """Prepare the metric for outcomes `(n,)` 0 or 1 and scores `(n,)`."""
        known = outcomes(truth)
        values = scores(score, len(known))
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        new = np.ones(len(ordered), bool)
        new[1:] = ordered[1:] != ordered[:-1]
        return cls(order, np.flatnonzero(new), known[order])

    def __call__(self, viewer_times: Times, candidate_times: Times) -> float:
        """Return the area when pairs count viewer times x candidate times."""
        if not len(self.order):
            return float("nan")
        times = (viewer_times * candidate_times)[self.order].astype(np.float64)
        positive = np.add.reduceat(times * self.truth, self.starts)
        negative = np.add.reduceat(times * (1.0 - self.truth), self.starts)
        below = np.cumsum(negative) - negative
        n_pairs = positive.sum() * negative.sum()
        return float((positive * (below + negative / 2.0)).sum() / n_pairs) if n_pairs else float("nan")


def auc(truth: npt.ArrayLike, score: npt.ArrayLike, *, times: npt.ArrayLike | None = None) -> float:
    """Return the area under the ROC curve in [0, 1]; NaN when only one outcome occurs.

    `times` `(n,)` says how often each pair counts, once by default.

    One of the two pairs that worked is above both that did not (2 wins), the other is above one and
    ties with one (1.5 wins): 3.5 of 4.

    >>> auc([1, 0, 1, 0], [0.9, 0.5, 0.5, 0.1])
    0.875
    """
    measure = Auc.over(truth, score)
    n = len(measure.truth)
    counts = np.ones(n, np.int64) if times is None else np.asarray(times, np.int64)
    return measure(counts, np.ones(n, np.int64))
