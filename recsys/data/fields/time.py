"""Columns of points in time: with a zone, and not later than the time of loading."""

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.data.fields.base import Field, ReadColumn, RefusedValue, Violation, all_null, dtype_name, objects
from recsys.data.fields.text import holds_text
from recsys.errors import explained, shown
from recsys.types import ObjectArray

_UTC = pd.DatetimeTZDtype("us", "UTC")
_LONGEST = 40
_CALENDAR = pd.Timestamp("0001-01-02", tz="UTC"), pd.Timestamp("9999-12-30", tz="UTC")
_ZONED = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)? ?(?P<zone>Z|UTC|[+-]\d\d(:?\d\d)?)?", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NAIVE = "a time without a zone"
_USE_UTC = "give UTC, or local time with its offset"
_USE_ISO = "give ISO 8601 with a zone, such as 2026-01-05T09:00:00Z"


@dataclass(frozen=True, kw_only=True)
class Time(Field):
    """A point in time; the canonical form is `datetime64[us, UTC]`, NaT unknown."""

    nullable: bool = False

    def type_problem(self, values: pd.Series) -> str | None:
        """Refuse columns that hold neither times nor text."""
        if pd.api.types.is_datetime64_any_dtype(values) or holds_text(values):
            return None
        return explained(
            f"wrong type in column '{self.name}'",
            got=dtype_name(values),
            remedy="give times with a zone, such as 2026-01-05T09:00:00Z",
        )

    def read(self, values: pd.Series) -> ReadColumn:
        """Refuse times without a zone, and what is no time."""
        times, faults = self._times(values)
        return ReadColumn(times, (*self.nulls(values.isna().to_numpy(bool)), *faults))

    def _value(self, given: object) -> pd.Timestamp:
        if not isinstance(given, str | dt.datetime):
            raise RefusedValue("not_a_time", "not a time", _USE_ISO)
        return _read_zoned(_zoned(str(_hashable(given))))

    def later(self, times: pd.Series, as_of: pd.Timestamp) -> Violation:
        """Return the fault of canonical times after `as_of`."""
        remedy = f"nothing after {as_of.isoformat()} is known yet"
        return self.fault("future", np.flatnonzero(times > as_of), "a time in the future", remedy=remedy)

    def _times(self, values: pd.Series) -> tuple[pd.Series, list[Violation]]:
        nothing = pd.Series(pd.NaT, range(len(values)), dtype=_UTC)
        if all_null(values):
            return nothing, []
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            return _within_the_calendar(values.dt.tz_convert("UTC")).astype(_UTC), []
        if pd.api.types.is_datetime64_dtype(values):
            return nothing, [self.fault("naive", np.flatnonzero(values.notna()), _NAIVE, remedy=_USE_UTC)]
        return self._spelled(objects(values))

    def _spelled(self, given: ObjectArray) -> tuple[pd.Series, list[Violation]]:
        keys = np.fromiter((_hashable(v) for v in given), object, len(given))
        meanings, faults = self.by_distinct(keys, _zoned)
        texts = np.fromiter((v if isinstance(v, str) else None for v in meanings), object, len(meanings))
        times = pd.to_datetime(pd.Series(texts, dtype=object), utc=True, format="ISO8601", errors="coerce")
        times = _within_the_calendar(times.astype(_UTC))
        impossible: npt.NDArray[np.bool_] = times.isna().to_numpy() & pd.notna(texts)
        if impossible.any():
            what = "not a time that exists"
            faults.append(self.fault("not_a_time", np.flatnonzero(impossible), what, remedy=_USE_UTC))
        return times, faults


def _within_the_calendar(times: pd.Series) -> pd.Series:
    """Return times with those beyond what Python can write out, such as `infinity`, as its first or last day.

    They are as late or as early as that for whoever compares them; a day is left for zones.
    """
    unit = times.dt.unit
    if unit == "ns":  # ends in 2262
        return times
    first, last = (one.as_unit(unit) for one in _CALENDAR)
    if not (times.max() > last or times.min() < first):
        return times
    return times.mask(times > last, last).mask(times < first, first)


def _hashable(value: object) -> object:
    if value is None:
        return None
    if isinstance(value, dt.datetime):
        return value.isoformat() if value.tzinfo is None else value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str) and len(value) <= _LONGEST:
        return value
    return shown(value) if isinstance(value, str) else shown(type(value).__name__)


@lru_cache(maxsize=256)
def _read_zoned(text: str) -> pd.Timestamp:
    time = pd.to_datetime(text, utc=True, format="ISO8601", errors="coerce")
    if pd.isna(time) or time.nanosecond:
        raise RefusedValue("not_a_time", "not a time that exists", _USE_UTC)
    return min(max(time.as_unit("us"), _CALENDAR[0]), _CALENDAR[1])


def _zoned(text: str) -> str:
    """Return a time that carries its zone, or raise Refused."""
    found = _ZONED.fullmatch(text)
    if found is None:
        if _DATE.fullmatch(text):
            raise RefusedValue("naive", _NAIVE, _USE_UTC)
        raise RefusedValue("not_a_time", "not a time", _USE_ISO)
    if found["zone"] is None:
        raise RefusedValue("naive", _NAIVE, _USE_UTC)
    return text.replace("UTC", "Z").replace(",", ".").replace(" Z", "Z").replace(" +", "+")
