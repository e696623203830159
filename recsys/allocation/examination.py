"""How far down a list or an inbox is read: the chance that a place is looked at."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.errors import SettingsError, explained

NOT_READ: Final = 0
POWER: Final = 1
EXPONENTIAL: Final = 2

Decay = float | str
"""A number d for r ** -d, "exponential" for exp(-(r - 1)), "none" for never."""


@dataclass(frozen=True)
class Examination:
    """The chance that place r (from 1, not only whole numbers) is looked at.

    kind: POWER is r ** -decay, EXPONENTIAL is exp(-decay (r - 1)), NOT_READ is 0.

    >>> Examination.of(1.0).at([1, 2, 4]).tolist(), Examination.of("none").at([1, 2]).tolist()
    ([1.0, 0.5, 0.25], [0.0, 0.0])
    """

    kind: int
    decay: float

    @classmethod
    def of(cls, decay: Decay, *, where: str = "examination") -> Self:
        """Return the curve a setting names.

        Raises SettingsError for what is neither a number from 0, "exponential" nor "none".
        """
        if decay == "none":
            return cls(NOT_READ, 0.0)
        if decay == "exponential":
            return cls(EXPONENTIAL, 1.0)
        number = isinstance(decay, int | float) and not isinstance(decay, bool)
        if not (number and 0.0 <= float(decay) < np.inf):
            remedy = 'use a number d for r ** -d, "exponential" or "none"'
            raise SettingsError(explained("not a way to read a list", where=where, got=decay, remedy=remedy))
        return cls(POWER, float(decay))

    def at(self, place: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the chance of each place, in the shape of `place`."""
        r = np.asarray(place, dtype=np.float64)
        if self.kind == NOT_READ:
            return np.zeros(r.shape)
        return r**-self.decay if self.kind == POWER else np.exp(-self.decay * (r - 1.0))

    def slots(self, k: int) -> npt.NDArray[np.float32]:
        """Return the chances of the places 1 to k, `(k,)` float32."""
        return self.at(np.arange(1, k + 1)).astype(np.float32)


@njit(nogil=True, cache=True)
def chance_at(kind: int, decay: float, r: float):  # type: ignore[no-untyped-def]  # noqa: D103
    # The chance that place r is looked at.
    if kind == POWER:
        return 1.0 / r if decay == 1.0 else r**-decay
    return np.exp(-decay * (r - 1.0)) if kind == EXPONENTIAL else 0.0


@njit(nogil=True, cache=True)
def slope_at(kind: int, decay: float, r: float):  # type: ignore[no-untyped-def]  # noqa: D103
    # How that chance changes with r: never above 0.
    if kind == POWER:
        return -1.0 / (r * r) if decay == 1.0 else -decay * r ** (-decay - 1.0)
    return -decay * np.exp(-decay * (r - 1.0)) if kind == EXPONENTIAL else 0.0
