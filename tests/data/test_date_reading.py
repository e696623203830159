"""Dates and moments as services write them: each has one reading, and what does not fit says why."""

import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data import date_reading
from recsys.data.date_reading import may_be_under_age
from recsys.data.stamp_forms import ZONE_OFFSETS

ANY_DATE = st.dates(date(1900, 1, 1), date(2030, 12, 31))
ZONES = st.sampled_from(["Asia/Tokyo", "Europe/London", "America/New_York", "Australia/Lord_Howe", "UTC"])


def era(day: date) -> str:
    """Return a day as Japanese forms write it."""
    starts = (("令和", 2018), ("平成", 1988), ("昭和", 1925), ("大正", 1911), ("明治", 1867))
    name, first = next((name, first) for name, first in starts if day.year > first + 1)
    return f"{name}{day.year - first}年{day.month}月{day.day}日"


@given(ANY_DATE, st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日"]))
def test_a_date_with_the_year_first_is_read_in_every_order(day: date, form: str) -> None:
    for order in date_reading.DATE_ORDERS:
        assert date_reading.read_date(day.strftime(form), order) == (day, None)


@given(ANY_DATE)
def test_a_date_with_the_year_last_is_read_as_its_order_says_and_never_guessed(day: date) -> None:
    assert date_reading.read_date(f"{day.day}/{day.month}/{day.year}", "dmy") == (day, None)
    assert date_reading.read_date(f"{day.month}/{day.day}/{day.year}", "mdy") == (day, None)
    assert date_reading.read_date(f"{day.day}/{day.month}/{day.year}") == (
        None,
        "the order of day and month is not said",
    )


@given(ANY_DATE)
def test_japanese_eras_are_years(day: date) -> None:
    assert date_reading.read_date(era(day)) == (day, None)


@given(
    st.sampled_from([("明治", 45), ("大正", 15), ("昭和", 64), ("M", 45), ("T", 15), ("S", 64)]),
    st.integers(0, 99),
)
def test_a_year_that_an_era_had_not_is_no_date(name: tuple[str, int], year: int) -> None:
    """Seen to fail: `T22.1.1`, which a member of 16 wrote for `H22`, was an age of 93."""
    word, last = name
    for text in (f"{word}{year}.1.2", f"{word} {year}年1月2日"):
        assert (date_reading.read_date(text)[0] is None) == (year > last)


@pytest.mark.parametrize("text", ["", "0000/00/00", "不明", "n/a", None, " － "])
def test_an_unknown_date_is_unknown(text: str | None) -> None:
    assert date_reading.read_date(text)[0] is None


@pytest.mark.parametrize("text", ["01:30", "13:05:00"])
def test_a_time_without_a_date_is_never_today(text: str) -> None:
    assert date_reading.read_moment(text, "UTC") == (None, "a time without a date")


@given(
    st.dates(date(1940, 1, 1), date(2020, 1, 1)),
    ZONES,
    st.sampled_from([timedelta(minutes=15 * quarters) for quarters in range(-48, 57)]),
    st.sampled_from(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S+00", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M"]),
)
def test_midnight_of_any_place_makes_nobody_older(born: date, zone: str, east: timedelta, form: str) -> None:
    """Seen to fail: midnight in Nepal, in a service of India, was the day before: an adult a day early."""
    moment = datetime(born.year, born.month, born.day) - east
    found, reason = date_reading.read_birth_date(moment.strftime(form), "ymd", ZoneInfo(zone))
    assert reason is None
    assert born <= found <= born + timedelta(days=1)


def offset_text(east: timedelta) -> str:
    sign, minutes = "+" if east >= timedelta(0) else "-", abs(east) // timedelta(minutes=1)
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}"


