"""Off-policy evaluation: SNIPS over impressions whose propensity is known."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.arguments import checked_arguments
from recsys.errors import InputError, explained, warn
from recsys.evaluation.bootstrap import sample_value
from recsys.evaluation.intervals import Influence
from recsys.evaluation.probability import scores
from recsys.types import Float64Array, Int64Array

LEAST_EFFECTIVE: Final = 10.0
"""Below this effective size nothing is estimated."""
_LEAST_SUPPORT: Final = 0.9


@dataclass(frozen=True, eq=False)
class Snips:
    """The self-normalised mean of outcomes, each weighted by how much more often it would be shown.

    V = sum_n w_n r_n / sum_n w_n, with w_n = pi(shown_n) / propensity_n. Weights are cut at `most`
    (which trades a little bias for much variance); the normalisation removes the bias that a wrong
    overall level of the propensities would bring.

    A. Swaminathan and T. Joachims, "The self-normalized estimator for counterfactual learning",
    NeurIPS 2015.

    What is estimated is the rate of the pairs in the places that were drawn by chance. Those of minimum
    exposure are ends of lists: the value is that of the other lists' people when they stand there, not in
    their first places.

    >>> metric = Snips.of([1, 0] * 10, propensity=[0.5] * 20, shown=[1.0, 0.0] * 10)
    >>> metric(np.ones(20, np.int64), np.ones(20, np.int64))
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

    def support(self, n_listed: int) -> float:
        """Return what share of `n_listed` pairs of the other lists the log could have shown, about.

        Each impression of such a pair stands for 1 / propensity of them (D. G. Horvitz and D. J. Thompson,
        Journal of the American Statistical Association 47 (1952) 663-685).
        """
        return min(float(self.weight.sum()) / n_listed, 1.0) if n_listed else 1.0

    def influence(self) -> Influence:
        """Return by how much each impression is worth more than the mean."""
        share = self.weight / max(float(self.weight.sum()), 1e-300)
        return Influence(share * (self.outcome - float(share @ self.outcome)), share)

    def __call__(self, viewer_counts: Int64Array, candidate_counts: Int64Array) -> float:
        """Return the value when impressions count viewer times x candidate times.

        NaN when the effective size of the log is less than 10: so few say nothing.
        """
        if self.effective_size < LEAST_EFFECTIVE:
            return float("nan")
        weight = self.weight * viewer_counts * candidate_counts
        return float(weight @ self.outcome / weight.sum()) if weight.any() else float("nan")


@checked_arguments
def snips(
    outcome: npt.ArrayLike,
    propensity: npt.ArrayLike,
    shown: npt.ArrayLike,
    *,
    most: float = np.inf,
    n_listed: int | None = None,
) -> float:
    """Return the estimated mean outcome of an impression under other lists; NaN when too few are known.

    n_listed: how many pairs the other lists hold; a warning says when the log could not have shown a tenth
    of them, of whom nothing can be estimated.

    Of four, the first counts 1 / 0.5 = 2, the second 1 / 0.25 = 4, the others would not be shown:
    (2 * 1 + 4 * 0) / 6, and so of forty such.

    >>> round(snips([1, 0, 1, 1] * 10, [0.5, 0.25, 0.5, 0.5] * 10, [1, 1, 0, 0] * 10), 4)
    0.3333
    """
    metric = Snips.of(outcome, propensity, shown, most=most)
    if n_listed is not None and metric.support(n_listed) < _LEAST_SUPPORT:
        warn(
            f"the log could have shown about {metric.support(n_listed):.0%} of the pairs of these lists; "
            "the estimate is of these alone: give every pair a chance above 0"
        )
    return sample_value(metric, len(metric.outcome))
