"""Access: everything that files and stores hold of one person, without what is another person's.

The law in Japan calls it disclosure of retained personal data (個人情報保護法 33条), the one in Europe the
right of access and portability (GDPR, articles 15 and 20). Where a person can be is the inventory that
erasure goes by: `recsys.safety.person_files` for files, `person_places` for folders.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.entries import Language
from recsys.errors import explained
from recsys.safety.person_files import Person, file_kind
from recsys.safety.store import SafetyStore, StoreWithRestrictions, ask_safety


def person_places(
    *,
    published: Path,
    work: Path,
    tracking: Path | None = None,
    tables: Path | None = None,
    cases: Path | None = None,
) -> dict[str, Path]:
    """Return the folders in which a person can be, by the name of each; absent ones are left out.

    >>> person_places(published=Path("no/such"), work=Path("."))["work"].as_posix()
    '.'
    """
    places = {"tables": tables, "work": work, "published": published, "tracking": tracking, "cases": cases}
    return {name: path for name, path in places.items() if path is not None and path.exists()}


@dataclass(frozen=True)
class PersonFile:
    """What one file or store holds of a person.

    records: their own. withheld: how many records say what somebody else says or does about them, for
    operators alone. unread: whether it could not be read, so that what it holds is not known.
    """

    place: str
    file: str
    records: tuple[dict[str, Any], ...]
    withheld: int = 0
    unread: bool = False


@dataclass(frozen=True)
class PersonData:
    """Everything held of one person, by place and file."""

    user_id: str
    files: tuple[PersonFile, ...]

    @property
    def shown(self) -> tuple[PersonFile, ...]:
        """What the person gets: files with records of theirs, figures of a model last, and unread ones.

        Nothing says whether, where or how often others said something: one block would name who made it.
        """
        told = [one for one in self.files if one.records or one.unread]
        return tuple(sorted(told, key=lambda one: any("row" in record for record in one.records)))

    def as_json(self) -> str:
        """Return it as JSON, to be taken elsewhere."""
        found = {
            "user_id": self.user_id,
            "files": [
                {
                    "place": one.place,
                    "file": one.file,
                    "records": one.records,
                    "could_not_be_read": one.unread,
                }
                for one in self.shown
            ],
        }
        return json.dumps(found, ensure_ascii=False, indent=1, default=_plain)

    def as_text(self, lang: Language) -> str:
        """Return it in words, place by place."""
        words = load_catalogue()
        lines = [words.text("access.title", lang, user=self.user_id), ""]
        for one in self.shown:
            lines.append(f"{words.text(f'access.{one.place}', lang)}: {one.file}")
            lines += [f"  {_shown(record)}" for record in one.records]
            if one.unread:
                lines.append("  " + words.text("access.unread", lang))
        if not self.files:
            lines.append(words.text("access.nothing", lang))
        lines += ["", words.text("access.withheld", lang)]
        return "\n".join(lines)


def _shown(record: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {_plain(value)}" for name, value in record.items())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, str | int | float | bool | list) else str(value)


def person_data(user_id: str, places: Mapping[str, Path], *, safety: SafetyStore | None = None) -> PersonData:
    """Return everything the files under some folders, and a safety store, hold of one person.

    Ids of others are masked; what others did or said about the person, and what others are expected to
    feel, is withheld. A file that cannot be read is named.

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
    for path in files:
        name = path.name if path == folder else path.relative_to(folder).as_posix()
        try:
            records = list(file_kind(path).records(path, person))
        except Exception:  # a damaged file of any kind: what it holds is not known, and that is said
            yield PersonFile(place, name, (), unread=True)
            continue
        own = tuple(person.visible(record) for record in records if person.owns(record))
        if records:
            yield PersonFile(place, name, own, withheld=len(records) - len(own))


def _store_of(person: Person, safety: SafetyStore) -> Iterator[PersonFile]:
    """Yield what a store that is no file holds: every hold, and how many others are kept apart."""
    if not isinstance(safety, StoreWithRestrictions):
        return
    held = ask_safety(lambda: safety.restrictions_of(person.user_id))
    if held.held or held.others:
        holds = tuple({"held": True, **hold._asdict()} for hold in held.holds) or ({"held": False},)
        yield PersonFile("safety", "store", holds, withheld=len(held.others))


def nothing_found(user_id: str) -> str:
    """Return the message for an id that is nowhere, which may be a misspelt one."""
    return explained("nothing is held of this id", got=user_id, remedy="check how it is spelled")