BEHIND = {
    "Java": lambda east: f"{offset_text(east)}[Europe/Paris]",
    "a name": lambda east: " Europe/London",
    "a name in signs": lambda east: " (America/St_Johns)",
    "several offsets": lambda east: " CST",
    "words": lambda east: " Mitteleuropäische Zeit",
    "a minus of its own": lambda east: offset_text(east).replace("-", "\u2212"),
    "full width": lambda east: offset_text(east).replace("-", "\uff0d").replace("+", "\uff0b"),
    "one digit": lambda east: f"{'+' if east >= timedelta(0) else '-'}{abs(east) // timedelta(hours=1)}",
    "seconds": lambda east: f"{offset_text(east)}:00",
    "what is not read": lambda east: " @#",
    "plain": offset_text,
}
"""How programs write a zone behind a time, for an offset; a name is of any zone."""


@given(
    st.dates(date(1940, 1, 1), date(2020, 1, 1)),
    ZONES,
    *[st.sampled_from([timedelta(hours=hours) for hours in range(-12, 15)])] * 2,
    st.sampled_from(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y %I:%M %p"]),
    st.sampled_from(sorted(BEHIND)),
)
def test_a_zone_behind_a_birth_in_any_form_makes_nobody_older(
    born: date, zone: str, east: timedelta, written_in: timedelta, form: str, behind: str
) -> None:
    """Seen to fail: `2008-11-30T15:00:00Z[UTC]`, midnight in Tokyo, was 30 November: an adult a day early."""
    local = datetime(born.year, born.month, born.day) - east + written_in
    text = local.strftime(form) + BEHIND[behind](written_in)
    found, reason = date_reading.read_birth_date(text, "dmy", ZoneInfo(zone))
    assert (reason is None) == (found is not None)
    assert found is None or born <= found <= born + timedelta(days=2), text


@given(st.datetimes(datetime(1940, 1, 1), datetime(2020, 1, 1)), ZONES, st.integers(-12, 14))
def test_a_birth_date_kept_as_a_moment_makes_nobody_older(naive: datetime, zone: str, hours: int) -> None:
    """Seen to fail: midnight in Tokyo, written in UTC, was the day before, and 17 was 18 a day early."""
    there, offset = ZoneInfo(zone), timezone(timedelta(hours=hours))
    born = naive.replace(microsecond=0).replace(tzinfo=offset)
    for written in (born.isoformat(), born.isoformat(" "), f"{born.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}"):
        found, reason = date_reading.read_birth_date(written, "ymd", there)
        assert reason is None
        assert found >= max(born.astimezone(UTC).date(), born.astimezone(there).date())
        assert found - born.astimezone(UTC).date() <= timedelta(days=1)
    plain = naive.date().isoformat()
    assert date_reading.read_birth_date(plain, "ymd", there) == (naive.date(), None)


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)),
    st.sampled_from(["%d/%m/%Y", "%Y-%m-%d", "%d.%m.%Y", "%Y年%m月%d日"]),
    st.sampled_from(["%H:%M:%S", "%H:%M", "%Ih%M pm"]),
    st.sampled_from([" ", ", ", " - "]),
)
def test_a_time_before_the_date_is_that_of_one_behind_it(
    at: datetime, day: str, clock: str, mark: str
) -> None:
    """Seen to fail: `05:00 13/12/2025`, usual in Vietnamese forms, was "a time without a date"."""
    before, behind = at.strftime(f"{clock}{mark}{day}"), at.strftime(f"{day} {clock}")
    found = date_reading.read_moment(before, "Asia/Ho_Chi_Minh", "dmy")
    assert found == date_reading.read_moment(behind, "Asia/Ho_Chi_Minh", "dmy")
    assert found[1] is None
    assert date_reading.read_date(before, "dmy") == (at.date(), None)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)), ZONES)
def test_a_local_time_is_the_moment_the_zone_says(naive: datetime, zone: str) -> None:
    naive = naive.replace(microsecond=0)
    moment, remark = date_reading.read_moment(naive.isoformat(sep=" "), zone)
    there = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert (there == naive) == (remark != "a local time that does not exist")


