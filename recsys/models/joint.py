"""The joint correction: two people of whom one likes the other agree more often than chance says."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_GRID = np.linspace(-0.2, 0.5, 71)
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Joint:
    """P(both) from two probabilities and the correlation of what they leave unexplained.

    `p q + correlation * sqrt(p (1 - p) q (1 - q))`, kept between the least and the most that two
    such events allow. 0 is the product.

    Source: Bahadur, "A representation of the joint distribution of responses to n dichotomous
    items", 1961.

    >>> Joint(0.1).both(np.array([0.5]), np.array([0.5])).tolist()
    [0.275]
    """

    correlation: float = 0.0

    def both(self, p: Floats, q: Floats) -> Floats:
        """Return P(both say yes), aligned."""
        together = p * q + self.correlation * np.sqrt(p * (1.0 - p) * q * (1.0 - q))
        return np.asarray(np.clip(together, np.maximum(p + q - 1.0, 0.0), np.minimum(p, q)), np.float64)

    def loss(self, p: Floats, q: Floats, match: Floats, weights: Floats) -> float:
        """Return the weighted log-loss of saying P(both) of pairs that matched or not."""
        chance = np.clip(self.both(p, q), _LEAST, 1.0 - _LEAST)
        return -float(weights @ (match * np.log(chance) + (1.0 - match) * np.log1p(-chance)))


def fit_joint(p: Floats, q: Floats, match: Floats, weights: Floats) -> Joint:
    """Return the correlation of greatest likelihood, if it helps on pairs it was not fitted on.

    Each half of the pairs judges the correlation the other half asks for; unless both together lose
    less than with the product, there is no correction.

    p, q, match, weights: `(n_pairs,)` of pairs both of whose decisions are known, in any order that
    has nothing to do with the outcome.
    """
    half = np.arange(len(p)) % 2 == 0
    if min(half.sum(), (~half).sum()) < 1:
        return Joint()
    corrected = product = 0.0
    for learn in (half, ~half):
        found = _best(p[learn], q[learn], match[learn], weights[learn])
        judged = (p[~learn], q[~learn], match[~learn], weights[~learn])
        corrected += found.loss(*judged)
        product += Joint().loss(*judged)
    return _best(p, q, match, weights) if corrected < product else Joint()


def _best(p: Floats, q: Floats, match: Floats, weights: Floats) -> Joint:
    return min((Joint(float(value)) for value in _GRID), key=lambda joint: joint.loss(p, q, match, weights))
