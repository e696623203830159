"""Indicators: numbers that are followed from night to night, how they are written and changed."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from recsys.pipeline.gates.proposal import Level
from recsys.pipeline.history import PastNight
from recsys.report.localization import change, clock, count, decimal, share, share_with_interval
from recsys.report.night_summary import NightSummary

Lookup = Callable[[Mapping[str, float], PastNight], float | None]


@dataclass(frozen=True)
class Indicator:
    """One number of a night: where it is found, how it is written, and how a change of it is.

    change: as a share of the value before, in percentage points, as a plain difference of three
    decimals or of whole numbers, or never, for what is itself a comparison. from_zero: whether its axis
    starts at 0. on_tile: whether it stands on a tile at the top of the page. limits: where the ends of its
    interval are found, for an estimate; it has changed only where the intervals of two nights are apart.
    """

    name: str
    lookup: Lookup
    text: Callable[[float | None], str]
    change: Literal["share", "points", "decimals", "count", "none"]
    from_zero: bool = False
    on_tile: bool = False
    limits: tuple[Lookup, Lookup] | None = None

    def value(self, night: NightSummary, past: PastNight) -> float | None:
        """Return the number on a night, None when it is unknown."""
        return self.of_night(past, night.night_seconds)

    def of_night(self, past: PastNight, seconds: Mapping[str, float] | None = None) -> float | None:
        """Return the number of a past night; seconds: how long nights took, by run."""
        found = self.lookup(seconds or {}, past)
        return found if found is not None and math.isfinite(found) else None

    def interval(self, past: PastNight) -> tuple[float, float] | None:
        """Return the interval of the number of a past night, None when it has none."""
        if self.limits is None:
            return None
        lo, hi = (lookup({}, past) for lookup in self.limits)
        return None if lo is None or hi is None else (lo, hi)

    def shown(self, night: NightSummary, past: PastNight) -> str:
        """Return the number of a night in words, with its interval where it has one."""
        value, interval = self.value(night, past), self.interval(past)
        return self.text(value) if interval is None else share_with_interval(value, *interval)

    def changed_by(self, night: NightSummary) -> str | None:
        """Return the change since the last publication; None when either value is unknown."""
        last = night.last_published
        if last is None or self.change == "none":
            return None
        now, before = self.value(night, night.history[-1]), self.value(night, last)
        if now is None or before is None or not self._is_apart(night.history[-1], last):
            return None
        match self.change:
            case "share":
                return change(now / before - 1.0) if before else None
            case "points":
                return f"{100 * (now - before):+.1f} pt"
            case "decimals":
                return f"{now - before:+.3f}"
        return f"{now - before:+,.0f}"

    def _is_apart(self, now: PastNight, last: PastNight) -> bool:
        """Say whether more than chance may have moved the number, which is so of what is no estimate."""
        if self.limits is None:
            return True
        here, there = self.interval(now), self.interval(last)
        return here is not None and there is not None and (here[0] > there[1] or there[0] > here[1])


def _of_gate(gate: str, number: str) -> Lookup:
    return lambda _, past: past.number(gate, number)


def _coverage(_: Mapping[str, float], past: PastNight) -> float | None:
    empty = past.number("lengths", "empty")
    return None if empty is None else 1.0 - empty


INDICATORS: Final = (
    Indicator("listed", _of_gate("lengths", "listed"), count, "share", on_tile=True),
    Indicator("coverage", _coverage, share, "points", on_tile=True),
    Indicator("suggestions", lambda _, past: past.rows, count, "share", on_tile=True),
    Indicator("gini", _of_gate("exposure", "value"), partial(decimal, digits=3), "decimals"),
    Indicator("overlap", _of_gate("overlap", "value"), share, "none"),
    Indicator(
        "ece",
        _of_gate("calibration", "value"),
        share,
        "points",
        limits=(_of_gate("calibration", "lo"), _of_gate("calibration", "hi")),
    ),
    Indicator("violations", _of_gate("violations", "count"), count, "count", from_zero=True, on_tile=True),
    Indicator("seconds", lambda seconds, past: seconds.get(past.run_id), clock, "share", from_zero=True),
)


def changes_on_tiles(night: NightSummary) -> dict[str, str | None]:
    """Return the change of each indicator that stands on a tile."""
    return {one.name: one.changed_by(night) for one in INDICATORS if one.on_tile}


def level_of(past: PastNight) -> Level:
    """Return how a night ended: one that was not published was refused, whatever is left of its gates."""
    return past.level if past.published else Level.BLOCK


def day(past: PastNight) -> str:
    """Return the day of the data of a night."""
    return past.data_as_of[:10]


@dataclass(frozen=True)
class Trend:
    """One indicator, oldest night first: its values, None where unknown, and how they are written."""

    name: str
    values: tuple[float | None, ...]
    texts: tuple[str, ...]

    @property
    def points(self) -> str:
        """The line of the known values as points of an SVG 100 wide and 24 high; none of a single night.

        >>> Trend("listed", (1.0, None, 3.0), ("1", "–", "3")).points
        '0.0,22.0 100.0,2.0'
        """
        known = [(at, value) for at, value in enumerate(self.values) if value is not None]
        if len(known) < 2:
            return ""
        low, high = min(value for _, value in known), max(value for _, value in known)
        wide, tall = 100.0 / (len(self.values) - 1), 20.0 / ((high - low) or 1.0)
        return " ".join(f"{at * wide:.1f},{22.0 - (value - low) * tall:.1f}" for at, value in known)
