"""Dates and moments as services write them: each has one reading, and what does not fit says why.

Every function returns the value and None, or None and the reason why it could not be read. Reasons never
repeat the value: it may be a birth date.
"""

import math
import re
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from recsys.catalogue.text_folding import fold, plain
from recsys.catalogue.vocabulary import ADULT, OLDEST
from recsys.data.id_spellings import as_id_text
from recsys.data.month_names import with_numbers
from recsys.data.no_answer_codes import is_unknown
from recsys.data.stamp_forms import BUDDHIST_ERA, FIRST_BUDDHIST, LAST_BUDDHIST, plain_stamp

DATE_ORDERS: Final = ("ymd", "dmy", "mdy")
ORDER_NOT_SAID: Final = "the order of day and month is not said"
"""Why a date whose year stands last cannot be read as `ymd`: in another order it can."""
EPOCH_UNITS: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""Parts of a second that numbers since 1970 count."""

_ERAS: Final = {
    "明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018,
    "中華民國": 1911, "中华民国": 1911, "民國": 1911, "民国": 1911,
    "m": 1867, "t": 1911, "s": 1925, "h": 1988, "r": 2018,
}  # fmt: skip
_LAST_YEARS: Final = {"明治": 45, "大正": 15, "昭和": 64, "m": 45, "t": 15, "s": 64}
"""The last years of eras; a later one belongs to another era."""
_ERA_DATE = re.compile(
    r"(明治|大正|昭和|平成|令和|中華民國|中华民国|民國|民国|[mtshr])\s*\.?\s*(元|\d{1,3})\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})(?:\s*日)?"
)
_YEAR_FIRST = re.compile(r"(\d{4})\s*[年년/.-]\s*(\d{1,2})\s*[月월/.-]\s*(\d{1,2})(?:\s*[日일.])?")
_EIGHT_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEAR_LAST = re.compile(r"(\d{1,2})\s*[/.-]\s*(\d{1,2})\s*[/.-]\s*(\d{4})")
_WEEKDAY = re.compile(r"^\s*\([^)\d]{1,12}\)")
_SHORT_YEAR = re.compile(r"(?:\d{1,2}\s*[/.-]\s*(?:\d{1,2}|[a-z]{3})\s*[/.-]\s*\d{2}|\d{6})(?:,?\s.*)?")
_ALMOST: Final = (
    (_SHORT_YEAR, "a year of two digits"),
    (re.compile(r"[1-6]\d{4}(?:\.0+)?"), "a day of a spreadsheet: DATE '1899-12-30' + it, in the query"),
    (re.compile(r"-\d{6,19}|\d{9,19}"), "a number whose unit is not said: 's' or 'ms' as the format"),
)
"""Forms that are not read, since they have several meanings, and what they look like."""
_EPOCH = re.compile(r"(\d{9,10}|\d{12,13}|\d{15,16}|\d{18,19})(?:\.\d*)?")
_SIGNED = re.compile(r"([+-]?\d{1,19})(?:\.\d*)?")
NOBODY_YOUNGER: Final = 40
"""Years: numbers by which everybody is older may count from a later day than the first of 1970."""
_OF_DOTNET: Final = re.compile(r"\\?/date\((-?\d{1,15})(?:[+-]\d{4})?\)\\?/", re.IGNORECASE)
_OF_1900 = -2_208_988_800
_FIRST_EPOCH, _LAST_EPOCH = 315_532_800, 4_102_444_800  # 1980 and 2100, between which no two units overlap
_BARE_NUMBER = re.compile(r"[+-]?[\d.,]*")
_AM: Final = "am|a. m.|a.m.|午前|오전|上午|öö|sa|ص|ق.ظ|ق.ظ.|πμ|π.μ.|pg"
_PM: Final = "pm|p. m.|p.m.|午後|오후|下午|ös|ch|م|ب.ظ|ب.ظ.|μμ|μ.μ.|ptg"
_HALF: Final = "|".join(re.escape(one) for one in f"{_AM}|{_PM}".split("|"))
_CLOCK = re.compile(
    rf"(?P<first>{_HALF})?\s*"
    r"(?:(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,](\d{1,9}))?)?"
    r"|(\d{1,2})\s*[h時时시点點]\s*(?:(\d{1,2})\s*[分분m]?\s*(?:(\d{1,2})\s*[秒초s]?)?)?)"
    rf"\s*(?:uhr|hrs?|h|น\.?)?\s*(?P<last>{_HALF})?"
)
_OFFSET = re.compile(r"z|(?:utc|gmt)?(?:([+-])(\d{2})(?::?(\d{2})(?::?00)?)?)?")
_ZONE_NAME = re.compile(r"\(?[a-z]+[\w/ +-]*\)?")


def read_date(text: object, order: str = "ymd", *, buddhist: bool = False) -> tuple[date | None, str | None]:
    """Return a date, in the order of its parts; eras of Japan and Taiwan are read as what they are.

    order: `ymd`, `dmy` or `mdy`, for dates whose year stands last. A date with the year first is always read.
    A time of day may follow. Of `s`, `ms`, `us` and `ns` (`EPOCH_UNITS`) a number is one since 1970, also a
    negative one. Years of the Buddhist era are read where Thai or Lao letters or digits stand beside them;
    buddhist: every year between 2443 and 2643 is one, as in a service of these countries. Elsewhere it may be
    a slip, or stand for a time that never comes.

    >>> read_date("S38.7.15"), read_date("平成20年7月1日")
    ((datetime.date(1963, 7, 15), None), (datetime.date(2008, 7, 1), None))
    >>> read_date("民國71年3月5日"), read_date("5 de março de 1982")
    ((datetime.date(1982, 3, 5), None), (datetime.date(1982, 3, 5), None))
    >>> read_date("03/04/1990")
    (None, 'the order of day and month is not said')
    >>> read_date("03/04/1990", "dmy")
    (datetime.date(1990, 4, 3), None)
    >>> read_date("12 มี.ค. 2530"), read_date("12/3/2530", "dmy", buddhist=True)
    ((datetime.date(1987, 3, 12), None), (datetime.date(1987, 3, 12), None))
    >>> read_date("17/05/62", "dmy")
    (None, 'a year of two digits')
    """
    day, reason, _ = _date_and_clock(text, order, buddhist=buddhist)
    return day, reason


def read_birth_date(
    text: object, order: str, zone: tzinfo, *, buddhist: bool = False
) -> tuple[date | None, str | None]:
    """Return a birth date as `read_date` does; of a moment with an offset the latest that it may mean.

    A service that keeps dates as moments wrote midnight of some zone, and which one is not said: the latest
    of the day as written, in UTC, in `zone` and furthest east (UTC+14). Where a zone stands behind the time
    that has no one offset, the time may be that of any. With the latest nobody counts as older than they are.

    >>> read_birth_date("29/2/2543", "dmy", ZoneInfo("Asia/Bangkok"), buddhist=True)
    (datetime.date(2000, 2, 29), None)
    >>> read_birth_date("2008-11-29T15:00:00Z", "ymd", ZoneInfo("Asia/Tokyo"))
    (datetime.date(2008, 11, 30), None)
    >>> read_birth_date("2008-11-30T00:00:00Z", "ymd", ZoneInfo("America/New_York"))
    (datetime.date(2008, 11, 30), None)
    >>> read_birth_date("2008-11-28T18:15:00Z", "ymd", ZoneInfo("Asia/Kolkata"))  # midnight in Nepal
    (datetime.date(2008, 11, 29), None)
    """
    if (moment := _of_unit(text, order)) is not None:
        return _latest_day(moment.replace(tzinfo=None), moment, zone), None
    day, reason, clock = _date_and_clock(text, order, buddhist=buddhist)
    if day is None or clock is None:
        return day, reason
    written = datetime(day.year, day.month, day.day) + clock[0]
    if not clock[1]:
        return _latest_day(written, written.replace(tzinfo=UTC), UTC), None
    return _latest_day(written, _moment_behind(written, clock[1]), zone), None


_FURTHEST_EAST: Final = timedelta(hours=14)
_FURTHEST_WEST: Final = timedelta(hours=12)


def _moment_behind(written: datetime, behind: str) -> datetime:
    """Return the moment of a local time by the zone behind it, the latest where none is read."""
    if offset := _OFFSET.fullmatch(behind):
        return (written - _offset(offset)).replace(tzinfo=UTC)
    return (written + _FURTHEST_WEST).replace(tzinfo=UTC)


def _latest_day(written: datetime, moment: datetime, zone: tzinfo) -> date:
    """Return the latest day of which a moment may be the midnight; written: its local time as it stands."""
    east = (moment + _FURTHEST_EAST).date()
    return max(written.date(), moment.astimezone(zone).date(), east)


def _date_and_clock(
    text: object, order: str, *, buddhist: bool = False
) -> tuple[date | None, str | None, tuple[timedelta, str] | None]:
    """Return a date, why there is none, and its time of day with what stands behind that, see `_clock`."""
    day, reason, rest = _date_and_rest(text, order, buddhist=buddhist)
    clock = _clock(rest) if rest else None
    if day is not None and rest and clock is None:
        return None, "not a date", None
    return day, reason, clock


def _date_and_rest(  # noqa: PLR0911
    text: object, order: str, *, buddhist: bool = False
) -> tuple[date | None, str | None, str]:
    """Return a date, why there is none, and what stands behind it, folded."""
    text = _of_unit(text, order) or text
    if isinstance(text, date):
        return (text.date() if isinstance(text, datetime) else text), None, ""
    if is_unknown(text):
        return None, "unknown", ""
    found = plain_stamp(plain(text).casefold())
    if found.startswith("0000"):
        return None, "unknown", ""
    match = _ERA_DATE.match(found) or _YEAR_FIRST.match(found) or _EIGHT_DIGITS.fullmatch(found)
    match = match or _YEAR_LAST.match(found)
    if match is None and (turned := _date_first(found) or with_numbers(found)) is not None:
        return _date_and_rest(turned, order, buddhist=buddhist)
    if match is None:
        return None, next((why for form, why in _ALMOST if form.fullmatch(found)), "not a date"), ""
    rest = _WEEKDAY.sub("", found[match.end() :])
    if rest and not re.match(r"[t\s,]", rest) and not match.group().endswith(("日", "일")):
        return None, "not a date", ""
    if match.re is _ERA_DATE:
        name, year, month, day = match.groups()
        of_era = 1 if year == "元" else int(year)
        if of_era > _LAST_YEARS.get(name, of_era):
            return None, "not a date", ""  # another era was meant
        parts = _ERAS[name] + of_era, int(month), int(day)
    elif match.re is _YEAR_LAST:
        first, second, last = map(int, match.groups())
        if order not in {"dmy", "mdy"}:
            return None, ORDER_NOT_SAID, ""
        parts = (last, first, second) if order == "mdy" else (last, second, first)
    else:
        year, month, day = match.groups()
        parts = int(year), int(month), int(day)
    is_buddhist = buddhist and FIRST_BUDDHIST <= parts[0] <= LAST_BUDDHIST
    try:
        return date(parts[0] - BUDDHIST_ERA * is_buddhist, *parts[1:]), None, re.sub(r"^[t\s,]+", "", rest)
    except ValueError:
        return None, "not a date", ""


def _date_first(text: str) -> str | None:
    """Return a text such as `05:00 13/12/2025` with its time behind the date, None for any other."""
    clock = _CLOCK.match(text)
    if clock is None or not clock.group().strip():
        return None
    behind = re.sub(r"^[\s,\-–]+", "", text[clock.end() :])
    date_there = _ERA_DATE.match(behind) or _YEAR_FIRST.match(behind) or _YEAR_LAST.match(behind)
    if date_there is None:
        return None
    return f"{date_there.group()} {clock.group().strip()} {behind[date_there.end() :]}".strip()


def read_moment(  # noqa: PLR0911 one answer a reading
    text: object, zone: str | None, order: str = "ymd", *, buddhist: bool = False
) -> tuple[datetime | None, str | None]:
    """Return a moment in UTC and None, or a moment with a remark, or None with the reason.

    A text with an offset is read as it says; without one it is local time of `zone`. A local time that a
    change to summer time leaves out is read with the offset before the change; one that occurs twice, the
    first time; both are remarked. Halves of the day (`9:30 PM`, `午後9時30分`) are read; a zone that is named
    and no offset is not.

    >>> read_moment("2026-03-01 00:30:00", "Asia/Tokyo")
    (datetime.datetime(2026, 2, 28, 15, 30, tzinfo=datetime.timezone.utc), None)
    >>> read_moment("2026-03-29 01:30", "Europe/London")[1]
    'a local time that does not exist'
    >>> read_moment(1780000000000, None)[0].isoformat()  # milliseconds since 1970
    '2026-05-28T20:26:40+00:00'
    >>> read_moment("01:30", "Europe/London")
    (None, 'a time without a date')
    >>> read_moment("2026-06-01 9:30 PM", "UTC")[0].hour, read_moment("2026-06-01 9:30 JST", "UTC")[0].hour
    (21, 0)
    >>> read_moment("2026-06-01 9:30 CST", "UTC")[1]
    'a zone that has several offsets'
    >>> read_moment("2026-06-01 9:30 CST", "Asia/Shanghai")[0].hour
    1
    >>> read_moment("05:00 13/12/2025", "UTC", "dmy")[0].isoformat()  # usual in Vietnamese forms
    '2025-12-13T05:00:00+00:00'
    """
    if is_unknown(text):
        return None, "unknown"
    whole = text if isinstance(text, datetime) else _of_unit(text, order) or _since_1970(text)
    if whole is not None:
        return _of_zone(whole, zone) if whole.tzinfo is None else (whole.astimezone(UTC), None)
    day, reason, rest = _date_and_rest(text, order, buddhist=buddhist)
    if day is None:
        clock = not isinstance(text, date) and _CLOCK.match(plain(text).casefold())
        return None, "a time without a date" if clock and reason == "not a date" else reason
    if not rest:
        return _of_zone(datetime(day.year, day.month, day.day), zone)
    read = _clock(rest)
    if read is None:
        return None, "not a time of day"
    since, behind = read
    naive = datetime(day.year, day.month, day.day) + since
    if not behind:
        return _of_zone(naive, zone)
    if match := _OFFSET.fullmatch(behind):
        return (naive - _offset(match)).replace(tzinfo=UTC), None
    if not _ZONE_NAME.fullmatch(behind):
        return None, "not a time of day"
    own = _called(behind.strip("() ").upper(), naive, zone)
    return (own.astimezone(UTC), None) if own is not None else (None, "a zone that has several offsets")


def _called(name: str, naive: datetime, zone: str | None) -> datetime | None:
    """Return a local time of `zone` where the zone is called so at that time, `CST` and `CDT` in Chicago."""
    twice = (naive.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1)) if zone else ()
    return next((one for one in twice if (one.tzname() or "").upper() == name), None)


def written_moment(text: str) -> datetime | None:
    """Return the moment in UTC of a text that holds a date, None for any other and for a bare number.

    A time without a zone is taken as UTC.

    >>> written_moment("令和7年1月5日 午後3時").isoformat(), written_moment("1700000000")
    ('2025-01-05T15:00:00+00:00', None)
    """
    return None if _BARE_NUMBER.fullmatch(plain(text)) else read_moment(text, "UTC")[0]


def _clock(text: str) -> tuple[timedelta, str] | None:
    """Return the time since midnight and what stands behind it, None for no time of day."""
    match = _CLOCK.match(text)
    if match is None:
        return None
    _, h, m, s, part, hour, minute, second, _ = match.groups()
    hour, minute, second = int(h or hour), int(m or minute or 0), int(s or second or 0)
    half = match["first"] or match["last"]
    if hour > (12 if half else 23) or minute > 59 or second > 59:
        return None
    if half:
        hour = hour % 12 + (12 if half in _PM.split("|") else 0)
    micro = int((part or "0").ljust(6, "0")[:6])
    since = timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micro)
    return since, text[match.end() :].strip()


def _since_1970(text: object) -> datetime | None:
    """Return the moment of a number since 1970, in the one unit that puts it between 1980 and 2100."""
    match = None if isinstance(text, date) else _EPOCH.fullmatch(plain(text))
    if match is None:
        return None
    number = int(match.group(1))
    for each in EPOCH_UNITS.values():
        if _FIRST_EPOCH <= number // each < _LAST_EPOCH:
            return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=number * 10**6 // each)
    return None


def _of_unit(text: object, order: str) -> datetime | None:
    """Return the moment of a number since 1970 in the unit that `order` names, None where it names none.

    One in JSON of .NET, `/Date(1764360191000+0100)/`, has its unit.
    """
    if isinstance(text, date):
        return None
    if isinstance(text, str) and "/" in text[:2] and (in_json := _OF_DOTNET.fullmatch(plain(text))):
        text, order = in_json[1], "ms"
    match = _SIGNED.fullmatch(plain(text)) if order in EPOCH_UNITS else None
    if match is None:
        return None
    number, unit = int(match[1]), EPOCH_UNITS[order]
    if not _OF_1900 * unit <= number < _LAST_EPOCH * unit:
        return None
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=number * 10**6 // unit)


def epoch_unit(values: Collection[int]) -> str | None:
    """Return the unit of a column of numbers since 1970: the coarsest in which all are of 1900 to 2100.

    None where there is none, or where all are so small that they may be anything else.

    >>> epoch_unit([-618_969_600_000, 1_209_600_000]), epoch_unit([1_780_000_000]), epoch_unit([42])
    ('ms', 's', None)
    """
    if not any(abs(value) >= _FIRST_EPOCH for value in values):
        return None
    fits = (
        name
        for name, unit in EPOCH_UNITS.items()
        if all(_OF_1900 * unit <= value < _LAST_EPOCH * unit for value in values)
    )
    return next(fits, None)


def is_epoch(value: int) -> bool:
    """Say whether a number is a moment since 1970, between 1980 and 2100, in seconds to nanoseconds.

    >>> is_epoch(1_780_000_000_000), is_epoch(2026)
    (True, False)
    """
    return any(_FIRST_EPOCH * unit <= value < _LAST_EPOCH * unit for unit in EPOCH_UNITS.values())


def _offset(match: re.Match[str]) -> timedelta:
    sign, hours, minutes = match.groups()
    size = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return -size if sign == "-" else size


def _of_zone(naive: datetime, zone: str | None) -> tuple[datetime | None, str | None]:
    if zone is None:
        return None, "a local time without a zone"
    first, second = (naive.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    moment = first.astimezone(UTC)
    if first.utcoffset() == second.utcoffset():
        return moment, None
    there = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == naive
    return moment, "a local time that occurs twice" if there else "a local time that does not exist"


def full_years(born: date, day: date) -> int:
    """Return the age on a day; somebody born on 29 February has the birthday on 1 March in common years.

    >>> full_years(date(2001, 7, 1), date(2026, 6, 30))
    24
    """
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def activity_of(last: datetime | None, at: datetime) -> tuple[str | None, str | None]:
    """Return how long ago somebody was here: today, week, month or dormant (more than 32 days).

    >>> activity_of(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 9, tzinfo=UTC))
    ('month', None)
    """
    if last is None:
        return None, "unknown"
    age = at - last
    if age < -timedelta(days=1):
        return None, "in the future"
    limits = (("today", timedelta(days=1)), ("week", timedelta(days=7)), ("month", timedelta(days=32)))
    return next((word for word, limit in limits if age <= limit), "dormant"), None


_UP_TO: Final = re.compile(
    r"<|under|below|less|young|up to|\bnot?\b|before|until|\bu ?\d|未満|以下|まで|より下|前"
)
_OPEN_END: Final = re.compile(r"^(_|[^\w+>≥=(\[])|[-\u2010-\u2015\u2212~\u301c]\s*$")
"""A sign before a number, such as a minus, or a dash behind it: up to it, or about."""
_WHOLE_FRACTION: Final = re.compile(r"(?<=\d)\.0+(?!\d)")
"""As of `44.0`: numbers of a column in which others are not known."""
_YOUNGEST_BAND_ENDS: Final = 20
"""Beside a word for "under", a number up to this one may end the band of those who are not grown up."""
_NOT_SAID: Final = frozenset(
    fold(word)
    for word in (
        *("", "?", "unknown", "n/a", "na", "none", "null", "nan", "not said", "not given", "not answered"),
        *("prefer not to say", "undisclosed", "private", "secret"),
        *("不明", "未回答", "未設定", "未入力", "無回答", "非公開", "回答しない", "ひみつ", "秘密", "なし"),
    )
)
_TENS: Final = (
    "((early|mid|late) )?(twent|thirt|fort|fift|sixt|sevent|eight|ninet)(y|ies)"
    "( (one|two|three|four|five|six|seven|eight|nine))?"
)
_GROWN_UP: Final = re.compile(
    rf"{_TENS}|(an )?adults?( (man|men|woman|women|people|member))?|grown ups?|seniors?( citizens?)?"
    r"|elder(ly)?|retired|middle aged"
    r"|([二三四五六七八九]十[一二三四五六七八九]?(歳|才|代)?|成[人年](済み?)?(男性|女性)?|大人|中年|高齢(者)?|老人?)"
    r"(前半|後半|以上)?|" + fold("シニア")
)
"""The whole of a word for an age: what stands beside it may turn it, as in `non-adult`."""
_OF_AN_AGE: Final = re.compile(
    r"\d+|years?|yrs?|yo|y/o|old|of|aged?|ages|band|group|to|and|or|over|older|above|more|plus|up|early|mid|late|about"
    r"|(?<=\d)(s|y|a)\b|歳|才|さい|代|台|年齢|満|前半|後半|半ば|以上|から|ans|jahre|alt|anos?|anni|лет|세|살|岁|歲"
    r"|under|below|less|than|until|未満|以下|まで|[\s\-~+.,:()/<>=_]+"
)
"""What may stand beside the number of an adult's age and says nothing else."""


