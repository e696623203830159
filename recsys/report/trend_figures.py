"""Which numbers are followed from night to night, and how they are written."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from recsys.pipeline.history import PastNight
from recsys.report.night import NightSummary
from recsys.report.numbers import clock, count, decimal, share


@dataclass(frozen=True)
class TrendFigure:
    """One number: where it is found, and how people read it.

    from_zero: whether its axis starts at 0.
    """

    name: str
    found: Callable[[NightSummary, PastNight], float | None]
    said: Callable[[float | None], str]
    from_zero: bool = False

    def value(self, night: NightSummary, past: PastNight) -> float | None:
        """Return the number on a night, None when it is unknown."""
        found = self.found(night, past)
        return found if found is not None and math.isfinite(found) else None


def _counted(gate: str, number: str) -> Callable[[NightSummary, PastNight], float | None]:
    return lambda _, past: past.number(gate, number)


def _coverage(_: NightSummary, past: PastNight) -> float | None:
    empty = past.number("lengths", "empty")
    return None if empty is None else 1.0 - empty


def _rows(_: NightSummary, past: PastNight) -> float | None:
    return past.rows


def _seconds(night: NightSummary, past: PastNight) -> float | None:
    return night.night_seconds.get(past.run_id)


def _three(value: float | None) -> str:
    return decimal(value, 3)


TREND_FIGURES: Final = (
    TrendFigure("listed", _counted("lengths", "listed"), count),
    TrendFigure("coverage", _coverage, share),
    TrendFigure("suggestions", _rows, count),
    TrendFigure("gini", _counted("exposure", "value"), _three),
    TrendFigure("overlap", _counted("overlap", "value"), share),
    TrendFigure("ece", _counted("calibration", "value"), share),
    TrendFigure("violations", _counted("violations", "count"), count, from_zero=True),
    TrendFigure("seconds", _seconds, clock, from_zero=True),
)
