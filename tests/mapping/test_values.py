"""Single values as services write them: each has one reading, and a value that does not fit says why."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.mapping import moments, values
from recsys.safety.canonical import canonical_person

ANY_DATE = st.dates(date(1900, 1, 1), date(2030, 12, 31))
ZONES = st.sampled_from(["Asia/Tokyo", "Europe/London", "America/New_York", "Australia/Lord_Howe", "UTC"])


def era(day: date) -> str:
    """Return a day as Japanese forms write it."""
    starts = (("令和", 2018), ("平成", 1988), ("昭和", 1925), ("大正", 1911), ("明治", 1867))
    name, first = next((name, first) for name, first in starts if day.year > first + 1)
    return f"{name}{day.year - first}年{day.month}月{day.day}日"


@given(ANY_DATE, st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日"]))
def test_a_date_with_the_year_first_is_read_in_every_order(day: date, form: str) -> None:
    for order in moments.DATE_ORDERS:
        assert moments.read_date(day.strftime(form), order) == (day, None)


@given(ANY_DATE)
def test_a_date_with_the_year_last_is_read_as_its_order_says_and_never_guessed(day: date) -> None:
    assert moments.read_date(f"{day.day}/{day.month}/{day.year}", "dmy") == (day, None)
    assert moments.read_date(f"{day.month}/{day.day}/{day.year}", "mdy") == (day, None)
    assert moments.read_date(f"{day.day}/{day.month}/{day.year}") == (
        None,
        "the order of day and month is not said",
    )


@given(ANY_DATE)
def test_japanese_eras_are_years(day: date) -> None:
    assert moments.read_date(era(day)) == (day, None)


@pytest.mark.parametrize("text", ["", "0000/00/00", "不明", "n/a", None, " － "])
def test_an_unknown_date_is_unknown(text: str | None) -> None:
    assert moments.read_date(text)[0] is None


@pytest.mark.parametrize("text", ["01:30", "13:05:00"])
def test_a_time_without_a_date_is_never_today(text: str) -> None:
    assert moments.read_moment(text, "UTC") == (None, "a time without a date")


@given(st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)), ZONES)
def test_a_local_time_is_the_moment_the_zone_says(naive: datetime, zone: str) -> None:
    naive = naive.replace(microsecond=0)
    moment, remark = moments.read_moment(naive.isoformat(sep=" "), zone)
    there = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert (there == naive) == (remark != "a local time that does not exist")


@given(st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)), st.integers(-12, 14))
def test_an_offset_in_the_text_counts_and_not_the_zone(naive: datetime, hours: int) -> None:
    naive = naive.replace(microsecond=0)
    text = f"{naive.isoformat()}{'-' if hours < 0 else '+'}{abs(hours):02d}:00"
    moment, remark = moments.read_moment(text, "Asia/Tokyo")
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
    assert moments.read_moment(text, "UTC", "dmy") == (naive.replace(tzinfo=UTC), None)


@pytest.mark.parametrize(
    "text",
    ["2026-06-01 9:5", "2026-06-01 12:00 JST", "2026-06-015", "2026-06-01 21:30 PM", "2026-06-01 noon"],
)
def test_what_stands_behind_a_date_is_never_dropped(text: str) -> None:
    assert moments.read_moment(text, "UTC")[0] is None


@given(st.integers(1, 60_000), st.dates(date(1980, 1, 1), date(2030, 12, 31)))
def test_whole_numbers_are_eight_digits_or_since_1970_and_never_days_of_a_spreadsheet(
    serial: int, day: date
) -> None:
    assert moments.read_moment(serial, "UTC")[0] is None
    assert moments.read_moment(int(day.strftime("%Y%m%d")), "UTC")[0] == datetime(
        day.year, day.month, day.day, tzinfo=UTC
    )


@given(st.datetimes(datetime(1980, 1, 2), datetime(2099, 1, 1)), st.sampled_from([1, 10**3, 10**6, 10**9]))
def test_a_number_since_1970_is_read_by_itself_whatever_stands_in_other_rows(
    naive: datetime, unit: int
) -> None:
    seconds = int(naive.replace(tzinfo=UTC).timestamp())
    want = datetime.fromtimestamp(seconds, UTC)
    assert moments.read_moment(seconds * unit, None) == (want, None)
    assert moments.read_moment(f"{seconds * unit}.0", None) == (want, None)
    for sentinel in (0, -1, 9_999_999_999_999_999_999_999, 253_402_300_799_000):
        assert moments.read_moment(sentinel, None)[0] is None


def test_a_local_time_without_a_zone_is_refused() -> None:
    assert moments.read_moment("2026-01-01 10:00", None) == (None, "a local time without a zone")


def test_a_gap_and_a_fold_of_daylight_saving_are_remarked() -> None:
    gap, remark = moments.read_moment("2026-03-29 01:30", "Europe/London")
    assert (gap, remark) == (
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        "a local time that does not exist",
    )
    assert moments.read_moment("2026-10-25 01:30", "Europe/London")[1] == "a local time that occurs twice"


@given(ANY_DATE, st.dates(date(2000, 1, 1), date(2030, 12, 31)))
def test_an_age_grows_by_one_on_each_birthday(born: date, day: date) -> None:
    age = moments.full_years(born, day)
    birthday = date(day.year, 3, 1) if (born.month, born.day) == (2, 29) else born.replace(year=day.year)
    if (born.month, born.day) == (2, 29) and day.year % 4 == 0:
        birthday = date(day.year, 2, 29)
    assert age == day.year - born.year - (day < birthday)


@given(st.integers(-5, 130))
def test_nobody_under_18_has_an_age_band(age: int) -> None:
    band, reason = values.band_of_age(age)
    assert (band is None) == (age < 18 or age > 120)
    assert (reason is None) == (band is not None)


@given(st.one_of(st.none(), st.integers(18, 90)), st.one_of(st.none(), st.integers(18, 90)))
def test_wanted_bands_hold_every_wanted_age_and_no_other_band(low: int | None, high: int | None) -> None:
    found = values.bands_between(low, high)
    for age in range(18, 100):
        if (low is None or age >= low) and (high is None or age <= high):
            assert values.band_of_age(age)[0] in found
    assert found == [band for band in ENUMERATIONS[C.AGE_BAND].words if band in found]


@given(st.integers(1, 40000), st.sampled_from(["km", "mile"]))
def test_a_distance_is_rounded_down_and_never_up(amount: int, unit: str) -> None:
    km, _ = values.read_distance(str(amount), unit)
    said = amount * (1 if unit == "km" else values.KM_A_MILE)
    assert km is None or km <= said


@pytest.mark.parametrize("text", ["1.000", "1,000", "12.500", "1.000,5"])
def test_a_mark_of_thousands_is_never_read_as_one_of_decimals(text: str) -> None:
    assert values.read_distance(text) == (None, "a mark that parts thousands or decimals")


@given(st.floats(-180, 180).map(lambda one: f"{one:.6f}"))
def test_degrees_are_the_same_with_a_point_and_a_comma(text: str) -> None:
    assert values.read_degrees(text.replace(".", ",")) == values.read_degrees(text) == (float(text), None)


@pytest.mark.parametrize(("low", "high"), [("30", "about 45"), ("x", None), ("30-40", "")])
def test_an_age_limit_that_cannot_be_read_opens_nothing(low: str, high: str | None) -> None:
    assert values.wanted_bands(low, high)[0] == []


@given(st.integers(-200, 200), st.integers(2, 10))
def test_an_answer_outside_its_scale_is_no_answer(value: int, points: int) -> None:
    found, reason = values.read_likert(value, points)
    assert (found == value) if 1 <= value <= points else (found is None and reason == "outside the scale")
    assert values.read_likert(f"Often ({value})", points)[0] == found


@given(st.text(min_size=1, max_size=20))
def test_one_canonical_spelling_is_its_own_canonical_spelling(text: str) -> None:
    once, reason = values.canonical_id(text)
    assert reason == "no id" or values.canonical_id(once) == (once, None)


@pytest.mark.parametrize("text", ["u1 ", "\u3000u1", "ｕ１", "u\u200b1", "u1\x00"[:2]])
def test_spellings_of_one_id_are_one_id(text: str) -> None:
    assert values.canonical_id(text) == ("u1", None)


def test_ids_keep_leading_zeros_and_lose_a_fraction_of_nothing() -> None:
    assert values.canonical_id("007") == ("007", None)
    assert values.canonical_id(7) == values.canonical_id(7.0) == values.canonical_id("7.0") == ("7", None)


@given(st.lists(st.sampled_from(["A hobby, shared", "A group, a class", "Talk", "Support"]), unique=True))
def test_labels_that_hold_the_separator_are_found_whole(chosen: list[str]) -> None:
    known = ["A hobby, shared", "A group, a class", "Talk", "Support"]
    assert set(values.known_labels(",".join(chosen), known)) == set(chosen)


@settings(deadline=None)
@given(st.text(min_size=1) | st.uuids().map(lambda one: str(one).upper()))
def test_an_id_that_a_mapping_gives_is_one_that_the_safety_stores_take(text: str) -> None:
    found, _ = values.canonical_id(text)
    assert found is None or canonical_person(found) == found == values.canonical_id(found)[0]
