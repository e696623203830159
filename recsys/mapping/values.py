"""Single values as services write them: dates, moments, numbers on a scale, distances, ids, words.

Every function returns the value and None, or None and the reason why it could not be read. Reasons never
repeat the value: it may be a birth date, a place or an address.
"""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.text_folding import INVISIBLE
from recsys.catalogue.vocabulary import DAYS, ENUMERATIONS, RANGES
from recsys.data.ids import canonical_spelling

Reading = tuple[object, str | None]

UNKNOWN_WORDS: Final = frozenset(
    (
        "",
        "-",
        "--",
        "n/a",
        "na",
        "none",
        "null",
        "nan",
        "nil",
        "unknown",
        "不明",
        "未設定",
        "未回答",
        "なし",
        "無回答",
        "k.a.",
        "keine angabe",
        "unbekannt",
        "não informado",
        "no especificado",
        "non précisé",
        "onbekend",
        "모름",
        "未知",
    )
)
"""Texts that say that nothing is known; compared folded."""

DATE_ORDERS: Final = ("ymd", "dmy", "mdy")
KM_A_MILE: Final = 1.609344
ANYWHERE: Final = frozenset(
    (
        *("anywhere", "any", "no limit", "unlimited", "worldwide", "どこでも", "制限なし", "全国"),
        *("egal", "unbegrenzt", "kein limit", "illimité", "sans limite", "partout", "sin límite"),
        *("sem limite", "indiferente", "senza limiti", "onbeperkt", "제한 없음", "不限"),
    )
)
ADULT, OLDEST = RANGES[C.AGE_YEARS]

_ERAS: Final = {
    "明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018,
    "m": 1867, "t": 1911, "s": 1925, "h": 1988, "r": 2018,
}  # fmt: skip
_ERA_DATE = re.compile(
    r"(明治|大正|昭和|平成|令和|[mtshr])\s*\.?\s*(元|\d{1,2})\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})\s*日?"
)
_YEAR_FIRST = re.compile(r"(\d{4})\s*[年/.-]\s*(\d{1,2})\s*[月/.-]\s*(\d{1,2})\s*日?")
_EIGHT_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEAR_LAST = re.compile(r"(\d{1,2})\s*[/.-]\s*(\d{1,2})\s*[/.-]\s*(\d{4})")
_EPOCH_UNITS: Final = (1, 10**3, 10**6, 10**9)
_EPOCH = re.compile(r"\d{9,10}|\d{12,13}|\d{15,16}|\d{18,19}")
_FIRST_EPOCH, _LAST_EPOCH = 315_532_800, 4_102_444_800  # 1980 and 2100, between which no two units overlap
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?")
_OFFSET = re.compile(r"(Z|UTC|[+-]\d{2}(?::?\d{2})?)$", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_UP_TO = re.compile(
    r"^(?:up to|within|max(?:imum|imal|\.)?|bis(?: zu)?|até|hasta|jusqu['’]?à|fino a|tot|[<≤])\s*"
)
_UP_TO_AFTER: Final = "以内まで圏"
_IN_BRACKETS = re.compile(r"\(([+-]?\d+)\)\s*$")
_WHOLE_AS_REAL = re.compile(r"(\d+)\.0+")
DISTANCE_UNITS: Final = {
    "km": 1.0,
    "kilometres": 1.0,
    "kilometers": 1.0,
    "キロ": 1.0,
    "m": 0.001,
    "mi": KM_A_MILE,
    "mile": KM_A_MILE,
    "miles": KM_A_MILE,
}


def plain(text: object) -> str:
    """Return a text in compatibility form, without blanks at the ends and without invisible characters.

    >>> plain("　２\u200b ")
    '2'
    """
    return INVISIBLE.sub("", unicodedata.normalize("NFKC", str(text))).strip()


def is_unknown(text: object) -> bool:
    """Say whether a text stands for nothing known.

    >>> is_unknown(" N/A "), is_unknown("0")
    (True, False)
    """
    return text is None or plain(text).casefold() in UNKNOWN_WORDS


def read_date(text: object, order: str = "ymd") -> tuple[date | None, str | None]:  # noqa: PLR0911
    """Return a date, in the order of its parts; Japanese eras are read as what they are.

    order: `ymd`, `dmy` or `mdy`, for dates whose year stands last. A date with the year first is always read.

    >>> read_date("S38.7.15"), read_date("平成20年7月1日")
    ((datetime.date(1963, 7, 15), None), (datetime.date(2008, 7, 1), None))
    >>> read_date("03/04/1990")
    (None, 'the order of day and month is not said')
    >>> read_date("03/04/1990", "dmy")
    (datetime.date(1990, 4, 3), None)
    """
    if isinstance(text, date):
        return (text.date() if isinstance(text, datetime) else text), None
    if is_unknown(text):
        return None, "unknown"
    found = plain(text)
    if found.startswith("0000"):
        return None, "unknown"
    if era := _ERA_DATE.match(found.casefold()):
        name, year, month, day = era.groups()
        return _date(_ERAS[name] + (1 if year == "元" else int(year)), int(month), int(day))
    if match := _YEAR_FIRST.match(found) or _EIGHT_DIGITS.fullmatch(found):
        year, month, day = map(int, match.groups())
        return _date(year, month, day)
    if match := _YEAR_LAST.match(found):
        first, second, year = map(int, match.groups())
        if order == "ymd":
            return None, "the order of day and month is not said"
        return _date(year, first, second) if order == "mdy" else _date(year, second, first)
    return None, "not a date"


def _date(year: int, month: int, day: int) -> tuple[date | None, str | None]:
    try:
        return date(year, month, day), None
    except ValueError:
        return None, "not a date"


def read_moment(text: object, zone: str | None, order: str = "ymd") -> tuple[datetime | None, str | None]:
    """Return a moment in UTC and None, or a moment with a remark, or None with the reason.

    A text with an offset is read as it says; without one it is local time of `zone`. A local time that a
    change to summer time leaves out is read with the offset before the change; one that occurs twice, the
    first time; both are remarked.

    >>> read_moment("2026-03-01 00:30:00", "Asia/Tokyo")
    (datetime.datetime(2026, 2, 28, 15, 30, tzinfo=datetime.timezone.utc), None)
    >>> read_moment("2026-03-29 01:30", "Europe/London")[1]
    'a local time that does not exist'
    >>> read_moment(1780000000000, None)[0].isoformat()  # milliseconds since 1970
    '2026-05-28T20:26:40+00:00'
    >>> read_moment("01:30", "Europe/London")
    (None, 'a time without a date')
    """
    if is_unknown(text):
        return None, "unknown"
    whole = text if isinstance(text, datetime) else _since_1970(text)
    if whole is not None:
        return _of_zone(whole, zone) if whole.tzinfo is None else (whole.astimezone(UTC), None)
    found = plain(text).replace("T", " ") if not isinstance(text, date) else text.isoformat()
    day, reason = read_date(found, order)
    if day is None:
        return None, "a time without a date" if _CLOCK.match(found) else reason
    clock = _CLOCK.search(found)
    hour, minute, second, part = clock.groups() if clock else ("0", "0", None, None)
    micro = int((part or "0").ljust(6, "0")[:6])
    if int(hour) > 23 or int(minute) > 59 or int(second or 0) > 59:
        return None, "not a time of day"
    naive = datetime(day.year, day.month, day.day, int(hour), int(minute), int(second or 0), micro)
    if clock and (offset := _OFFSET.search(found[clock.end() :].strip())):
        return (naive - _offset(offset.group(1))).replace(tzinfo=UTC), None
    return _of_zone(naive, zone)


def _since_1970(text: object) -> datetime | None:
    """Return the moment of a number since 1970, in the one unit that puts it between 1980 and 2100."""
    found = plain(text)
    if isinstance(text, date) or not _EPOCH.fullmatch(found):
        return None
    for each in _EPOCH_UNITS:
        if _FIRST_EPOCH <= int(found) // each < _LAST_EPOCH:
            return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(found) * 10**6 // each)
    return None


def _offset(text: str) -> timedelta:
    if text.upper() in {"Z", "UTC"}:
        return timedelta()
    digits = text[1:].replace(":", "").ljust(4, "0")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]))
    return -size if text[0] == "-" else size


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


