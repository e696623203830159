"""Subject access: everything that files and stores hold of one person, without what is another person's.

The law in Japan calls it disclosure of retained personal data (個人情報保護法 33条), the one in Europe the
right of access and portability (GDPR, articles 15 and 20). Where a person can be is the inventory that
erasure goes by: `recsys.safety.person_files` for files, `person_places` for folders.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from recsys.data.tables import CONTRACTS
from recsys.errors import BusyError, InputError, explained
from recsys.pipeline.lock import is_locked
from recsys.safety.person_files import file_kind
from recsys.safety.person_records import PERSON_COLUMNS, Person
from recsys.safety.sqlite_store import SqliteSafety
from recsys.safety.store import SafetyStore, StoreWithRestrictions, ask_safety
from recsys.storage.source_folder import name_of_table

_TABLES: Final = tuple(CONTRACTS)
_NAMING: Final = ("viewer", "person", "other_id", "other", "blocked_id")
"""Keys of records that name a person, beside the columns of tables."""
_STORE: Final = "safety"
TABLES: Final = "tables"
"""The place of tables that a service made, which may have columns and tables of its own."""
CASES: Final = "cases"
"""The place of cases, of which nothing is a member's own."""


def person_places(
    *,
    published: Path,
    work: Path,
    tracking: Path | None = None,
    tables: Path | None = None,
    cases: Path | None = None,
) -> dict[str, Path]:
    """Return the folders in which a person can be, by the name of each; absent ones are left out.

    Raises BusyError while a night is writing its tables: an answer then would lack most of them; InputError
    when the folder of tables, which somebody named, is not there.

    >>> person_places(published=Path("no/such"), work=Path("."))["work"].as_posix()
    '.'
    """
    if is_locked(work):
        remedy = "ask again when the night has ended"
        raise BusyError(explained("a night is under way, so its tables are not whole", remedy=remedy))
    if tables is not None and not tables.is_dir():
        remedy = "name the folder of the tables that nights are made from"
        raise InputError(explained("no such folder", where="--tables", got=str(tables), remedy=remedy))
    places = {TABLES: tables, "work": work, "published": published, "tracking": tracking, CASES: cases}
    return {name: path for name, path in places.items() if path is not None and path.exists()}


@dataclass(frozen=True)
class PersonFile:
    """What one file or store holds of a person.

    records: their own. withheld: how many records say what somebody else says or does about them, for
    operators alone. unread: whether it could not be read, so that what it holds is not known. by_hand:
    whether an operator has to look at it, since some of what is withheld may be the person's own. also: files
    that hold the very same records.
    """

    place: str
    file: str
    records: tuple[dict[str, Any], ...]
    withheld: int = 0
    unread: bool = False
    by_hand: bool = False
    also: tuple[str, ...] = ()

    @property
    def is_figures(self) -> bool:
        """Whether it is rows of arrays, which a model made and nobody reads."""
        return any("row" in record for record in self.records)

    @property
    def place_in_answer(self) -> tuple[bool, int]:
        """Where it stands in an answer: what the person gave, what else there is, figures of a model."""
        table = Path(self.file).name.partition(".")[0]
        return self.is_figures, _TABLES.index(table) if table in _TABLES else len(_TABLES)


@dataclass(frozen=True)
class PersonData:
    """Everything held of one person, by place and file."""

    user_id: str
    files: tuple[PersonFile, ...]

    @property
    def shown(self) -> tuple[PersonFile, ...]:
        """What the person gets: files with records of theirs, what they gave first, and unread ones.

        Nothing says whether, where or how often others said something: one block would name who made it.
        """
        told: dict[str, PersonFile] = {}
        for one in self.files:
            key = f"{one.unread}{one.file if one.unread else ''}{one.records}"
            if key in told:
                first, again = sorted((told[key], one), key=lambda file: file.place_in_answer)
                told[key] = replace(first, also=(*told[key].also, f"{again.place}/{again.file}"))
            elif one.records or one.unread:
                told[key] = one
        return tuple(sorted(told.values(), key=lambda one: one.place_in_answer))

    @property
    def is_of_somebody(self) -> bool:
        """Whether a store, an array or a column of ids names the person: a word of a file is nobody."""
        return any(
            one.place == _STORE
            or one.unread
            or any(
                "row" in record or not self._ids_in(record).isdisjoint({self.user_id})
                for record in one.records
            )
            for one in self.shown
        )

    @staticmethod
    def _ids_in(record: Mapping[str, Any]) -> set[str]:
        return {str(record[column]) for column in (*PERSON_COLUMNS, *_NAMING) if column in record}

    def as_json(self) -> str:
        """Return it as JSON, to be taken elsewhere."""
        found = {
            "user_id": self.user_id,
            "files": [
                {
                    "place": one.place,
                    "file": one.file,
                    "records": one.records,
                    "also_in": one.also,
                    "could_not_be_read": one.unread,
                }
                for one in self.shown
            ],
        }
        return json.dumps(found, ensure_ascii=False, indent=1, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, str | int | float | bool | list) else str(value)


