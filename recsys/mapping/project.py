"""What a mapping is: a folder with `mapping.yaml`, what is said once, and one SQL file a target table."""

import re
from collections.abc import Collection
from collections.abc import Mapping as Frames
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import Field, field_validator

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.rows import CONTENT_COLUMNS, IMPORTANCE, OPTIONS, QUESTIONS, WORDS
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.config import Section
from recsys.data.fields.text import known_zones
from recsys.data.tables import CONTRACTS
from recsys.errors import SettingsError, did_you_mean, explained
from recsys.mapping.csv_reader import TableOptions
from recsys.storage.source_folder import table_named
from recsys.strict_yaml import parse_yaml

MAPPING_FILE: Final = "mapping.yaml"
VIEWS: Final = "views"
"""The folder of queries that other queries read."""
CATALOGUE_TABLES: Final = {name: CONTENT_COLUMNS[name] for name in (QUESTIONS, OPTIONS, IMPORTANCE, WORDS)}
"""What a mapping may give beside the tables: the service's own questions, options and words, as rows."""

GUESS: Final = "-- GUESS"
TODO: Final = "-- TODO"
"""How a line says that nobody has confirmed it; `recsys map check` counts both."""

ASK: Final = (
    *(
        C.AGE_BAND,
        C.AGE_YEARS,
        C.MIN_AGE_YEARS,
        C.MAX_AGE_YEARS,
        C.VERIFICATION,
        C.ACCOUNT_STATE,
        C.ACTIVITY,
        C.GENDER,
        C.HOUSEHOLD_STATUS,
        C.INTENTS,
    ),
    *(C.CELL, C.PERSON_TOKEN, C.USER, C.VALID_FROM),
)
"""Columns that say something of one member: no document can declare them for everybody."""


EVERY_WORD: Final = "all"
"""Declares every word of a column that holds a set of words."""
_SETS: Final = frozenset(
    name for name, words in ENUMERATIONS.items() if words.many and name not in (C.LANGUAGES, *ASK)
)


class Declaration(Section):
    """A value that holds for everybody, and the document in which members agreed to it.

    `all` is every word of a column that holds a set of words.

    >>> Declaration(value="none", document="terms 3.2, section 4").value
    'none'
    """

    value: Any
    document: str

    @field_validator("document")
    @classmethod
    def _names_something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("name the document and section that members agreed to")
        return value


class MappingSettings(Section):
    """What `mapping.yaml` says once for all queries.

    source:    folder, file or database address; paths start at the mapping's folder.
    as_of:     moment of the export, or `now` for a source that is read as it stands; ages count on its day in
               `zone`. The latest time in the source is no substitute: a moment that lies ahead would make
               children adults.
    encoding:  of text files without a byte order mark, UTF-8 when not said.
    zone:      IANA zone of times without one. country: of places without one, two letters.
    catalogue: folder with the service's own questions and interests, where no query gives them.
    places:    CSV file beside this one with places of the service's own, such as postal codes.
    placeholders: numbers and mailboxes that members typed for want of one, which are nobody's.
    counts:    CSV file that the export writes, `table` and `rows`; other numbers of rows are refused.
    tables:    how single tables of the source are read. declared: `table.column` to what holds for everybody.
    """

    source: str
    as_of: datetime
    encoding: str | None = None
    zone: str | None = None
    country: str | None = None
    catalogue: str | None = None
    places: str | None = None
    placeholders: tuple[str, ...] = ()
    counts: str | None = None
    tables: dict[str, TableOptions] = Field(default_factory=dict)
    declared: dict[str, Declaration] = Field(default_factory=dict)

    @field_validator("as_of", mode="before")
    @classmethod
    def _may_be_now(cls, value: object) -> object:
        return datetime.now(UTC) if value == "now" else value

    @field_validator("as_of")
    @classmethod
    def _has_zone(cls, value: datetime) -> datetime:
        if value.tzinfo is None:
            raise ValueError("give the moment with its zone, such as 2026-06-30T23:59:59+09:00")
        return value.astimezone(UTC)

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, value: str | None) -> str | None:
        if value is not None and value not in known_zones():
            raise ValueError(f"no IANA time zone; {did_you_mean(value, known_zones())}")
        return value

    @field_validator("declared")
    @classmethod
    def _may_be_declared(cls, value: dict[str, Declaration]) -> dict[str, Declaration]:
        for name, one in value.items():
            table, _, column = name.partition(".")
            known = [f"{t}.{field.name}" for t in (T.PROFILES, T.BOUNDARIES) for field in CONTRACTS[t].fields]
            if name not in known:
                raise ValueError(
                    f"'{name}' is no column of profiles or boundaries; {did_you_mean(name, known)}"
                )
            if column in ASK:
                raise ValueError(
                    f"{table}.{column} is asked of each member; no document says it for everybody"
                )
            if one.value == EVERY_WORD and column not in _SETS:
                raise ValueError(f"{name}: `{EVERY_WORD}` stands for a set of words, such as contact_windows")
        return value