def band_of_age(age: int) -> tuple[str | None, str | None]:
    """Return the age band of an age in full years.

    >>> band_of_age(34), band_of_age(17)
    (('25-34', None), (None, 'under 18'))
    """
    if age < 0:
        return None, "born in the future"
    if age < ADULT:
        return None, "under 18"
    if age > OLDEST:
        return None, "older than 120"
    bands = ENUMERATIONS[C.AGE_BAND].words
    return next(band for band in reversed(bands) if age >= int(band[:2])), None


def bands_between(low: int | None, high: int | None) -> list[str]:
    """Return the age bands that hold an age from `low` to `high`, open where None.

    >>> bands_between(30, 44)
    ['25-34', '35-44']
    """
    found = []
    for band in ENUMERATIONS[C.AGE_BAND].words:
        first, last = int(band[:2]), OLDEST if band.endswith("+") else int(band[3:])
        if (low is None or last >= low) and (high is None or first <= high):
            found.append(band)
    return found


def read_likert(value: object, points: int) -> tuple[int | None, str | None]:
    """Return a whole number from 1 to `points`, also where it stands in brackets behind a label.

    >>> read_likert("Often (4)", 5), read_likert("-99", 7), read_likert("７", 7)
    ((4, None), (None, 'outside the scale'), (7, None))
    """
    if is_unknown(value):
        return None, "unknown"
    text = plain(value)
    match = _IN_BRACKETS.search(text)
    number = match.group(1) if match else text
    if whole := _WHOLE_AS_REAL.fullmatch(number):
        number = whole.group(1)
    try:
        found = int(number)
    except ValueError:
        return None, "not a whole number"
    return (found, None) if 1 <= found <= points else (None, "outside the scale")


