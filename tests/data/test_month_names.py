"""Dates whose month is written out mean one day, in whatever language and order."""

from datetime import date

import pytest

from recsys.data.date_reading import read_date
from recsys.data.month_names import _NAMES, with_numbers
from recsys.mapping.values import read_distance

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
