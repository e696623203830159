"""The usual band of a number over the nights before: median and median absolute deviation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from recsys.pipeline.gates.proposal import Numbers
from recsys.settings import GateSettings

_USUAL: Final = 1.4826
"""Median absolute deviations of a normal distribution in one standard deviation."""


BAND_WINDOW: Final = 28
"""Nights that a band, or a sum over nights, looks back.

After a lasting change of the settings what is usual follows in two weeks."""


@dataclass(frozen=True)
class Band:
    """From `low` to `high` a number is as it usually is."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Say whether `value` is as it usually is."""
        return self.low <= value <= self.high

    def within(self, least: float, most: float) -> "Band":
        """Return the part that a number between `least` and `most` can lie in, to be shown.

        >>> Band(-0.1, 0.4).within(0.0, 1.0)
        Band(low=0.0, high=0.4)
        """
        return Band(max(self.low, least), min(self.high, most))


def usual_band(
    past: Sequence[Numbers], gate: str, number: str, limits: GateSettings, *, least: float
) -> Band | None:
    """Return the range `number` of `gate` lay in, None while too few nights are known.

    Median and median absolute deviation, so that one odd night does not widen it; never narrower than
    `least` to each side, so that a number that hardly moves does not warn of nothing.

    >>> nights = [{"g": {"x": value}} for value in (1.0, 1.1, 0.9, 1.0, 9.0)]
    >>> usual_band(nights, "g", "x", GateSettings(), least=0.5)
    Band(low=0.407, high=1.593)
    """
    known = [night[gate][number] for night in past if number in night.get(gate, {})]
    values = np.array([value for value in known if isinstance(value, int | float)], float)
    values = values[-max(limits.band_nights, BAND_WINDOW) :]
    if len(values) < limits.band_nights:
        return None
    middle = float(np.median(values))
    usual = _USUAL * float(np.median(np.abs(values - middle)))
    reach = max(limits.band_width * usual, least)
    return Band(round(middle - reach, 4), round(middle + reach, 4))