def may_be_under_age(age: object) -> bool:
    """Say whether an age or an age band, in whatever words, may be of somebody who is not grown up.

    That is every word but those of an adult's age, and those by which nobody says an age.

    >>> [may_be_under_age(one) for one in (17, "17歳", ["１７"], "13-17", "under 18", "minor", "十七歳")]
    [True, True, True, True, True, True, True]
    >>> [may_be_under_age(one) for one in ("non-adult", "35-44 (really 16)", "almost 18")]
    [True, True, True]
    >>> [may_be_under_age(one) for one in (None, 18, "18-24", "65+", "40s", "thirties", "unknown", "二十代")]
    [False, False, False, False, False, False, False, False]
    """
    if isinstance(age, int | float):
        return not math.isnan(age) and not ADULT <= age <= OLDEST
    said = "" if age is None else _WHOLE_FRACTION.sub("", plain(as_id_text(age))[:64])
    text = fold(said).replace("から", "-")
    if text in _NOT_SAID or not text.strip("-. "):
        return False
    if not (numbers := [int(one) for one in re.findall(r"\d{1,9}", text)]):
        return _GROWN_UP.fullmatch(text.strip()) is None
    is_up_to = (_UP_TO.search(text) or _OPEN_END.search(said)) is not None and numbers[
        0
    ] <= _YOUNGEST_BAND_ENDS
    are_adults = all(ADULT <= number <= OLDEST for number in numbers)
    return not are_adults or is_up_to or _OF_AN_AGE.sub("", text) != ""
