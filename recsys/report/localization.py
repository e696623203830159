"""Localisation of the report: catalogue texts in one language, and numbers as people read them."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from recsys.catalogue.catalogue import Catalogue, load_catalogue
from recsys.catalogue.entries import Language

UNKNOWN: Final = "–"

_UNSHOWABLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)
_KEY: Final = re.compile(r"\[\[([\w.]+)\]\]")


@dataclass(frozen=True)
class Texts:
    """Texts of the catalogue in `lang`; `own` is the catalogue of the people, whose words have its labels.

    >>> Texts("en")("report.title")
    'One night'
    """

    lang: Language
    own: Catalogue = field(default_factory=load_catalogue)

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue the texts come from."""
        return load_catalogue()

    def __call__(self, key: str, **values: object) -> str:
        """Return one text, filled in."""
        return self.catalogue.text(key, self.lang, **values)

    def label(self, section: str, name: str) -> str:
        """Return the text `section.name`, or the name itself when the catalogue has none."""
        key = f"{section}.{name}"
        return self(key) if key in self.catalogue.texts else name

    def word(self, column: str, word: str) -> str:
        """Return the label of a word that a column of the tables holds.

        >>> Texts("en").word("gender", "woman")
        'Woman'
        """
        return self.own.label(column, word, self.lang)

    def joined(self, names: Sequence[str]) -> str:
        """Return names one after the other, as the language separates them.

        >>> Texts("ja").joined(["a", "b"]), Texts("en").joined(["a", "b"])
        ('a、b', 'a, b')
        """
        return ("、" if self.lang == "ja" else ", ").join(names)

    def anchor(self, name: str) -> str:
        """Return the id of a section of the page; each language has its own.

        >>> Texts("ja").anchor("gates")
        'gates-ja'
        """
        return f"{name}-{self.lang}"

    def filled(self, markup: str) -> Markup:
        """Return markup whose `[[keys]]` are replaced by escaped texts of the catalogue.

        >>> print(Texts("en").filled("<text>[[report.title]]</text>"))
        <text>One night</text>
        """
        return Markup(_KEY.sub(lambda found: str(escape(self(found[1]))), markup))  # noqa: S704 ours, see svg


def visible(value: object) -> object:
    """Return text whose control characters, bidirectional overrides and lone surrogates are code points.

    The templates apply it to every expression before it is escaped; markup stays as it is.

    >>> print(visible("a\u202eb"))
    a⟨U+202E⟩b
    """
    if isinstance(value, Markup):
        return value
    return _UNSHOWABLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", "" if value is None else str(value))


def count(value: float | None) -> str:
    """Return a whole number with separators.

    >>> count(1234567), count(float("nan"))
    ('1,234,567', '–')
    """
    return UNKNOWN if value is None or not math.isfinite(value) else f"{round(value):,}"


def decimal(value: float | None, digits: int = 3) -> str:
    """Return a number with fixed decimals.

    >>> decimal(0.30149), decimal(2.0, 1)
    ('0.301', '2.0')
    """
    return UNKNOWN if value is None or not math.isfinite(value) else f"{value:,.{digits}f}"


def share(value: float | None) -> str:
    """Return a share in [0, 1] as percent, finer when it is small; never rounded to all or nothing.

    >>> share(0.5), share(0.0123), share(0.99999), share(1.0), share(0.00001), share(0.0)
    ('50.0%', '1.23%', '>99.9%', '100%', '<0.01%', '0%')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value in (0.0, 1.0):
        return f"{value:.0%}"
    if value < 0.0001:
        return "<0.01%"
    if 0.999 < value < 1.0:
        return ">99.9%"
    return f"{value:.2%}" if value < 0.1 else f"{value:.1%}"


def share_with_interval(value: float | None, lo: float | None, hi: float | None) -> str:
    """Return a share with its interval; an estimate of 0 says only how large it may be.

    >>> share_with_interval(0.0224, 0.0137, 0.0309), share_with_interval(0.0, 0.0, 0.018)
    ('2.24% (1.37% – 3.09%)', '≤ 1.80%')
    """
    if value is None or lo is None or hi is None or not math.isfinite(value + lo + hi):
        return share(value)
    return f"{share(value)} ({share(lo)} – {share(hi)})" if value else f"≤ {share(hi)}"


def per_person(value: float | None) -> str:
    """Return a mean number of people, with a decimal while it is small; never rounded to nobody.

    >>> per_person(3.24), per_person(1234.5), per_person(0.0), per_person(0.01)
    ('3.2', '1,234', '0', '<0.1')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if 0.0 <= value < 0.05:
        return "<0.1" if value else "0"
    return f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"


def clock(seconds: float | None) -> str:
    """Return a time span as hours, minutes and seconds.

    >>> clock(42.4), clock(754.0), clock(5400.0), clock(None)
    ('0:42', '12:34', '1:30:00', '–')
    """
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def change(part: float | None) -> str:
    """Return by which share something moved; what moved by less than is written did not.

    >>> change(0.0312), change(-0.5), change(0.00001)
    ('+3.1%', '-50.0%', '±0%')
    """
    if part is None or not math.isfinite(part):
        return UNKNOWN
    return "±0%" if abs(part) < 0.0005 else f"{part:+.1%}"


def moment(text: str, time_zone: str = "UTC") -> str:
    """Return an ISO time to the minute in a zone; any other text stays.

    >>> moment("2026-01-05T03:00:00+00:00"), moment("unknown")
    ('2026-01-05 03:00 UTC', 'unknown')
    >>> moment("2026-01-05T20:00:00Z", "Asia/Tokyo")
    '2026-01-06 05:00 JST'
    """
    if len(text) >= 16 and text[10:11] == "T" and text.endswith(("+00:00", "Z")):
        return f"{datetime.fromisoformat(text).astimezone(ZoneInfo(time_zone)):%Y-%m-%d %H:%M %Z}"
    return text
