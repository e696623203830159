"""Telephone lines for members in distress, as data: by country and kind, with source and day of checking.

A line is shown beside the service's own support and never replaces the emergency number. Numbers move; one
that nobody has looked up for half a year is named by `recsys doctor`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Final

from recsys.arguments import checked_arguments
from recsys.catalogue.entries import LANGUAGES, Label, Language, read_label
from recsys.errors import InputError, did_you_mean, explained
from recsys.strict_yaml import YamlFile

KINDS: Final = ("suicide", "violence", "sexual_violence", "fraud", "police")
CHECK_AFTER: Final = timedelta(days=180)
_FIELDS: Final = (*LANGUAGES, "kind", "number", "hours", "source", "checked")


@dataclass(frozen=True, slots=True)
class Hotline:
    """One line: whom it is for, its number and hours, and where and when they were looked up.

    >>> load_hotlines()["JP"].lines[0].number
    '0120-279-338'
    """

    name: Label
    kind: str
    number: str
    hours: Label
    source: str
    checked: date


@dataclass(frozen=True)
class CountryHotlines:
    """The lines of one country, what to call in an emergency, and a page that lists more."""

    emergency: Label
    more: str
    lines: tuple[Hotline, ...]

    def text(self, kinds: Iterable[str], lang: Language) -> str:
        """Return the lines of some kinds in one sentence, and the page that lists more.

        >>> load_hotlines()["JP"].text(["violence"], "en").split(",")[0]
        'DV Soudan Plus 0120-279-889 (day and night'
        """
        wanted = set(kinds)
        opening, closing, between = ("（", "）", "／") if lang == "ja" else (" (", ")", "; ")
        shown = [
            f"{line.name.text(lang)} {line.number}{opening}{line.hours.text(lang)}{closing}"
            for line in self.lines
            if line.kind in wanted
        ]
        return between.join([*shown, self.more])

    def outdated(self, today: date) -> tuple[Hotline, ...]:
        """Return the lines that were last checked more than `CHECK_AFTER` ago."""
        return tuple(line for line in self.lines if today - line.checked > CHECK_AFTER)


@lru_cache(maxsize=1)
def load_hotlines() -> Mapping[str, CountryHotlines]:
    """Return the lines that come with the package, by country, read once.

    >>> sorted(load_hotlines())
    ['JP']
    """
    return read_hotlines((files("recsys.catalogue") / "hotlines.yaml").read_bytes())


def read_hotlines(content: bytes) -> Mapping[str, CountryHotlines]:
    """Read hotlines from YAML.

    Raises InputError naming the key of a line without number, source or day, or of an unknown kind.
    """
    file = YamlFile("hotlines", content)
    fields = ("emergency", "more", "lines")
    countries = {country: file.mapping(country, raw, fields) for country, raw in file.content.items()}
    return {
        country: CountryHotlines(
            emergency=read_label(file, f"{country}.emergency", raw.get("emergency") or {}),
            more=str(raw.get("more", "")),
            lines=tuple(
                _line(file, f"{country}.{name}", one)
                for name, one in file.section(raw, "lines", _FIELDS).items()
            ),
        )
        for country, raw in countries.items()
    }


@checked_arguments
def hotlines_of(country: str) -> CountryHotlines:
    """Return the lines of a country.

    Raises InputError for a country without lines: a service there adds its own.

    >>> hotlines_of("JP").more
    'https://www.mhlw.go.jp/mamorouyokokoro/'
    """
    known = load_hotlines()
    if country not in known:
        remedy = f"add them to hotlines.yaml; {did_you_mean(country, known)}"
        raise InputError(explained("no hotlines for this country", got=country, remedy=remedy))
    return known[country]


def _line(file: YamlFile, key: str, raw: Mapping[str, object]) -> Hotline:
    kind, number, source, checked = (raw.get(name) for name in ("kind", "number", "source", "checked"))
    if kind not in KINDS:
        raise file.error("unknown kind of hotline", key, str(kind), did_you_mean(str(kind), KINDS))
    if not isinstance(number, str) or not any(map(str.isdigit, number)):
        raise file.error("a hotline has a number, as text", key, got=number)
    if not isinstance(source, str) or not source.startswith("https://"):
        raise file.error("a hotline names the page it was looked up on", key, got=source)
    if not isinstance(checked, date):
        raise file.error("a hotline names the day it was checked", key, got=checked)
    hours = read_label(file, key, file.mapping(key, raw.get("hours"), LANGUAGES))
    return Hotline(read_label(file, key, raw), str(kind), number, hours, source, checked)
