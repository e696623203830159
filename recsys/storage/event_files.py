"""Events as plain files, small enough that a large log is read whole."""

from pathlib import Path
from typing import Final

import pandas as pd

from recsys.errors import SourceError, explained
from recsys.history.events import Events
from recsys.schema.columns import Columns as C
from recsys.storage.frame_files import read_frame, write_frame

_PEOPLE: Final = "event_people.parquet"
_EVENTS: Final = "events.parquet"
_ID: Final = "id"


def write_events(events: Events, folder: Path) -> None:
    """Write events to `folder` as `Events.compact` keeps them: people once, their numbers in every row."""
    frame = events.compact().frame
    people = frame[C.ACTOR].cat.categories
    write_frame(folder / _PEOPLE, pd.DataFrame({_ID: pd.Series(people, dtype=object)}))
    sides = {name: frame[name].cat.codes for name in (C.ACTOR, C.TARGET)}
    rest = {name: frame[name] for name in frame.columns if name not in sides}
    write_frame(folder / _EVENTS, pd.DataFrame(sides | rest, copy=False))


def read_events(folder: Path) -> Events:
    """Read what `write_events` wrote, see `Events.compact`.

    Raises SourceError when a file is damaged.
    """
    people = read_frame(folder / _PEOPLE)
    frame = read_frame(folder / _EVENTS)
    try:
        kind = pd.CategoricalDtype(pd.Index(people[_ID], dtype=object))
        for side in (C.ACTOR, C.TARGET):
            frame[side] = pd.Categorical.from_codes(frame[side].to_numpy(), dtype=kind)
    except (KeyError, TypeError, ValueError) as error:
        what = "not events this package wrote"
        raise SourceError(
            explained(what, where=str(folder), got=str(error), remedy="make it anew")
        ) from error
    return Events(frame)