@given(st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)), st.integers(-12, 14))
def test_an_offset_in_the_text_counts_and_not_the_zone(naive: datetime, hours: int) -> None:
    naive = naive.replace(microsecond=0)
    text = f"{naive.isoformat()}{'-' if hours < 0 else '+'}{abs(hours):02d}:00"
    moment, remark = date_reading.read_moment(text, "Asia/Tokyo")
    assert remark is None
    assert moment == (naive - timedelta(hours=hours)).replace(tzinfo=UTC)


CLOCKS = (
    ("%Y-%m-%d %I:%M:%S %p", {}), ("%d/%m/%Y %I:%M %p", {"AM": "a. m.", "PM": "p. m."}),
    ("%Y年%m月%d日 %p%I時%M分%S秒", {"AM": "午前", "PM": "午後"}),
    ("%Y-%m-%d %p %I:%M", {"AM": "오전", "PM": "오후"}),
    ("%d.%m.%Y %H.%M Uhr", {}), ("%Y-%m-%d %Hh%M", {}), ("%Y年%m月%d日(月) %H時%M分", {}),
)  # fmt: skip


@given(st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)), st.sampled_from(CLOCKS))
def test_a_clock_of_any_form_is_read_whole(naive: datetime, clock: tuple[str, dict[str, str]]) -> None:
    form, halves = clock
    naive = naive.replace(microsecond=0, second=naive.second if "%S" in form else 0)
    text = naive.strftime(form)
    for word, own in halves.items():
        text = text.replace(word, own)
    assert date_reading.read_moment(text, "UTC", "dmy") == (naive.replace(tzinfo=UTC), None)


STAMPS = (
    ("%a, %d %b %Y %H:%M:%S", "{sign}{hours:02}00"),
    ("%a %b %d %Y %H:%M:%S", " GMT{sign}{hours:02}00 (Some Standard Time)"),
    ("%B %d, %Y at %I:%M:%S %p", " UTC{sign}{hours}"),
    ("%Y/%m/%d %I:%M:%S %p", " GMT{sign}{hours}"),
    ("%Y年%m月%d日 %H:%M:%S", " UTC{sign}{hours}"),
    ("%d.%m.%Y %I:%M:%S %p", "{sign}{hours:02}:00"),
    ("%d/%m/%Y às %H:%M:%S", " UTC{sign}{hours:02}:00"),
    ("%Y-%m-%d %H:%M:%S.000", " {sign}{hours:02}00 UTC"),
    ("%Y%m%dT%H%M%S", "{sign}{hours:02}00"),
    ("%a %b %d %H:%M:%S", " {sign}{hours:02}00 %Y"),
)


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)), st.sampled_from(STAMPS), st.integers(-12, 14)
)
def test_a_stamp_of_a_program_or_form_is_the_moment_that_it_names(
    naive: datetime, form: tuple[str, str], hours: int
) -> None:
    """Seen to fail: stamps of Google Forms, Firestore, e-mail, JavaScript and Go were no dates."""
    naive = naive.replace(microsecond=0)
    offset = form[1].format(sign="-" if hours < 0 else "+", hours=abs(hours))
    text = naive.strftime(form[0] + offset)
    want = (naive - timedelta(hours=hours)).replace(tzinfo=UTC), None
    assert date_reading.read_moment(text, "Asia/Tokyo", "dmy") == want, text


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)),
    st.sampled_from(["%Y%m%d%H%M%S", "%a %b %e %X %Y"]),
)
def test_a_stamp_without_an_offset_is_of_the_zone(naive: datetime, form: str) -> None:
    naive = naive.replace(microsecond=0)
    found, _ = date_reading.read_moment(naive.strftime(form), "Asia/Tokyo")
    assert found == (naive - timedelta(hours=9)).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["3/5/26, 2:07 PM", "05-MAR-26 02.07.11.123456 PM", "05.03.26 14:07"],
)
def test_a_stamp_with_a_year_of_two_digits_is_told_as_one(text: str) -> None:
    assert date_reading.read_moment(text, "UTC", "dmy") == (None, "a year of two digits")


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-01 14:07 +3",
        "2026-06-01 14:07 UTC+3 or later",
        "Monthly 2026-06-01",
        "2026-06-01 at noon",
        "2026-06-01 9:5",
        "2026-06-01 12:00 CST",
        "2026-06-01 12:00 JST or later",
        "2026-06-015",
        "2026-06-01 21:30 PM",
        "2026-06-01 noon",
    ],
)
def test_what_stands_behind_a_date_is_never_dropped(text: str) -> None:
    assert date_reading.read_moment(text, "UTC")[0] is None


