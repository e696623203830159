"""Intervals over people on both sides: two-way variance from the influence of each pair, no resampling."""

from dataclasses import dataclass
from typing import Final, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from recsys.types import Float64Array, IndexArray, Int64Array

_MOST_SHARE: Final = 0.5
"""A person's share of a metric is taken as no more than this."""
_FEWEST_DEGREES: Final = 4.0
"""Of a variance that is known no better, the fourth powers say nothing."""


@dataclass(frozen=True, eq=False)
class Influence:
    """What each pair moves a metric by, to first order, and its share of the metric.

    values: `(n_pairs,)`, sum 0: the value less what it would be without the pair, about.
    share:  `(n_pairs,)` of 0 or more, sum 1.
    """

    values: Float64Array
    share: Float64Array

    def on(self, pairs: IndexArray, n_pairs: int) -> "Influence":
        """Return the influences among `n_pairs` pairs of which these are the chosen."""
        return Influence(_scattered(self.values, pairs, n_pairs), _scattered(self.share, pairs, n_pairs))

    def minus(self, other: "Influence") -> "Influence":
        """Return the influences on the difference of two metrics of the same pairs."""
        return Influence(self.values - other.values, (self.share + other.share) / 2.0)


def influence_of_mean(values: Float64Array) -> Influence:
    """Return the influences on a mean over pairs.

    >>> influence_of_mean(np.array([0.0, 1.0])).values.tolist()
    [-0.25, 0.25]
    """
    n = max(len(values), 1)
    return Influence((values - values.mean()) / n if len(values) else values, np.full(len(values), 1.0 / n))


def _scattered(values: Float64Array, pairs: IndexArray, n_pairs: int) -> Float64Array:
    whole = np.zeros(n_pairs)
    whole[pairs] = values
    return whole


@runtime_checkable
class SmoothMetric(Protocol):
    """A `PairMetric` that knows the influence of each of its pairs."""

    def __call__(self, viewer_counts: Int64Array, candidate_counts: Int64Array) -> float:
        """Return the metric under these multiplicities."""
        ...

    def influence(self) -> Influence:
        """Return the influence of each pair on the metric of the sample as it is."""
        ...


def corrected(sums: Float64Array, share: Float64Array) -> Float64Array:
    """Return the sums of people with the squares they would have were the metric known beside the sample.

    A sum is of what differs from the sample's own metric, of which a person holds a share themselves. See
    R. M. Bell and D. F. McCaffrey, "Bias reduction in standard errors for linear regression with
    multi-stage samples", Survey Methodology 28 (2002) 169-181.
    """
    return np.asarray(sums / np.sqrt(1.0 - np.minimum(share, _MOST_SHARE)))


@dataclass(frozen=True, eq=False)
class Dyads:
    """Who stands in each pair, and which pairs are of the same two people.

    viewer, candidate: positions below `n_people`; dyad: below `n_dyads`; `(n_pairs,)` each.
    """

    viewer: IndexArray
    candidate: IndexArray
    dyad: IndexArray
    n_people: int
    n_dyads: int

    @classmethod
    def of(cls, viewer: npt.NDArray[np.integer], candidate: npt.NDArray[np.integer], n_people: int) -> Self:
        """Return the pairs with the unordered pairs of people numbered."""
        a, b = np.asarray(viewer, np.int64), np.asarray(candidate, np.int64)
        found, dyad = np.unique(np.minimum(a, b) * max(n_people, 1) + np.maximum(a, b), return_inverse=True)
        return cls(a, b, dyad.reshape(-1), n_people, len(found))

    def by_person(self, values: Float64Array) -> Float64Array:
        """Return the sum of values over the pairs each person stands in, `(n_people,)`."""
        own = np.bincount(self.viewer, values, self.n_people)
        apart = np.where(self.viewer == self.candidate, 0.0, values)
        return np.asarray(own + np.bincount(self.candidate, apart, self.n_people), np.float64)

    def by_dyad(self, values: Float64Array) -> Float64Array:
        """Return the sum of values over the one or two pairs of two people, `(n_dyads,)`."""
        return np.asarray(np.bincount(self.dyad, values, self.n_dyads), np.float64)

    def sums(self, influence: Influence) -> tuple[Float64Array, Float64Array]:
        """Return the influence of each person and each two people, corrected for few people."""
        person, dyad = self.by_person(influence.values), self.by_dyad(influence.values)
        return (
            corrected(person, self.by_person(influence.share)),
            corrected(dyad, self.by_dyad(influence.share)),
        )

    def error(self, influence: Influence) -> tuple[float, float]:
        """Return the standard error of a metric and the degrees of freedom it is known with.

        People less dyads: pairs that share one person are dependent, and those that share both were
        counted twice. The degrees are those of this difference (F. E. Satterthwaite, Biometrics Bulletin 2
        (1946) 110-114): it is small where pairs depend little on people, and as uncertain as its first part.

        P. M. Aronow, C. Samii and V. A. Assenova, "Cluster-robust variance estimation for dyadic data",
        Political Analysis 23 (2015) 564-577; A. C. Cameron, J. B. Gelbach and D. L. Miller, "Robust
        inference with multiway clustering", Journal of Business and Economic Statistics 29 (2011) 238-249.
        """
        person, dyad = self.sums(influence)
        of_people, of_dyads = float(person @ person), float(dyad @ dyad)
        variance = of_people - of_dyads
        if variance <= 0.0:
            variance = of_dyads
        fourth = float((person**4).sum())
        degrees = 3.0 * variance**2 / fourth if fourth > 0.0 else np.inf
        most = max(self.n_people - 1.0, _FEWEST_DEGREES)
        return float(np.sqrt(variance)), float(np.clip(degrees, _FEWEST_DEGREES, most))
