"""How the times of a column are written: read from all rows, or as is said.

One reading of times holds for a whole column: decided from all rows, stated, and asked for when two fit. A
value that does not fit it is unknown, never read another way.
"""

import re
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

from recsys.data.date_reading import written_moment
from recsys.data.stamp_forms import ZONE_OFFSETS, with_plain_offset
from recsys.data.times import YEAR_LAST
from recsys.errors import InputError, did_you_mean, explained, warn
from recsys.types import BoolArray, Float64Array

Unit = Literal["s", "ms", "us", "ns", "d"]
EXCEL: Final = "excel"
DIGITS: Final = "yyyymmdd"
ISO: Final = "iso"
ORDERS: Final = ("dmy", "mdy")
FORMATS: Final = (ISO, *ORDERS, *get_args(Unit), DIGITS, EXCEL)

_FIRST, _LAST = pd.Timestamp("1980-01-01", tz="UTC"), pd.Timestamp("2100-01-01", tz="UTC")
DAYS: Final = "d"
_OF_A_SECOND: Final[dict[str, float]] = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9, DAYS: 1.0 / 86_400.0}
_TOLD_APART: Final = ("s", "ms", "us", "ns")
"""Units that are told by the numbers; days since 1970 could be days of Excel, or a count of anything."""
_EXCEL_DAY_ZERO: Final = pd.Timestamp("1899-12-30", tz="UTC")
_CLOCK_ALONE = r"\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[ap]m)?\s*"
_HAS_CLOCK = r"\d[T ].*\d:\d{2}"
_HAS_ZONE = r"(?i)(?:[+-]\d{2}(?::?\d{2})?|z|utc|gmt|\b[a-z]{3,5}(?<!uhr))\s*(?:\([^()]*\))?\s*(?:\b\d{4})?$"
_NAMED_ZONE = rf"\b(?:{'|'.join(ZONE_OFFSETS)})\b|(?:utc|gmt)[+-]"
_NUMBER = r"\s*[+-]?\d+(?:\.\d*)?\s*"
_MOST = 0.9
"""Share of numbers that have to be Excel days or dates of eight digits to be read as them."""


def utc_times(column: pd.Series, time_format: str | None = None) -> tuple[pd.Series, str]:
    """Return times in UTC, NaT where one does not fit, and how the column was read.

    A time without a zone is taken as UTC. time_format: one of `FORMATS`, or directives such as
    `%d.%m.%Y %H:%M`; None: the one that fits. Numbers count from 1970 in the unit that puts most of them
    between 1980 and 2100, or are Excel days or dates of eight digits where nearly all look like them; where
    none does, they count in seconds, and a warning says so: days since 1970 have to be asked for, by `d`.
    Days and months with the year last are told apart by a day above 12.

    Raises InputError when no time can be read, and when day and month cannot be told apart.

    >>> times, read = utc_times(pd.Series(["03/02/2024", "25/02/2024"]))
    >>> times.dt.month.tolist(), read
    ([2, 2], 'dmy')
    >>> times, read = utc_times(pd.Series([1_700_000_000, 1_700_086_400, 9_999_999_999_999]))
    >>> times.isna().tolist(), read
    ([False, False, True], 's')
    """
    if time_format is not None and "%" not in time_format and time_format not in FORMATS:
        remedy = f"{did_you_mean(time_format, FORMATS)}, or directives such as %d.%m.%Y"
        raise InputError(explained("unknown format of times", got=time_format, remedy=remedy))
    if time_format is None:
        time_format = _stamp_or_week(column)
    if pd.api.types.is_datetime64_any_dtype(column):
        times, read = pd.to_datetime(column, utc=True), "times"
    elif time_format is not None and "%" in time_format and pd.api.types.is_numeric_dtype(column):
        times, read = _of_texts(_digits(column), time_format)
    elif (numbers := _numbers(column, time_format)) is not None:
        times, read = _of_numbers(numbers, time_format)
    else:
        times, read = _of_texts(column, time_format)
    if len(column) and times.isna().all():
        raise _no_time(column, time_format)
    return times.reset_index(drop=True).astype("datetime64[us, UTC]"), read


_TWO_DIGITS: Final = re.compile(
    r"\s*\d{1,2}([-/.])\d{1,2}([-/.])\d{2}(?!\d)(?:(,?\s+)\d{1,2}:\d{2}(:\d{2})?(\s*[AaPp]\.?[Mm]\.?)?)?\s*"
)


_DURATION: Final = re.compile(r"days?\b|^P")
"""Of durations as pandas or ISO 8601 write them; a clock alone is none."""


