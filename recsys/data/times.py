"""Times: UTC timestamps, microseconds since 1970, and local contact windows as UTC hours of the week."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import pandas as pd

from recsys.catalogue.vocabulary import DAYPARTS, DAYS
from recsys.data.date_reading import written_moment
from recsys.data.stamp_forms import with_plain_offset
from recsys.errors import InputError, explained

EPOCH: Final = pd.Timestamp("1970-01-01", tz="UTC")
MICROSECONDS_A_DAY: Final = 86_400_000_000
HOURS_A_WEEK: Final = 168
YEAR_LAST: Final = r"\s*(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{4})(?!\d)"
"""A date with the year last; whether its day or its month stands first only a number above 12 says."""


def as_utc(time: str | pd.Timestamp) -> pd.Timestamp:
    """Return a time in UTC; a time without a zone is taken as UTC. Japanese dates are read too.

    Raises InputError for what is no time, for a day and a month of 12 or less with the year last, which may
    change places, and for digits without a year of four.

    >>> as_utc("2026-01-05").isoformat()
    '2026-01-05T00:00:00+00:00'
    >>> as_utc("令和8年1月5日") == as_utc("2026年01月05日") == as_utc("2026-01-05")
    True
    """
    try:
        stamp = pd.Timestamp(with_plain_offset(time) if isinstance(time, str) else time)
    except (ValueError, TypeError, OverflowError) as error:
        if isinstance(time, str) and (written := written_moment(time)) is not None:
            return pd.Timestamp(written)
        remedy = "give one such as '2026-01-05' or '2026-01-05T03:00:00Z'"
        raise InputError(explained("a time cannot be read", got=time, remedy=remedy)) from error
    if isinstance(time, str):
        _refuse_ambiguous(time)
    if pd.isna(stamp):
        raise InputError(
            explained("a time is not known", got=str(time), remedy="give one such as '2026-01-05'")
        )
    try:
        return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    except (ValueError, OverflowError) as error:  # such as the year 10000 in UTC
        raise InputError(explained("a time is out of range", got=str(time), remedy="use UTC")) from error


def need_times(times: pd.Series, *, where: str, zone: bool = True) -> None:
    """Raise InputError for a column with rows that holds no times; zone: or times without one."""
    dtype = times.dtype
    has_zone = isinstance(dtype, pd.DatetimeTZDtype)
    if not len(times) or has_zone or (not zone and pd.api.types.is_datetime64_dtype(dtype)):
        return
    what = f"'{times.name}' holds no times{' with a zone' if zone else ''}"
    remedy = "read them with pandas.to_datetime(..., utc=True), or give recsys.Events.of(table)"
    raise InputError(explained(what, where=where, got=str(dtype), remedy=remedy))


def _refuse_ambiguous(time: str) -> None:
    parts = re.match(YEAR_LAST, time)
    if parts and max(int(parts[1]), int(parts[2])) <= 12:
        what = "the order of day and month is not said"
    elif re.search(r"\d", time) and not re.search(r"\d{4}", time):
        what = "a time has no year of four digits"
    else:
        return
    raise InputError(explained(what, got=time, remedy="write the year first, such as '2026-01-05'"))


def microseconds(time: pd.Timestamp) -> int:
    """Return a time as microseconds since 1970 UTC.

    >>> microseconds(pd.Timestamp("1970-01-01T00:00:01", tz="UTC"))
    1000000
    """
    return (time - EPOCH) // pd.Timedelta(microseconds=1)


def week_start(as_of: pd.Timestamp) -> pd.Timestamp:
    """Return Monday 00:00 UTC of the week that holds `as_of`."""
    day = as_of.tz_convert("UTC").normalize()
    return day - pd.Timedelta(days=day.weekday())


@lru_cache(maxsize=65536)
def _utc_hours(windows: frozenset[str], tz: str, start: pd.Timestamp) -> frozenset[int]:
    zone = ZoneInfo(tz)
    hours: set[int] = set()
    for window in windows:
        day, part = window.split("_")
        first, last = DAYPARTS[part]
        local_day = start.tz_localize(None) + pd.Timedelta(days=DAYS.index(day))
        for hour in range(first, last):
            local = (local_day + pd.Timedelta(hours=hour)).to_pydatetime().replace(tzinfo=zone)
            offset = pd.Timestamp(local).tz_convert("UTC") - start
            hours.add(int(offset // pd.Timedelta(hours=1)) % HOURS_A_WEEK)
    return frozenset(hours)


def utc_hours(windows: Iterable[str], tz: str, as_of: pd.Timestamp) -> frozenset[int]:
    """Return the UTC hours of the week (0 is Monday 00:00) in which local `windows` lie.

    The week is the one that holds `as_of`, so daylight saving counts as it will be served. An hour
    that straddles two UTC hours (zones on the half hour) is the one it starts in. The week wraps.

    >>> sorted(utc_hours(["mon_early"], "Asia/Tokyo", pd.Timestamp("2026-01-07", tz="UTC")))
    [164, 165, 166, 167]
    """
    return _utc_hours(frozenset(windows), tz, week_start(as_of))
