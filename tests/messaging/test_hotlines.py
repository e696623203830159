"""Hotlines are data: each has a number, hours, a source and a day; a mail address alone is none."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import InputError
from recsys.messaging import advice, hotlines_of, load_hotlines
from recsys.messaging.hotlines import CHECK_AFTER, KINDS, read_hotlines

LINE = """
NZ:
  emergency: {ja: 111番, en: '111'}
  more: https://example.org
  lines:
    one: {ja: 窓口, en: Line, kind: suicide, number: '1737', hours: {ja: 24時間, en: always}, %s}
"""
WHOLE = "source: 'https://example.org/line', checked: 2026-11-28"


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize(
    ("kind", "there", "not_there"),
    [
        ("distress", ("0120-279-338", "0570-064-556"), ("#8008",)),
        ("violence", ("#8008", "0120-279-889", "#9110"), ("0570-064-556",)),
    ],
)
def test_who_suffers_is_shown_people_who_help_and_the_emergency_number(
    lang: str, kind: str, there: tuple[str, ...], not_there: tuple[str, ...]
) -> None:
    text = advice(kind, lang, support="0120-000-000")  # type: ignore[arg-type]
    for number in (*there, "119", "110", "0120-000-000"):
        assert number in text
    assert not [number for number in not_there if number in text]


@pytest.mark.parametrize("support", ["help@example.org", " help@example.org\n"])
@pytest.mark.parametrize("kind", ["distress", "violence"])
def test_a_mail_address_alone_is_no_support_in_need(support: str, kind: str) -> None:
    with pytest.raises(InputError, match=f"no answer to {kind}"):
        advice(kind, support=support)
    assert advice("money", support=support)


def test_a_country_without_hotlines_is_refused() -> None:
    with pytest.raises(InputError, match="no hotlines for this country"):
        advice("distress", support="0120-000-000", country="XX")


def test_every_line_is_whole() -> None:
    for country in load_hotlines().values():
        assert country.more.startswith("https://")
        assert {line.kind for line in country.lines} <= set(KINDS)
        assert len({line.number for line in country.lines}) == len(country.lines)


@given(st.integers(-400, 800))
def test_a_line_is_outdated_after_half_a_year_and_not_before(days: int) -> None:
    [line] = read_hotlines((LINE % WHOLE).encode())["NZ"].lines
    today = line.checked + timedelta(days=days)
    outdated = read_hotlines((LINE % WHOLE).encode())["NZ"].outdated(today)
    assert (outdated == (line,)) == (timedelta(days=days) > CHECK_AFTER)


def test_lines_that_come_with_the_package_are_not_older_than_their_release() -> None:
    assert not hotlines_of("JP").outdated(date(2026, 11, 28))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("checked: 2026-11-28", "looked up on"),
        ("source: 'http://x', checked: 2026-11-28", "looked up on"),
        ("source: 'https://example.org'", "day it was checked"),
        ("source: 'https://example.org', checked: soon", "day it was checked"),
    ],
)
def test_a_line_without_source_or_day_is_refused(wrong: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_hotlines((LINE % wrong).encode())


def test_an_unknown_kind_and_a_missing_number_are_refused() -> None:
    whole = LINE % WHOLE
    with pytest.raises(InputError, match="did you mean 'suicide'"):
        read_hotlines(whole.replace("kind: suicide", "kind: suicde").encode())
    with pytest.raises(InputError, match="has a number"):
        read_hotlines(whole.replace("number: '1737'", "number: ''").encode())