def test_a_zone_by_name_has_one_offset_in_every_zone_of_the_world_that_is_called_so() -> None:
    """What people mean by `CST`, `IST` and `PST` depends on where they are: those stay out of the table."""
    offsets = dict[str, set[timedelta]]()
    for name in sorted(available_timezones() - {"Asia/Pyongyang"}):  # three years of KST half an hour off
        for year in range(2001, 2027):
            for month in (1, 7):
                local = datetime(year, month, 15, tzinfo=ZoneInfo(name))
                offsets.setdefault(str(local.tzname()), set()).add(local.utcoffset() or timedelta())
    for name, written in ZONE_OFFSETS.items():
        read = datetime.strptime(written, "%z").utcoffset()
        assert offsets[name] == {read}, name


_CALLED = {
    "Asia/Tokyo": ("JST", "JST"), "Europe/Berlin": ("CET", "CEST"), "America/New_York": ("EST", "EDT"),
    "America/Chicago": ("CST", "CDT"), "Asia/Shanghai": ("CST", "CST"), "Asia/Kolkata": ("IST", "IST"),
    "Asia/Manila": ("PST", "PST"), "America/Los_Angeles": ("PST", "PDT"), "Europe/London": ("GMT", "BST"),
    "Europe/Dublin": ("GMT", "IST"), "Australia/Sydney": ("AEDT", "AEST"),
}  # fmt: skip
_NAMED_FORMS = [
    "{0:%Y-%m-%d %H:%M:%S} {1}", "{0:%Y-%m-%d %H:%M:%S} ({1})", "{0:%d %b %Y %I:%M %p} {1}",
    "{0:%a %b %d %H:%M:%S} {1} {0:%Y}", "{0:%Y年%m月%d日 %H:%M}{1}",
]  # fmt: skip


@given(
    st.datetimes(datetime(2001, 1, 2), datetime(2030, 1, 1)),
    st.sampled_from(sorted(_CALLED)),
    st.sampled_from(_NAMED_FORMS),
    st.sampled_from(["UTC", "Asia/Seoul", "own"]),
    st.booleans(),
)
def test_a_zone_by_name_is_the_offset_that_it_has_or_no_time(
    naive: datetime, zone: str, form: str, around: str, lower: bool
) -> None:
    """A name of several offsets counts where the rows' own zone is called so at that time, nowhere else."""
    local = naive.replace(microsecond=0, second=0, tzinfo=ZoneInfo(zone))
    name = str(local.tzname())
    assert name in _CALLED[zone]
    text = form.format(local, name)
    read, reason = date_reading.read_moment(
        text.lower() if lower else text, zone if around == "own" else around
    )
    if around == "own" or name in ZONE_OFFSETS:
        assert read == local.astimezone(UTC), (text, reason)
    else:
        assert (read, reason) == (None, "a zone that has several offsets"), text


@given(st.integers(1, 60_000), st.dates(date(1980, 1, 1), date(2030, 12, 31)))
def test_whole_numbers_are_eight_digits_or_since_1970_and_never_days_of_a_spreadsheet(
    serial: int, day: date
) -> None:
    assert date_reading.read_moment(serial, "UTC")[0] is None
    assert date_reading.read_moment(int(day.strftime("%Y%m%d")), "UTC")[0] == datetime(
        day.year, day.month, day.day, tzinfo=UTC
    )


