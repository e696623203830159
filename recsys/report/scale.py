"""Axes: where numbers fall on the page and which of them are written out."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Maps `[low, high]` to `[start, end]`; a scale of no width maps all to the start.

    >>> Scale(0, 10, 100, 200)(5)
    150.0
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return where a value falls, kept inside the axis."""
        if self.high <= self.low:
            return self.start
        part = min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)
        return self.start + part * (self.end - self.start)


def ticks(high: float, most: int = 5) -> list[float]:
    """Return round numbers from 0 to at or above `high`, at most about `most` steps.

    >>> ticks(870, 4)
    [0.0, 250.0, 500.0, 750.0, 1000.0]
    >>> ticks(0.07, 4)
    [0.0, 0.02, 0.04, 0.06, 0.08]
    """
    if not high > 0 or not math.isfinite(high):
        return [0.0, 1.0]
    rough = high / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * (1 - 1e-9))
    steps = math.ceil(high / step - 1e-9)
    return [round(step * at, 12) for at in range(steps + 1)]
