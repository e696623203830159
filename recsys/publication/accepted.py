"""People and events as the validation accepted them, kept so that no later step checks the tables again.

What was refused decides who is kept apart, and that is in the people already: whom to hold, and which
pairs are separated. The files are bound to the very tables, time and code they were made from; when any
of these changed they are not used, and the tables are checked again.
"""

import shutil
from collections.abc import Collection
from pathlib import Path

from recsys.history.events import CodedEvents, Events
from recsys.publication.identity import code_id, source_id, text_id
from recsys.schema.columns import Columns as C
from recsys.schema.population import Population
from recsys.storage.coded_events import read_coded_events, read_compact_events
from recsys.storage.frame_files import count_rows, read_frame, write_frame
from recsys.storage.people_files import made_from, read_people, write_people

_PEOPLE = "people"
_EVENTS = "events.parquet"
_DECIDING = ("schema", "history", "storage")
"""The parts of this package that decide what is accepted."""


def accepted_id(source: str, as_of: str | None) -> str:
    """Return the identity of what decides whom and what the validation accepts."""
    return text_id(f"{source_id(source)} {as_of} {code_id(*_DECIDING)}")


def write_accepted(folder: Path, people: Population, events: Events, *, identity: str) -> None:
    """Keep everybody and everything that happened; people come last, so that a part counts as nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_frame(folder / _EVENTS, events.compact().frame)
    write_people(people, folder / _PEOPLE, made_from=identity)


def is_accepted(folder: Path, identity: str) -> bool:
    """Say whether `folder` holds in full what `identity` stands for."""
    return made_from(folder / _PEOPLE) == identity


def read_accepted_people(folder: Path) -> Population:
    """Return everybody.

    Raises SourceError when a file is damaged.
    """
    return read_people(folder / _PEOPLE)


def read_accepted_events(folder: Path, types: Collection[str] | None = None) -> Events:
    """Return everything that happened, compact as in `Events.compact`, or the events of some types.

    Raises SourceError when the file is damaged.
    """
    if types is None:
        return read_compact_events(folder / _EVENTS)
    return Events(read_frame(folder / _EVENTS, only=(C.TYPE, types)))


def read_accepted_coded(folder: Path) -> CodedEvents:
    """Return the same as arrays, without a text for each event.

    Raises SourceError when the file is damaged.
    """
    return read_coded_events(folder / _EVENTS)


def count_accepted_events(folder: Path) -> int:
    """Return how many events there are.

    Raises SourceError when the file is damaged.
    """
    return count_rows(folder / _EVENTS)
