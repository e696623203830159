"""How two one-sided probabilities become one mutual score."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.errors import InputError, SettingsError, did_you_mean, explained

Probabilities = npt.NDArray[np.float64]
Combiner = Callable[[Probabilities, Probabilities], Probabilities]


def _product(p: Probabilities, q: Probabilities) -> Probabilities:
    """Return P(both like each other) if the two decisions are independent given the scores."""
    return p * q


def _harmonic(p: Probabilities, q: Probabilities) -> Probabilities:
    """Stay close to the smaller of the two (Pizzato et al., RECON, RecSys 2010)."""
    total = p + q
    return np.divide(2.0 * p * q, total, out=np.zeros_like(total), where=total > 0)


def _geometric(p: Probabilities, q: Probabilities) -> Probabilities:
    """Put the product on the scale of one probability (Neve & Palomares, RecSys 2019)."""
    return np.sqrt(p) * np.sqrt(q)


def _min(p: Probabilities, q: Probabilities) -> Probabilities:
    """Be as good as it is for the one it suits less."""
    return np.minimum(p, q)


def _cross_ratio(p: Probabilities, q: Probabilities) -> Probabilities:
    """Apply the cross-ratio uninorm (Yager & Rybalov 1996; Appel et al. 2017): neutral at one half.

    Certain yes against certain no is undefined; here it is no.
    """
    yes, no = p * q, (1.0 - p) * (1.0 - q)
    total = yes + no
    return np.divide(yes, total, out=np.zeros_like(total), where=total > 0)


COMBINERS: Final = MappingProxyType(
    {
        "product": _product,
        "harmonic": _harmonic,
        "geometric": _geometric,
        "min": _min,
        "cross_ratio": _cross_ratio,
    }
)
"""Every combiner by name: symmetric, rising in both probabilities, into [0, 1]."""


def combine(p: npt.ArrayLike, q: npt.ArrayLike, how: str = "product") -> Probabilities:
    """Return the mutual score of `p` = P(i likes j) and `q` = P(j likes i), float64 in [0, 1].

    `p` and `q` broadcast. `how` is one of product, harmonic, geometric, min, cross_ratio.

    Raises
    ------
    SettingsError
        For an unknown combiner.
    InputError
        When a value is not a probability.

    References
    ----------
    Neve and Palomares, "Aggregation strategies in user-to-user reciprocal recommender systems",
    IEEE SMC 2019.

    Examples
    --------
    >>> combine([0.5, 0.0], [0.5, 1.0]).tolist()
    [0.25, 0.0]
    >>> float(combine(0.5, 0.9, "cross_ratio").round(6))
    0.9
    """
    if how not in COMBINERS:
        raise SettingsError(explained("unknown combiner", got=how, remedy=did_you_mean(how, COMBINERS)))
    ours, theirs = np.broadcast_arrays(np.asarray(p, np.float64), np.asarray(q, np.float64))
    for name, values in (("p", ours), ("q", theirs)):
        if not ((values >= 0.0) & (values <= 1.0)).all():
            raise InputError(explained("a probability must lie in [0, 1]", where=name))
    return np.asarray(COMBINERS[how](ours, theirs), np.float64)