def is_epoch(value: int) -> bool:
    """Say whether a number is a moment since 1970, between 1980 and 2100, in seconds to nanoseconds.

    >>> is_epoch(1_780_000_000_000), is_epoch(2026)
    (True, False)
    """
    return any(_FIRST_EPOCH * unit <= value < _LAST_EPOCH * unit for unit in _EPOCH_UNITS)


def read_distance(value: object, unit: str = "km") -> tuple[int | None, str | None]:
    """Return a distance in whole km, rounded down, never up; `anywhere` is the largest.

    >>> read_distance("60", "mile"), read_distance("7,5 km"), read_distance("anywhere")
    ((96, None), (7, None), (20000, None))
    >>> read_distance("bis zu 30 km"), read_distance("50km以内")
    ((30, None), (50, None))
    >>> read_distance("1,000")  # a thousand, or one with three decimals
    (None, 'a comma that parts thousands or decimals')
    """
    least, most = RANGES[C.MAX_DISTANCE_KM]
    if is_unknown(value):
        return None, "unknown"
    text = plain(value).casefold()
    if text in ANYWHERE:
        return most, None
    text = _UP_TO.sub("", text).rstrip(_UP_TO_AFTER)
    match = _NUMBER.match(text)
    if match is None:
        return None, "not a distance"
    if re.fullmatch(r".*,\d{3}", match.group()):
        return None, "a comma that parts thousands or decimals"
    named = text[match.end() :].strip() or unit.casefold()
    if named not in DISTANCE_UNITS:
        return None, "unknown unit of distance"
    km = int(float(match.group().replace(",", ".")) * DISTANCE_UNITS[named] + 1e-9)
    return (min(km, most), None) if km >= least else (None, "less than the least distance")


def canonical_id(value: object) -> tuple[str | None, str | None]:
    """Return the one spelling of an id: compatibility form, no blanks around it, UUIDs in lower case.

    >>> canonical_id(" ０００１７ "), canonical_id(12.0)
    (('00017', None), ('12', None))
    """
    if value is None:
        return None, "no id"
    text = canonical_spelling(str(value))
    if isinstance(value, float) and (whole := _WHOLE_AS_REAL.fullmatch(text)):
        text = whole.group(1)
    if not text or text.casefold() in {"null", "nan", "none"} or not text.isprintable():
        return None, "no id"
    return text, None


def split_words(text: object, separators: str) -> list[str]:
    """Return the words of a text, in order, each once, empty ones left out.

    >>> split_words("tea, chess ;tea", ",;")
    ['tea', 'chess']
    """
    if text is None:
        return []
    words = re.split(f"[{re.escape(separators)}]", str(text))
    return list(dict.fromkeys(word for one in words if (word := one.strip())))


def known_labels(text: object, labels: list[str]) -> list[str]:
    """Return which of the known labels a text joins, longest first, also where labels hold the separator.

    >>> known_labels("A hobby, shared in person,Support", ["Support", "A hobby, shared in person"])
    ['Support', 'A hobby, shared in person']
    """
    if text is None:
        return []
    left, found = str(text).casefold(), set()
    for label in sorted(labels, key=len, reverse=True):
        if label.casefold() in left:
            found.add(label)
            left = left.replace(label.casefold(), "\0")
    return [label for label in labels if label in found]


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


_DAY_NAMES: Final = (
    ("monday", "月曜"), ("tuesday", "火曜"), ("wednesday", "水曜"), ("thursday", "木曜"),
    ("friday", "金曜"), ("saturday", "土曜"), ("sunday", "日曜"),
)  # fmt: skip
_DAY_WORDS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("weekday", "平日"), DAYS[:5]),
    **dict.fromkeys(("weekend", "土日", "週末", "休日"), DAYS[5:]),
    **dict.fromkeys(("every day", "everyday", "daily", "毎日"), DAYS),
    **{name: (day,) for day, names in zip(DAYS, _DAY_NAMES, strict=True) for name in names},
}
_PART_WORDS: Final = {
    "morning": "early", "朝": "early", "afternoon": "day", "daytime": "day", "昼": "day", "日中": "day",
    "evening": "evening", "夕": "evening", "夜": "evening", "night": "night", "深夜": "night", "day": "day",
}  # fmt: skip


def read_windows(text: object) -> tuple[list[str] | None, str | None]:
    """Return the contact windows that a phrase of days and a part of the day names, in Japanese or English.

    >>> read_windows("土日夜"), read_windows("Weekend days")[0]
    ((['sat_evening', 'sun_evening'], None), ['sat_day', 'sun_day'])
    """
    if is_unknown(text):
        return None, "unknown"
    phrase = plain(text).casefold()
    days = next((days for word, days in _DAY_WORDS.items() if word in phrase), None)
    for word in _DAY_WORDS:
        phrase = phrase.replace(word, " ")
    part = next((part for word, part in (("深夜", "night"), *_PART_WORDS.items()) if word in phrase), None)
    if days is None or part is None:
        return None, "no day and part of the day"
    return [f"{day}_{part}" for day in days], None