def person_data(user_id: str, places: Mapping[str, Path], *, safety: SafetyStore | None = None) -> PersonData:
    """Return everything the files under some folders, and a safety store, hold of one person.

    Ids of others are masked; what others did or said about the person, what operators look into because
    of it, and what others are expected to feel, is withheld. A file that cannot be read is named.

    Raises SafetyUnavailable when the store cannot answer.

    >>> person_data("u1", {}).files
    ()
    """
    person = Person(user_id)
    found = [one for name, folder in places.items() for one in _files_of(person, name, folder)]
    if safety is not None:
        found += _store_of(person, safety)
    return PersonData(user_id, tuple(found))


def _files_of(person: Person, place: str, folder: Path) -> Iterator[PersonFile]:
    files = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = Counter(path.stat().st_size for path in files if path.suffix == _TABLE)
    read: dict[str, list[dict[str, Any]]] = {}
    for path in files:
        name = path.name if path == folder else path.relative_to(folder).as_posix()
        try:
            if path.suffix == _TABLE and sizes[path.stat().st_size] > 1:  # a copy is read once
                records = _read_once(path, person, read)
            else:
                records = list(file_kind(path).records(path, person))
        except Exception:  # a damaged file of any kind: what it holds is not known, and that is said
            by_hand = place == TABLES and not _columns_of(name)  # its name may tell what others said
            yield PersonFile(place, name, (), unread=not by_hand, by_hand=by_hand)
            continue
        given = _given_records(name, records) if place == TABLES else records
        own = tuple(person.visible(record) for record in given if place != CASES and person.owns(record))
        if records:
            by_hand = place == TABLES and given != records
            yield PersonFile(place, name, own, withheld=len(records) - len(own), by_hand=by_hand)


def _given_records(file: str, records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what a file in a folder of tables says in words of the tables: their columns, nothing else.

    Whoever made other columns, or other tables, knows alone who speaks of whom in them.
    """
    columns = _columns_of(file)
    found = [{name: value for name, value in one.items() if name in columns} for one in records]
    return [one for one in found if not one.keys().isdisjoint(PERSON_COLUMNS)]


def _columns_of(file: str) -> Collection[str]:
    """Return the columns of the table that a file of a folder of tables holds; none of a service's own."""
    table = name_of_table(Path(file).parts[0])
    return CONTRACTS[table].columns if table in CONTRACTS else ()


_TABLE: Final = ".parquet"


def _read_once(path: Path, person: Person, read: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the records of a table, those of a twin with the same bytes when it was read before."""
    digest = hashlib.blake2b(path.read_bytes()).hexdigest()
    if digest not in read:
        read[digest] = list(file_kind(path).records(path, person))
    return read[digest]


def _store_of(person: Person, safety: SafetyStore) -> Iterator[PersonFile]:
    """Yield what a store holds: its file where it is one, else every hold."""
    if isinstance(safety, SqliteSafety):
        yield from _files_of(person, _STORE, safety.path)
    elif isinstance(safety, StoreWithRestrictions):
        held = ask_safety(lambda: safety.restrictions_of(person.user_id))
        if held.held or held.others:
            holds = tuple(person.visible({"held": True, **hold._asdict()}) for hold in held.holds)
            yield PersonFile(_STORE, "store", holds, withheld=len(held.others))


def nothing_found(user_id: str) -> str:
    """Return the message for an id that is nowhere, which may be a misspelt one."""
    return explained("nothing is held of this id", got=user_id, remedy="check how it is spelled")
