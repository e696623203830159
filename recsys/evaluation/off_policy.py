"""Off-policy evaluation: SNIPS over impressions whose propensity is known."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.errors import InputError, explained
from recsys.evaluation.bootstrap import sample_value
from recsys.evaluation.probability import scores
from recsys.types import Float64Array, Int64Array


@dataclass(frozen=True, eq=False)
class Snips:
    """The self-normalised mean of outcomes, each weighted by how much more often it would be shown.

    V = sum_n w_n r_n / sum_n w_n, with w_n = pi(shown_n) / propensity_n. Weights are cut at `most`
    (which trades a little bias for much variance); the normalisation removes the bias that a wrong
    overall level of the propensities would bring.

    A. Swaminathan and T. Joachims, "The self-normalized estimator for counterfactual learning",
    NeurIPS 2015.

    >>> metric = Snips.of([1, 0], propensity=[0.5, 0.5], shown=[1.0, 0.0])
    >>> metric(np.ones(2, np.int64), np.ones(2, np.int64))
    1.0
    """

    weight: Float64Array
    outcome: Float64Array

    @classmethod
    def of(
        cls, outcome: npt.ArrayLike, propensity: npt.ArrayLike, shown: npt.ArrayLike, *, most: float = np.inf
    ) -> "Snips":
        """Prepare the metric for impressions: what came of each, its chance in the log, its chance now.

        outcome: `(n,)` any number. propensity: `(n,)` in (0, 1]. shown: `(n,)` in [0, 1], 1 where the
        other lists would show the pair.
        Raises InputError when a propensity is not in (0, 1] or a chance not in [0, 1].
        """
        reward = np.asarray(outcome, np.float64).reshape(-1)
        logged, now = scores(propensity, len(reward)), scores(shown, len(reward))
        wrong = (logged <= 0.0) | (logged > 1.0)
        if wrong.any():
            remedy = "leave out impressions that were not drawn with a known chance"
            got = float(logged[wrong][0])
            raise InputError(explained("a propensity is not in (0, 1]", got=got, remedy=remedy))
        if ((now < 0.0) | (now > 1.0)).any():
            raise InputError(explained("a chance of being shown is not in [0, 1]"))
        return cls(np.minimum(now / logged, most), reward)

    @property
    def effective_size(self) -> float:
        """How many evenly weighted impressions would say as much, (sum w)^2 / sum w^2 (Kish)."""
        total = self.weight.sum()
        return float(total * total / (self.weight @ self.weight)) if total else 0.0

    def __call__(self, viewer_counts: Int64Array, candidate_counts: Int64Array) -> float:
        """Return the value when impressions count viewer times x candidate times."""
        weight = self.weight * viewer_counts * candidate_counts
        return float(weight @ self.outcome / weight.sum()) if weight.any() else float("nan")


def snips(
    outcome: npt.ArrayLike, propensity: npt.ArrayLike, shown: npt.ArrayLike, *, most: float = np.inf
) -> float:
    """Return the estimated mean outcome of an impression under other lists; NaN when they show none.

    The first impression counts 1 / 0.5 = 2, the second 1 / 0.25 = 4, the third would not be shown:
    (2 * 1 + 4 * 0) / 6.

    >>> round(snips([1, 0, 1], [0.5, 0.25, 0.5], [1, 1, 0]), 4)
    0.3333
    """
    metric = Snips.of(outcome, propensity, shown, most=most)
    return sample_value(metric, len(metric.outcome))