def unconfirmed(text: str) -> tuple[int, int]:
    r"""Return how many guesses and how many TODO a drafted file still holds.

    >>> unconfirmed("-- GUESS a -> b: 98 % known\n-- TODO tz")
    (1, 1)
    """
    return len(re.findall(r"(?:--|#) GUESS\b", text)), len(re.findall(r"(?:--|#|,) TODO\b", text))


@dataclass(frozen=True)
class Mapping:
    """A folder that says how a service's tables become ours.

    folder: where it is. settings: of `mapping.yaml`. queries: SQL by target table, in the contracts' order.
    views: SQL of the files in `views/` by name, which queries and other views read like tables of the source.
    """

    folder: Path
    settings: MappingSettings
    queries: Frames[str, str]
    views: Frames[str, str] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, ...]:
        """The SQL of every file."""
        return (*self.queries.values(), *self.views.values())

    @classmethod
    def read(cls, folder: str | Path) -> "Mapping":
        """Read a mapping from its folder.

        Raises SettingsError naming every unknown key, file or value.
        """
        folder = Path(folder)
        path = folder / MAPPING_FILE
        try:
            text = path.read_bytes()
        except OSError:
            remedy = "name a folder made by `recsys map init`"
            raise SettingsError(explained("no mapping is there", where=str(folder), remedy=remedy)) from None
        raw = parse_yaml(text, where=str(path), error=SettingsError)
        if not isinstance(raw, dict):
            raise SettingsError(
                explained("not a list of keys", where=str(path), remedy="write source: and as_of:")
            )
        settings = MappingSettings.from_mapping(raw, where=str(path))
        found, views = _sql_files(folder), _sql_files(folder / VIEWS)
        _refuse_unread_queries(folder, found)
        targets = (*CATALOGUE_TABLES, *CONTRACTS)
        for name in found:
            if name not in targets:
                remedy = did_you_mean(name, targets)
                raise SettingsError(
                    explained("no target table", where=str(folder), got=f"{name}.sql", remedy=remedy)
                )
        if not found:
            remedy = f"write {T.PROFILES}.sql, or run `recsys map init`"
            raise SettingsError(explained("no queries are there", where=str(folder), remedy=remedy))
        return cls(folder, settings, {name: found[name] for name in targets if name in found}, views)


def _sql_files(folder: Path) -> dict[str, str]:
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.sql"))}


def _refuse_unread_queries(folder: Path, found: Collection[str]) -> None:
    """Raise SettingsError for a file that seems to be a query of a table that has none."""
    for path in sorted(folder.iterdir()):
        table = table_named(path.name)
        if path.suffix != ".sql" and ".sql" in path.name.casefold() and table and table not in found:
            remedy = f"name it {table}.sql where it is one, or move it away"
            raise SettingsError(
                explained("a file that may be a query", where=str(folder), got=path.name, remedy=remedy)
            )