@given(st.datetimes(datetime(1980, 1, 2), datetime(2099, 1, 1)), st.sampled_from([1, 10**3, 10**6, 10**9]))
def test_a_number_since_1970_is_read_by_itself_whatever_stands_in_other_rows(
    naive: datetime, unit: int
) -> None:
    seconds = int(naive.replace(tzinfo=UTC).timestamp())
    want = datetime.fromtimestamp(seconds, UTC)
    assert date_reading.read_moment(seconds * unit, None) == (want, None)
    assert date_reading.read_moment(f"{seconds * unit}.0", None) == (want, None)
    for sentinel in (0, -1, 9_999_999_999_999_999_999_999, 253_402_300_799_000):
        assert date_reading.read_moment(sentinel, None)[0] is None


def test_a_local_time_without_a_zone_is_refused() -> None:
    assert date_reading.read_moment("2026-01-01 10:00", None) == (None, "a local time without a zone")


def test_a_gap_and_a_fold_of_daylight_saving_are_remarked() -> None:
    gap, remark = date_reading.read_moment("2026-03-29 01:30", "Europe/London")
    assert (gap, remark) == (
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        "a local time that does not exist",
    )
    assert (
        date_reading.read_moment("2026-10-25 01:30", "Europe/London")[1] == "a local time that occurs twice"
    )


@given(ANY_DATE, st.dates(date(2000, 1, 1), date(2030, 12, 31)))
def test_an_age_grows_by_one_on_each_birthday(born: date, day: date) -> None:
    age = date_reading.full_years(born, day)
    birthday = date(day.year, 3, 1) if (born.month, born.day) == (2, 29) else born.replace(year=day.year)
    if (born.month, born.day) == (2, 29) and day.year % 4 == 0:
        birthday = date(day.year, 2, 29)
    assert age == day.year - born.year - (day < birthday)


@given(
    st.datetimes(datetime(1900, 1, 2), datetime(2099, 1, 1)),
    st.sampled_from(["/Date({})/", "/Date({}+0100)/", "\\/Date({}-0530)\\/", "/date({})/"]),
)
def test_a_moment_in_json_of_dotnet_is_read(naive: datetime, form: str) -> None:
    """Seen to fail: it was no date."""
    moment = naive.replace(microsecond=0, tzinfo=UTC)
    text = form.format(int(moment.timestamp()) * 1000)
    assert date_reading.read_moment(text, "Asia/Tokyo", "dmy") == (moment, None)
    assert date_reading.read_date(text) == (moment.date(), None)


@given(
    st.datetimes(datetime(1900, 1, 2), datetime(2099, 1, 1)),
    st.sampled_from([*date_reading.EPOCH_UNITS]),
    st.sampled_from([int, str, float, "{}.0".format]),
)
def test_a_number_whose_unit_is_said_is_a_moment_of_any_year(
    naive: datetime, unit: str, written: object
) -> None:
    """Seen to fail: births of before 1975 in milliseconds were no dates, and one of 1970 was of 1984."""
    moment = naive.replace(microsecond=0, tzinfo=UTC)
    number = int(moment.timestamp()) * date_reading.EPOCH_UNITS[unit]
    value = written(number) if written is not float or unit == "s" else number
    assert date_reading.read_moment(value, None, unit) == (moment, None)
    assert date_reading.read_date(value, unit) == (moment.date(), None)
    born, _ = date_reading.read_birth_date(value, unit, ZoneInfo("Asia/Tokyo"))
    local = moment.astimezone(ZoneInfo("Asia/Tokyo"))
    assert max(moment.date(), local.date()) <= born <= (moment + timedelta(hours=14)).date()