def _no_time(column: pd.Series, time_format: str | None) -> InputError:
    """Return the error of a column of which no time is read, with directives for years of two digits."""
    first = str(column.dropna().iloc[0]) if column.notna().any() else "nothing"
    given = "" if time_format is None else f", read as {time_format!r}"
    remedy = "write times such as 2024-02-03T10:00:00Z, say another ts_format=, or leave ts out"
    what = "no time can be read"
    if (parts := _TWO_DIGITS.fullmatch(first)) is not None:
        one, other, gap, seconds, half = parts.groups(default="")
        clock = gap and f"{gap}{'%I' if half else '%H'}:%M{':%S' if seconds else ''}{' %p' if half else ''}"
        ways = {"dmy": f"%d{one}%m{other}%y{clock}", "mdy": f"%m{one}%d{other}%y{clock}"}
        ways |= {"ymd": f"%y{one}%m{other}%d{clock}"} if time_format not in ways else {}
        said = [ways[time_format]] if time_format in ways else [*ways.values()]
        what = "years of two digits are not read as they are"
        remedy = f"say the order: ts_format={' or '.join(map(repr, said))}"
    elif pd.notna(pd.to_timedelta(pd.Series([first]), errors="coerce")).all() and _DURATION.search(first):
        what = "durations are no times"
        remedy = (
            f"count them from a date: pd.Timestamp('2024-01-01') + pd.to_timedelta(frame['{column.name}'])"
        )
    return InputError(explained(what, where=str(column.name), got=f"{first}{given}", remedy=remedy))


_STAMPS: Final = {14: "%Y%m%d%H%M%S", 12: "%Y%m%d%H%M"}
"""Directives of a moment written in digits alone, by how many there are; no unit since 1970 has as many."""
_WEEKS: Final = {r"\d{4}-W\d\d": "%G-W%V", r"\d{4}W\d\d": "%GW%V", r"\d{4}-W\d\d-[1-7]": "%G-W%V-%u"}


def _stamp_or_week(column: pd.Series) -> str | None:
    """Return the directives of a column of moments in digits alone, or of weeks; None for any other.

    >>> [_stamp_or_week(pd.Series([one])) for one in (20250106182314, "2025-W03", "2025-01-06")]
    ['%Y%m%d%H%M%S', '%G-W%V', None]
    """
    first = column.iloc[column.notna().to_numpy().argmax()] if column.notna().any() else None
    if isinstance(first, float | np.floating) and first.is_integer():
        first = int(first)
    forms = {rf"\d{{{n}}}": form for n, form in _STAMPS.items()} | _WEEKS
    form = next((one for written, one in forms.items() if re.fullmatch(written, str(first).strip())), None)
    if form is None:
        return None
    known = column.dropna()
    texts = _digits(known) if pd.api.types.is_numeric_dtype(known) else known.astype("string").str.strip()
    times = _by_directives(texts, form, str(column.name))
    return form if ((times >= _FIRST) & (times < _LAST)).mean() >= _MOST else None


_QUARTER: Final = r"^(?:(?P<year>\d{4})[- ]?Q(?P<n>[1-4])|Q(?P<m>[1-4])[-/ ](?P<end>\d{4}))$"


def _with_months(texts: pd.Series) -> pd.Series:
    """Return texts in which a quarter is its first month.

    >>> _with_months(pd.Series(["2025-Q3", "Q1 2026", "2025-02"], dtype="string")).tolist()
    ['2025-07', '2026-01', '2025-02']
    """

    def month(found: re.Match[str]) -> str:
        quarter = int(found["n"] or found["m"])
        return f"{found['year'] or found['end']}-{3 * quarter - 2:02d}"

    return texts.str.replace(_QUARTER, month, regex=True, flags=re.IGNORECASE)


def _by_directives(texts: pd.Series, form: str, name: str) -> pd.Series:
    """Return the times of texts in a form of directives; a week without a day is its Monday."""
    if "%V" in form and not re.search("%[uwaA]", form):
        texts, form = texts + " 1", form + " %u"
    try:
        return pd.to_datetime(texts, format=form, utc=True, errors="coerce")
    except ValueError as error:
        raise InputError(
            explained(f"directives that do not go together: {error}", where=name, got=form)
        ) from None


def _digits(column: pd.Series) -> pd.Series:
    """Return whole numbers as texts, missing where there is another number, for a format such as `%Y`."""
    numbers = pd.to_numeric(column).astype("float64")
    whole = numbers.where(np.isfinite(numbers) & (numbers == np.floor(numbers)))
    return whole.astype("Int64").astype("string")


