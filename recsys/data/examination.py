"""Examination curves: the probability that a place of a list or an inbox is looked at (position bias)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from recsys.errors import SettingsError, explained
from recsys.kernels import kernel
from recsys.types import BoolArray, Float32Array, Float64Array

UNREAD: Final = 0
POWER: Final = 1
EXPONENTIAL: Final = 2
LOGARITHMIC: Final = 3

Decay = float | str
"""How a setting names a curve: a number d for r ** -d, "exponential", "logarithmic", or "none" for never."""

_PRIOR_DECAY: Final = 0.5
_PRIOR_WEIGHT: Final = 50.0
"""The fitted decay is pulled to 0.5 as if by so much information, so that few exposures move it little."""
_NAMED: Final = MappingProxyType({"none": UNREAD, "exponential": EXPONENTIAL, "logarithmic": LOGARITHMIC})


@dataclass(frozen=True, slots=True)
class Examination:
    """The position-based model: place r, from 1 and not only whole numbers, is looked at with P(r).

    kind: POWER is r ** -decay, EXPONENTIAL is exp(-decay (r - 1)) (geometric over whole places),
    LOGARITHMIC is 1 / log2(r + 1), UNREAD is 0.

    N. Craswell et al., "An experimental comparison of click position-bias models", WSDM 2008.

    >>> Examination.of(1.0).at([1, 2, 4]).tolist(), Examination.of("none").at([1, 2]).tolist()
    ([1.0, 0.5, 0.25], [0.0, 0.0])
    >>> LOGARITHMIC_EXAMINATION([1, 3]).tolist(), EXPONENTIAL_EXAMINATION([1, 2]).round(3).tolist()
    ([1.0, 0.5], [1.0, 0.368])
    """

    kind: int = POWER
    decay: float = _PRIOR_DECAY

    @classmethod
    def of(cls, decay: Decay, *, where: str = "examination") -> Self:
        """Return the curve a setting names.

        Raises SettingsError for what is neither a number from 0 nor the name of a curve.
        """
        if isinstance(decay, str) and decay in _NAMED:
            return cls(_NAMED[decay], 0.0 if decay == "none" else 1.0)
        number = isinstance(decay, int | float) and not isinstance(decay, bool)
        if not (number and 0.0 <= float(decay) < np.inf):
            remedy = 'use a number d for r ** -d, "exponential", "logarithmic" or "none"'
            raise SettingsError(explained("not a way to read a list", where=where, got=decay, remedy=remedy))
        return cls(POWER, float(decay))

    def __call__(self, place: npt.ArrayLike) -> Float64Array:
        """Return `at(place)`: a curve can be given wherever a function of the place is asked for."""
        return self.at(place)

    def at(self, place: npt.ArrayLike) -> Float64Array:
        """Return the probability of each place, in the shape of `place`."""
        r = np.asarray(place, dtype=np.float64)
        if self.kind == POWER:
            return 1.0 / r if self.decay == 1.0 else r**-self.decay
        if self.kind == EXPONENTIAL:
            return np.asarray(np.exp(-self.decay * (r - 1.0)))
        return np.asarray(1.0 / np.log2(r + 1.0)) if self.kind == LOGARITHMIC else np.zeros(r.shape)

    def position_weights(self, k: int) -> Float32Array:
        """Return the probabilities of the places 1 to k, `(k,)` float32."""
        return self.at(np.arange(1, k + 1)).astype(np.float32)

    def of_logged(self, place: Float64Array, *, unknown: float = 0.5, most: float = 0.98) -> Float64Array:
        """Return the probabilities of logged places; `unknown` where the place is NaN or below 1.

        most: no exposure is taken as looked at more surely than this.

        >>> Examination().of_logged(np.array([1.0, 4.0, np.nan])).tolist()
        [0.98, 0.5, 0.5]
        """
        known = np.isfinite(place) & (place >= 1.0)
        return np.minimum(np.where(known, self.at(np.where(known, place, 1.0)), unknown), most)

    @classmethod
    def fit(cls, place: Float64Array, answered: BoolArray) -> Self:
        """Fit the decay of a power law by a Poisson regression of answers on the logarithm of the place.

        Valid as it is only for lists in random order: where better candidates stood higher, the decay
        comes out too steep. A Gaussian prior around 0.5 keeps it when there is little to learn from.

        place:    `(n_exposures,)` from 1, NaN unknown.
        answered: `(n_exposures,)` liked, passed or hid.
        """
        known = np.isfinite(place) & (place >= 1.0)
        if not answered[known].any():
            return cls()
        whole = place[known].astype(np.int64)
        shown = np.bincount(whole)[1:].astype(np.float64)
        answers = np.bincount(whole, answered[known])[1:]
        x = -np.log(np.arange(1, len(shown) + 1))
        decay, level = _PRIOR_DECAY, float(np.log(answers.sum() / shown.sum()))
        for _ in range(50):
            mean = shown * np.exp(np.minimum(level + decay * x, 0.0))
            residual = answers - mean
            gradient = np.array([residual.sum(), residual @ x - _PRIOR_WEIGHT * (decay - _PRIOR_DECAY)])
            cross = mean @ x
            hessian = np.array([[mean.sum() + 1e-9, cross], [cross, mean @ (x * x) + _PRIOR_WEIGHT]])
            step = np.clip(np.linalg.solve(hessian, gradient), -0.5, 0.5)
            level, decay = level + float(step[0]), float(np.clip(decay + step[1], 0.0, 2.0))
        return cls(POWER, decay)


def credited(
    pair: npt.NDArray[np.integer],
    ts: npt.NDArray[np.integer],
    answered_pair: npt.NDArray[np.integer],
    answered_ts: npt.NDArray[np.integer],
) -> tuple[BoolArray, BoolArray]:
    """Return which exposures are open, not after an answer of their pair, and which an answer followed.

    An answer is credited to the latest exposure of its pair that is not later than it. Credited to all of
    them, pairs shown often make every place look answered, and the decay comes out too flat.

    pair, ts: `(n_exposures,)` number of the pair and time. answered_pair, answered_ts: `(n_answers,)` the
    first answer of each pair that has one.

    >>> shown, days = np.array([7, 7, 7, 8]), np.array([1, 3, 9, 2])
    >>> open_, answered = credited(shown, days, np.array([7]), np.array([4]))
    >>> open_.tolist(), answered.tolist()
    ([True, True, False, True], [False, True, False, False])
    """
    order = np.argsort(answered_pair, kind="stable")
    known, times = answered_pair[order], answered_ts[order]
    answered = np.zeros(len(pair), bool)
    if not len(known):
        return np.ones(len(pair), bool), answered
    at = np.searchsorted(known, pair).clip(0, len(known) - 1)
    has = known[at] == pair
    open_ = ~has | (ts <= times[at])
    rows = np.flatnonzero(has & open_)
    rows = rows[np.lexsort((ts[rows], pair[rows]))]
    last = np.ones(len(rows), bool)
    last[:-1] = pair[rows[1:]] != pair[rows[:-1]]
    answered[rows[last]] = True
    return open_, answered


ExaminationCurve = Callable[[npt.ArrayLike], Float64Array]
"""From places to the probability that each is looked at: an `Examination`, or any function."""

INVERSE_EXAMINATION: Final = Examination(POWER, 1.0)
LOGARITHMIC_EXAMINATION: Final = Examination(LOGARITHMIC, 1.0)
EXPONENTIAL_EXAMINATION: Final = Examination(EXPONENTIAL, 1.0)
EXAMINATIONS: Final[Mapping[str, Examination]] = MappingProxyType(
    {
        "inverse": INVERSE_EXAMINATION,
        "log": LOGARITHMIC_EXAMINATION,
        "exponential": EXPONENTIAL_EXAMINATION,
    }
)
"""The curves evaluation uses, by name."""


@kernel
def examination_at(kind: int, decay: float, r: float):  # type: ignore[no-untyped-def]
    """Return the probability that place `r` is looked at: `Examination.at` of one place, compiled."""
    if kind == POWER:
        return 1.0 / r if decay == 1.0 else r**-decay
    if kind == EXPONENTIAL:
        return np.exp(-decay * (r - 1.0))
    return 1.0 / np.log2(r + 1.0) if kind == LOGARITHMIC else 0.0


@kernel
def examination_slope(kind: int, decay: float, r: float, chance: float):  # type: ignore[no-untyped-def]
    """Return the derivative with respect to `r`, 0 or below, of a multiple of it that is `chance` there."""
    if kind == POWER:
        return -decay * chance / r
    if kind == EXPONENTIAL:
        return -decay * chance
    return -chance / ((r + 1.0) * np.log(r + 1.0)) if kind == LOGARITHMIC else 0.0