@given(st.lists(st.datetimes(datetime(1930, 1, 1), datetime(2008, 1, 1)), min_size=3))
def test_numbers_of_one_column_have_one_unit(days: list[datetime]) -> None:
    days = [*days, datetime(1962, 1, 1), datetime(1990, 1, 1)]
    for unit, size in date_reading.EPOCH_UNITS.items():
        numbers = [int(day.replace(tzinfo=UTC).timestamp()) * size for day in days]
        assert date_reading.epoch_unit(numbers) == unit


FORMS = st.sampled_from(["%d/%m/%Y %H:%M", "%b %d, %Y", "%H:%M %d.%m.%Y", "R%d.%m.%y", "%Y/%d/%m"])
NUMBERS = st.lists(st.integers(0, 2030).map(str), min_size=1, max_size=4)
TEXTS = st.one_of(
    st.tuples(ANY_DATE, FORMS).map(lambda of: of[0].strftime(of[1])),
    st.tuples(st.sampled_from("/.- 年"), NUMBERS).map(lambda of: of[0].join(of[1])),
    st.text(max_size=12),
)


@given(TEXTS)
def test_the_order_counts_where_it_is_not_said_and_nowhere_else(text: str) -> None:
    first = date_reading.read_date(text)
    if first[1] != date_reading.ORDER_NOT_SAID:
        assert {date_reading.read_date(text, order) for order in date_reading.DATE_ORDERS} == {first}


NO_ADULT = (
    *(
        "成人ではない",
        "成人していない",
        "non-adult",
        "pre-adult",
        "is_adult=false",
        "18才になっていない",
        "成年ではない",
    ),
    *(
        "35-44 (really 16)",
        "18 in two years",
        "almost 18",
        "nearly 18",
        "18未",
        "18- (turns 18 in May)",
        "25 (fake, is 15)",
    ),
    *("twenty minus three", " " * 70 + "17", "\u200b" * 70 + "17", "17", "adult? no", "not twenty"),
)
ADULTS = (
    "18",
    "18歳",
    "35 years old",
    "40s",
    "30代前半",
    "18-24",
    "65+",
    "twenty one",
    "mid thirties",
    "二十代",
    "成人",
    "adult",
    "18歳以上",
)


@pytest.mark.parametrize("word", NO_ADULT)
def test_what_says_more_than_an_adults_age_may_be_under_age(word: str) -> None:
    """Seen to fail: a word for adults counted whatever stood beside it, and of several numbers the first."""
    assert may_be_under_age(word)


@pytest.mark.parametrize("word", ADULTS)
def test_an_age_of_an_adult_is_one(word: str) -> None:
    assert not may_be_under_age(word)


DASHES = [
    one
    for one in map(chr, range(0x21, 0x10000))
    if unicodedata.category(one) == "Pd" or one in "<~_−⁻₋˗¬≤≦⩽‹〈《〜～…・"
]
"""Signs by which people write that an age is up to a number."""


@given(st.integers(0, 130), st.sampled_from(["{}", "{}.0", "{}.00", "{} ", "{}歳", "{}.0 years"]))
def test_a_whole_number_of_years_is_one_in_every_form(age: int, form: str) -> None:
    """Seen to fail: `44.0`, as of a column in which others give none, may have been under age."""
    assert may_be_under_age(form.format(age)) == (not 18 <= age <= 120)


@given(
    sign=st.sampled_from(DASHES),
    gap=st.sampled_from(["", " ", "\u3000"]),
    age=st.sampled_from(["18", "１８", "19", "20"]),
    unit=st.sampled_from(["", " ans", "歳", " years", "才", "+"]),
)
@settings(max_examples=400)
def test_a_sign_before_the_first_age_of_adults_may_mean_below_it(
    sign: str, gap: str, age: str, unit: str
) -> None:
    """Seen to fail: `-18 ans` was an adult's age, since folding turned the sign into a blank."""
    assert may_be_under_age(f"{sign}{gap}{age}{unit}")
    if sign not in "<‹〈《_…・≤≦⩽¬":
        assert may_be_under_age(f"{age}{gap}{sign}")