def _numbers(column: pd.Series, time_format: str | None) -> pd.Series | None:
    """Return a column of numbers, also where they are texts; None where most are no numbers."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return pd.to_numeric(column).astype("float64")
    known = column.dropna()
    digits = known.astype(str).str.fullmatch(_NUMBER)
    if not len(known) or digits.mean() <= 0.5 or (time_format and "%" in time_format):
        return None
    found = pd.Series(np.nan, column.index, dtype="float64", name=column.name)
    found.loc[known.index[digits]] = known[digits].astype("float64")
    return found


def _of_numbers(numbers: pd.Series, time_format: str | None) -> tuple[pd.Series, str]:
    values = numbers.where(np.isfinite(numbers)).to_numpy(np.float64)
    known = max(int((~np.isnan(values)).sum()), 1)
    fits = {read: _in_our_time(values, read) for read in (*_OF_A_SECOND, DIGITS, EXCEL)}
    read = time_format
    if read is None:
        read = max(_TOLD_APART, key=lambda unit: int(fits[unit].sum()))
        for whole in (DIGITS, EXCEL):
            if int(fits[whole].sum()) >= _MOST * known:
                read = whole
        if not any(fits[one].any() for one in fits if one != DAYS):
            read = "s"
            _warn_of_other_clock(str(numbers.name), values)
    elif read not in fits:
        remedy = f"use one of {', '.join(fits)}"
        raise InputError(explained("numbers are not of this format", got=read, remedy=remedy))
    if read == DAYS or (read in _OF_A_SECOND and not fits[read].any()):
        # a clock that began at 0: it says an order, and days say ages too
        fits[read] = np.abs(values) < _LAST.timestamp() * _OF_A_SECOND[read]
    return pd.Series(
        pd.to_datetime(_microseconds(np.where(fits[read], values, np.nan), read), utc=True)
    ), read


def _warn_of_other_clock(column: str, values: Float64Array) -> None:
    """Warn that numbers, such as days, weeks or years, are read as seconds, which say an order alone."""
    if np.isnan(values).all():
        return
    remedy = (
        "say ts_format='d' for days, as R counts them since 1970, '%Y' for years, 's' for seconds of a clock "
        "of your own; count rounds or weeks from a date, such as "
        f"pd.Timestamp('2024-01-01') + pd.to_timedelta(7 * frame['{column}'], unit='D')"
    )
    got = f"{np.nanmin(values):g} to {np.nanmax(values):g}, read as seconds since 1970: an order, no ages"
    warn(explained("numbers that are no times of our day", where=column, got=got, remedy=remedy))


def _microseconds(values: Float64Array, read: str) -> pd.Series:
    """Return times of numbers in one reading, NaT where unknown."""
    if read == DIGITS:
        texts = pd.Series(values).map(lambda v: "" if np.isnan(v) else f"{int(v):08d}")
        return pd.to_datetime(texts, format="%Y%m%d", utc=True, errors="coerce")
    seconds = values / _OF_A_SECOND[read] if read in _OF_A_SECOND else values * 86400.0
    start = _EXCEL_DAY_ZERO if read == EXCEL else pd.Timestamp(0, tz="UTC")
    return pd.Series(start + pd.to_timedelta(pd.Series(seconds * 1e6).round(), unit="us"))


def _in_our_time(values: Float64Array, read: str) -> BoolArray:
    """Say which numbers are times between 1980 and 2100 in a reading; NaN is none."""
    if read == DIGITS:
        whole = (values == np.floor(values)) & (values >= 19800101) & (values < 21000101)
        return np.asarray(whole & _microseconds(np.where(whole, values, np.nan), DIGITS).notna().to_numpy())
    if read == EXCEL:
        least, most = ((at - _EXCEL_DAY_ZERO).total_seconds() / 86400.0 for at in (_FIRST, _LAST))
    else:
        least, most = (at.timestamp() * _OF_A_SECOND[read] for at in (_FIRST, _LAST))
    return np.asarray((values >= least) & (values < most))


def _of_texts(column: pd.Series, time_format: str | None) -> tuple[pd.Series, str]:
    texts = column.astype("string").str.strip()
    if time_format is None or "%Z" not in time_format:
        texts = _with_plain_offsets(texts)
    if time_format is not None and "%" in time_format:
        return _by_directives(texts, time_format, str(column.name)), time_format
    texts = _with_months(texts)
    known = texts.dropna()
    last = known.str.extract(YEAR_LAST, expand=True).astype("Float64").dropna()
    read = time_format or (_order(last, str(column.name)) if len(last) > 0.5 * len(known) else ISO)
    if read in ORDERS:
        fits = texts.str.match(YEAR_LAST).fillna(False).astype(bool)
        tidy = texts.where(fits).str.replace(r"\s*[-/.]\s*(?=\d{1,2}\s*[-/.]|\d{4})", "/", n=2, regex=True)
        times = _plainly_written(tidy, dayfirst=read == "dmy")
        return times.fillna(_parsed(tidy.where(times.isna()), dayfirst=read == "dmy")), read
    if read != ISO:
        remedy = "use iso, dmy, mdy, or directives such as %d.%m.%Y"
        raise InputError(explained("texts are not of this format", got=read, remedy=remedy))
    others = texts.str.fullmatch(_CLOCK_ALONE) | texts.str.match(YEAR_LAST)
    dated = texts.mask(others.fillna(True).astype(bool))
    times = pd.to_datetime(dated, format="ISO8601", utc=True, errors="coerce")
    named = dated.where(dated.str.contains(r"\d{4}", regex=True) & times.isna())
    rest = named.where(named.str.contains(r"[A-Za-z]{3}|[/.]", regex=True).fillna(False).astype(bool))
    times = times.fillna(_parsed(rest, dayfirst=False))
    _warn_of_missing_zones(dated.dropna(), str(column.name))
    return times.fillna(_written(dated.where(times.isna()))), ISO


def _warn_of_missing_zones(texts: pd.Series, column: str) -> None:
    """Warn where some times of day have a zone and others none, which are read as UTC.

    Dates alone are left out where it matters: the end of one looks like a zone.
    """
    has_zone = texts.str.contains(_HAS_ZONE, regex=True).astype(bool)
    if has_zone.all() or not has_zone.any():
        return
    has_zone = has_zone[texts.str.contains(_HAS_CLOCK, regex=True).astype(bool)]
    if has_zone.any() and not has_zone.all():
        got = f"{int((~has_zone).sum()):,} of {len(has_zone):,} without a zone, read as UTC"
        remedy = "bring all times into one form; pandas' dt.tz_localize says where they were written"
        warn(explained("times with a zone and without", where=column, got=got, remedy=remedy))


def _with_plain_offsets(texts: pd.Series) -> pd.Series:
    named = texts.str.contains(_NAMED_ZONE, case=False, regex=True).fillna(False).astype(bool)
    if not named.any():
        return texts
    return texts.mask(named, texts[named].map(with_plain_offset).astype("string"))


def _written(texts: pd.Series) -> pd.Series:
    """Return the times of other ways to write a date, such as those of Japanese eras."""
    read = {text: written_moment(text) for text in texts.dropna().unique()}
    return pd.to_datetime(texts.map(read), utc=True)


_PLAIN: Final = r"^(\d{1,2})/(\d{1,2})/(\d{4})(?:,?[ T]+(\d{1,2})(:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z?))?$"


def _plainly_written(texts: pd.Series, *, dayfirst: bool) -> pd.Series:
    """Return dates with the year last and at most a clock of 24 hours, read all at once; NaT for others."""
    parts = texts.str.extract(_PLAIN, expand=True)
    day, month = (parts[at].str.zfill(2) for at in ((0, 1) if dayfirst else (1, 0)))
    clock = parts[3].str.zfill(2) + parts[4]
    written = parts[2] + "-" + month + "-" + day + ("T" + clock).fillna("T00:00")
    return pd.to_datetime(written, format="ISO8601", utc=True, errors="coerce")


def _parsed(texts: pd.Series, *, dayfirst: bool) -> pd.Series:
    """Return dates of which only `dayfirst` is open; one that contradicts it is unknown."""
    times = pd.to_datetime(texts, format="mixed", dayfirst=dayfirst, utc=True, errors="coerce")
    parts = texts.str.extract(YEAR_LAST, expand=True)
    month = parts[1 if dayfirst else 0].astype("Float64")
    return times.mask((month.notna() & (month > 12)).fillna(False).astype(bool))


def _order(parts: pd.DataFrame, name: str) -> str:
    """Return whether days or months stand first, from all rows."""
    first, second = bool((parts[0] > 12).any()), bool((parts[1] > 12).any())
    if first != second:
        return "dmy" if first else "mdy"
    what = "day and month change places" if first else "the order of day and month is not said"
    raise InputError(explained(what, where=name, remedy="say ts_format='dmy' or ts_format='mdy'"))
