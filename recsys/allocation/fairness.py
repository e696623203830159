"""From welfare to Nash: what a person's expected matches are worth."""

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]


def worth(utility: Doubles, fairness: float, epsilon: float) -> float:
    """Return the sum over people of `((u + eps) ** (1 - f) - eps ** (1 - f)) / (1 - f)`, log at f = 1.

    The family of A. B. Atkinson, Journal of Economic Theory 2 (1970) 244-263: 0 is the sum of
    matches, 1 is Nash welfare, the sum of their logarithms.

    >>> worth(np.array([1.0, 3.0]), 0.0, 0.5)
    4.0
    """
    held = utility + epsilon
    if fairness == 1.0:
        return float(np.log(held / epsilon).sum())
    power = 1.0 - fairness
    return float(((held**power - epsilon**power) / power).sum())


def weights(utility: Doubles, fairness: float, epsilon: float) -> Doubles:
    """Return how much one more match of each person adds to `worth`, scaled to a mean of 1.

    >>> weights(np.array([0.0, 1.0]), 1.0, 1.0).round(3).tolist()
    [1.333, 0.667]
    """
    if fairness == 0.0 or not len(utility):
        return np.ones(len(utility))
    weight = (utility + epsilon) ** -fairness
    return weight / weight.mean()
