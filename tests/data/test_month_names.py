"""Dates whose month is written out mean one day, in whatever language and order."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.catalogue.catalogue import load_catalogue
from recsys.data.date_reading import read_birth_date, read_date, read_moment
from recsys.data.month_names import _NAMES, with_numbers
from recsys.mapping.distances import read_distance
from recsys.mapping.functions import Remarks, Surroundings, sql_functions

_EACH = [(name, month) for month, names in enumerate(_NAMES, start=1) for name in names.split()]


def test_no_name_is_that_of_two_months() -> None:
    assert len({name for name, _ in _EACH}) == len(set(_EACH))


@pytest.mark.parametrize(
    "form",
    ["{d} {m} {y}", "{d}. {m} {y}", "{d}-{m}-{y}", "{m} {d}, {y}", "{d} de {m} de {y}", "{d} {m}. {y} 10:30"],
)
def test_a_date_whose_month_is_named_is_read_in_every_language(form: str) -> None:
    """Seen to fail: `5 mars 1982` and `5 de marzo de 1982` were no dates, in any language but numbers'."""
    for at, (name, month) in enumerate(_EACH):
        day, year = 1 + at % 28, 1950 + at % 50
        for written in (name, name.upper(), name.capitalize()):
            assert read_date(form.format(d=day, m=written, y=year)) == (date(year, month, day), None), written


@pytest.mark.parametrize(
    "text", ["5 mai", "mai 1982", "5 xyz 1982", "31 april 1982", "may 1982", "1 5 mai 1982"]
)
def test_what_is_no_whole_date_is_none(text: str) -> None:
    assert read_date(text)[0] is None
    assert with_numbers("5 xyz 1982") is None


@pytest.mark.parametrize("year", range(1, 116, 9))
@pytest.mark.parametrize("era", ["民國", "民国", "中華民國", "民國 "])
def test_years_of_taiwan_are_read(era: str, year: int) -> None:
    assert read_date(f"{era}{year}年3月5日") == (date(1911 + year, 3, 5), None)


@pytest.mark.parametrize(
    ("said", "km"),
    [
        ("10公里內", 10), ("5km以內", 5), ("5 km max", 5), ("au plus 5 km", 5), ("約10キロ", 10),
        ("3000公尺", 3), ("n'importe où", 20000), ("無限制", 20000), ("wszędzie", 20000), ("10 км", 10),
    ],
)  # fmt: skip
def test_distances_in_other_languages(said: str, km: int) -> None:
    assert read_distance(said) == (km, None)


_LOCALES = [
    *(
        "en",
        "fr",
        "de",
        "es",
        "pt",
        "it",
        "nl",
        "sv",
        "da",
        "nb",
        "fi",
        "pl",
        "cs",
        "sk",
        "sl",
        "sr",
        "bg",
        "ro",
    ),
    *(
        "hu",
        "lt",
        "lv",
        "et",
        "el",
        "tr",
        "az",
        "uz",
        "kk",
        "ru",
        "uk",
        "be",
        "he",
        "ar",
        "fa",
        "ur",
        "hi",
        "bn",
    ),
    *(
        "mr",
        "ne",
        "ta",
        "te",
        "th",
        "lo",
        "km",
        "vi",
        "id",
        "ms",
        "fil",
        "ko",
        "ja",
        "zh",
        "sw",
        "is",
        "ga",
        "ca",
    ),
    *("gl", "sq", "mk", "hy", "ka"),
]
_OF_TWO = {"12 lip 1987", "12 lis 1987"}  # July or June, November or October, in Polish or in Croatian


@pytest.mark.parametrize("locale", _LOCALES)
def test_dates_as_programs_of_sixty_languages_write_them_are_read(locale: str) -> None:
    """Seen to fail: of half of the languages no date was read, nor digits and years with a word behind."""
    dates = pytest.importorskip("babel.dates")
    for month in range(1, 13):
        day = date(1987, month, 12)
        for written in (dates.format_date(day, style, locale=locale) for style in ("long", "medium")):
            assert written in _OF_TWO or read_date(written, "dmy") == (day, None), written


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("12 tháng 3 năm 1987", 3), ("१२ मार्च १९८७", 3), ("١٢ مارس ١٩٨٧", 3), ("12 آذار 1987", 3),
        ("12 marca 1987 r.", 3), ("12.03.1987 г.", 3), ("12 мар. 1987 г.р.", 3), ("12 Agt 1987", 8),
        ("12 سبتمبر 1987", 9), ("12 تشرين الثاني 1987", 11), ("1987 m. kovo 12 d.", 3), ("12 mrt 1987", 3),
    ],
)  # fmt: skip
def test_dates_as_people_write_them_are_read(text: str, month: int) -> None:
    assert read_date(text, "dmy") == (date(1987, month, 12), None)


_THAI = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")


@given(day=st.dates(date(1910, 1, 1), date(2090, 12, 31)), data=st.data())
def test_years_of_the_buddhist_era_are_read(day: date, data: st.DataObject) -> None:
    """Seen to fail: everybody of a Thai service was born in the future."""
    dates = pytest.importorskip("babel.dates")
    year = day.year + 543
    thai = dates.format_date(day, "d MMM", locale="th")
    named = thai.split(" ", 1)[1]
    signed = [f"{thai} {year}", f"{thai} พ.ศ. {year}", f"{day:%d/%m}/{year}".translate(_THAI),
              f"{day.day}/{day.month}/พ.ศ.{year}", f"{day.day} {named} ค.ศ. {day.year}"]  # fmt: skip
    bare = [f"{day:%d/%m}/{year}", f"{year}-{day:%m-%d}", f"{day.day}.{day.month}.{year}"]
    for written in signed:
        assert read_date(written, "dmy") == (day, None), written
    written = data.draw(st.sampled_from(bare))
    assert read_date(written, "dmy", buddhist=True) == (day, None)
    assert read_birth_date(written, "dmy", UTC, buddhist=True) == (day, None)
    read, _ = read_date(written, "dmy")
    assert read is None or read.year == year  # elsewhere a slip, or a time that never comes


def test_stamps_of_thai_arabic_and_russian_forms_are_moments() -> None:
    """Seen to fail: a stamp of 2569 lay five centuries ahead, the others were no dates."""
    at = datetime(2026, 11, 28, 14, 5, tzinfo=UTC)
    for text in (
        "28 พ.ย. 2569 14:05 น.",
        "28 ноя 2026 г., 14:05",
        "٢٨/١١/٢٠٢٦ ٢:٠٥ م",
        "28/11/2026 2:05 μ.μ.",
    ):
        assert read_moment(text, "UTC", "dmy") == (at, None), text
    assert read_moment("28/11/2569, 14:05:00", "UTC", "dmy", buddhist=True) == (at, None)


@pytest.mark.parametrize("settings", [{"country": "TH"}, {"zone": "Asia/Bangkok"}, {}])
def test_a_service_of_thailand_writes_years_of_the_buddhist_era(settings: dict[str, str]) -> None:
    around = Surroundings(datetime(2026, 6, 1, tzinfo=UTC), load_catalogue(), **settings)
    remarks = Remarks()
    functions = {one.name: one.read for one in sql_functions(around, remarks)}
    band, reason = functions["age_band"]("12/3/2530", "dmy")
    assert band == ("35-44" if settings else None)
    assert settings or reason == "born in the future; is the year Buddhist? Say `country: TH`"
