"""The letter that answers "what do you know of me": everything held of a person, in words of the catalogue.

The copy as JSON has the same records as they are stored, and the figures that models made of them.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, reduce
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from recsys.catalogue.catalogue import Catalogue, load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.entries import Language, Question
from recsys.data.geography import is_cell, nearest_city
from recsys.errors import InputError
from recsys.messaging.reasons import reason_text
from recsys.pipeline.subject_access import PersonData, PersonFile
from recsys.safety.person_records import ANOTHER, Person

_ONE_LINE: Final = frozenset(
    {T.INTERESTS, T.TALK_TOPICS, T.ANSWERS, T.COMMUNITIES, T.EVENTS, T.TOKENS, "lists"}
)
"""Tables whose rows are a line each; the rest is a line a column."""
_OWNER: Final = (C.USER, C.ACTOR, C.VIEWER, "person")
_SHOWN: Final = "impression"
_OF_STORES: Final = ("table", "owner", "reason")
_YES_OR_NO: Final = "liked"
"""A column that tables may keep as 0 and 1."""
_TECHNICAL: Final = frozenset(
    {
        C.EVENT,
        C.SURFACE,
        C.POSITION,
        C.PROPENSITY,
        C.MODEL_VERSION,
        C.HMAC,
        C.PERSON_TOKEN,
        C.CONSENT,
        C.P_LIKE,
        "payload",
    }
)
"""Columns that say nothing to a member; the copy as JSON has them."""
_PART: Final = re.compile(r"part-\d+")
"""Files of a stage that works in parts."""
_NEAREST_KM: Final = 60.0
"""How far a place may be from the middle of an area that is called by its name."""
_DETAILS: Final = ("category", "feeling_check", "meet_feedback", "end", "optin", "verification")
"""Vocabularies of which the detail of an event is a word."""


@dataclass(frozen=True)
class _Section:
    """What files of one kind hold, each line once. files: how many. places: where they are kept, in words."""

    heading: str
    lines: tuple[str, ...]
    files: int
    places: tuple[str, ...]

    def joins(self, other: "_Section") -> bool:
        """Say whether another section of the same kind says the same, or is a table with further lines."""
        is_table = all(line.startswith("  - ") for line in (*self.lines, *other.lines))
        return self.heading == other.heading and (is_table or self.lines == other.lines)

    def with_(self, other: "_Section") -> "_Section":
        """Return both as one; what the other says again is left out."""
        new = tuple(line for line in other.lines if line not in set(self.lines))
        places = tuple(dict.fromkeys((*self.places, *other.places)))
        return _Section(self.heading, self.lines + new, self.files + other.files, places)


@dataclass(frozen=True)
class _Reader:
    """Puts records of one person into words of one language."""

    words: Catalogue
    lang: Language
    user_id: str
    zone: ZoneInfo

    @cached_property
    def forms(self) -> frozenset[str]:
        """The id, and the codes that stand for it in files."""
        return Person(self.user_id).forms

    def text(self, name: str, **values: object) -> str:
        return self.words.text(f"access.{name}", self.lang, **values)

    def heading(self, one: PersonFile) -> str:
        """Return what a file is, in words where the catalogue has them, else its name."""
        name = _PART.sub("part", Path(one.file).name.partition(".")[0])
        if f"access.table_{name}" in self.words.texts:
            return self.text(f"table_{name}")
        return self.place(one.place) if one.place == "safety" else f"{self.place(one.place)}: {name}"

    def place(self, name: str) -> str:
        """Return a place of files in words."""
        return self.text(name) if f"access.{name}" in self.words.texts else name

    def section(self, one: PersonFile) -> _Section:
        """Return one file as a section."""
        lines = () if one.is_figures else tuple(self.lines(one))
        if one.unread:
            lines = (f"  {self.text('unread')}",)
        kept = [one.place, *(path.partition("/")[0] for path in one.also)]
        places = tuple(dict.fromkeys(map(self.place, kept)))
        return _Section(self.heading(one), lines, 1 + len(one.also), places)

    def where(self, section: _Section) -> str:
        """Return where the files of a section are kept, and how many they are where they are several."""
        several = [self.text("in_files", n=section.files)] if section.files > 1 else []
        return "  " + " ".join([self.text("kept_in", file=self.joined(section.places)), *several])

    def joined(self, parts: Iterable[str]) -> str:
        return ("、" if self.lang == "ja" else ", ").join(parts)

    def pairs(self, record: dict[str, Any]) -> list[str]:
        """Return the columns of a record that the catalogue has words for, always in its order.

        Left out are what says nothing to a member, and the codes that stand for the member in files.
        """
        question = self.words.questions.get(str(record.get(C.QUESTION)))
        told = {
            f"access_column.{column}": self.value(column, value, question)
            for column, value in record.items()
            if column not in _TECHNICAL
            and value != []
            and not (
                isinstance(value, str) and value in self.forms and (column in _OWNER or value != self.user_id)
            )
        }
        return [f"{self.words.text(key, self.lang)}: {told[key]}" for key in self.words.texts if key in told]

    def lines(self, one: PersonFile) -> Iterator[str]:
        """Yield the lines of one file."""
        name = Path(one.file).name.partition(".")[0]
        is_list = name in _ONE_LINE or len(one.records) > 1
        shown = sum(record.get(C.TYPE) == _SHOWN for record in one.records)
        for record in one.records:
            if record.get(C.TYPE) == _SHOWN:  # dozens, each of them in the copy as JSON
                continue
            if record.get("person") == ANOTHER:  # the same again, from the side of the other
                continue
            if "payload" in record:
                yield f"  - {self.text('changed_today')}"
                continue
            if pairs := self.pairs(record):
                yield from (["  - " + " / ".join(pairs)] if is_list else (f"  {pair}" for pair in pairs))
        if name == T.HOLDS or any("owner" in one or one.get("table") == T.HOLDS for one in one.records):
            yield f"  {self.text('hold_means')}"
        if shown:
            yield "  - " + self.text("shown_count", n=shown)

    def value(self, column: str, value: Any, question: Question | None = None) -> str:
        """Return one value in words."""
        if isinstance(value, list | tuple | np.ndarray):
            known = [*self.words.words.get(column, ())]
            ordered = sorted(value, key=lambda one: known.index(one) if one in known else len(known))
            return self.joined(self.value(column, one, question) for one in ordered)
        if value == ANOTHER:
            return self.text("another")
        if isinstance(value, bool) or column == _YES_OR_NO:
            return self.text("is_so" if value else "is_not_so")
        if isinstance(value, datetime):
            moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value
            return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M %Z}"
        if isinstance(value, float):
            return f"{value:.3g}"
        is_area = column == C.CELL and is_cell(str(value))
        return self.area(str(value)) if is_area else self.word(column, str(value), question)

    def area(self, cell: str) -> str:
        """Return an area by the place nearest to its middle; without a name where none is near."""
        city = nearest_city(cell, within_km=_NEAREST_KM)
        if city is None:
            return self.text("area_elsewhere")
        return self.text("area_near", place=city.label.text(self.lang))

    def word(self, column: str, word: str, question: Question | None) -> str:
        """Return a word of the catalogue in words; itself where the catalogue does not know it."""
        topic = self.words.topics.get(word)
        own = f"{column}_{word}"  # a word of a store
        if column in _OF_STORES and f"access.{own}" in self.words.texts:
            return self.text(own)
        if column == C.TAG:
            return self.words.tag_label(word, self.lang)
        if column == C.REASONS:
            with suppress(InputError):  # a reason of another catalogue is shown as it is kept
                return reason_text(word, self.lang)
        if column in (C.TOPIC, C.TOPICS_AVOID) and topic is not None:
            return topic.label.text(self.lang)
        if question is not None and column in (C.QUESTION, C.ANSWER, C.ACCEPTED):
            known = {question.id: question.label, **{one.id: one.label for one in question.options}}
            return known[word].text(self.lang) if word in known else word
        if column == "kind" and word in self.words.words[C.TYPE]:
            column = C.TYPE
        if column == C.DETAIL:
            column = next((name for name in _DETAILS if word in self.words.words[name]), column)
        return self.words.label(column, word, self.lang)


def access_letter(
    found: PersonData, lang: Language, *, at: datetime | None = None, time_zone: str = "UTC"
) -> str:
    """Return the letter: what the person gave first, then what else is held, where, and what they may ask.

    at: the date of the letter, now when None. time_zone: the zone of the service, in which times are told.

    >>> print(access_letter(PersonData("u1", ()), "en", at=datetime(2026, 1, 5)).splitlines()[0])
    2026-01-05
    """
    reader = _Reader(load_catalogue(), lang, found.user_id, ZoneInfo(time_zone))
    moment = datetime.now(reader.zone) if at is None else at
    lines = [f"{moment:%Y-%m-%d}", reader.text("greeting", user=found.user_id), "", reader.text("lead"), ""]
    if not found.shown:
        lines += [reader.text("nothing"), ""]
    for number, section in enumerate(_sections(found, reader), 1):
        lines += [f"{number}. {section.heading}", *section.lines, reader.where(section), ""]
    ending = [reader.text(name) for name in ("withheld", "purposes", "kept", "rights", "contact")]
    return "\n".join([*lines, "\n\n".join(ending)])


def _sections(found: PersonData, reader: _Reader) -> list[_Section]:
    """Return what is held by kind, then where figures and codes without words are."""
    told: list[_Section] = []
    wordless: dict[str, list[_Section]] = {"figures": [], "codes": []}
    for one in found.shown:
        section = reader.section(one)
        if not section.lines:
            wordless["figures" if one.is_figures else "codes"].append(section)
            continue
        at = next((at for at, before in enumerate(told) if before.joins(section)), len(told))
        told[at : at + 1] = [told[at].with_(section) if at < len(told) else section]
    for name, sections in wordless.items():
        if sections:
            same = [replace(section, heading=reader.text(name)) for section in sections]
            told.append(reduce(_Section.with_, same))
    return told
