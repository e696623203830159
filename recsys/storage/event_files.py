"""Events as plain files, small enough that a large log is read whole."""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from recsys.errors import SourceError, explained
from recsys.history.events import Events
from recsys.schema.columns import Columns as C
from recsys.storage.frame_files import read_frame, write_frame

_PEOPLE: Final = "event_people.parquet"
_EVENTS: Final = "events.parquet"
_ID: Final = "id"
_KEPT: Final = (C.TS, C.TYPE, C.DETAIL, C.POSITION, C.PROPENSITY, C.COUNT, C.REPLY_LAG_H)
"""What later steps read; the id of an event has put it in order and is not needed any more."""


def write_events(events: Events, folder: Path) -> None:
    """Write events to `folder`: people once, and their numbers in every row."""
    coded = events.coded
    write_frame(folder / _PEOPLE, pd.DataFrame({_ID: pd.Series(coded.people, dtype=object)}))
    columns = {C.ACTOR: coded.actor.astype(np.int32), C.TARGET: coded.target.astype(np.int32)}
    kept = {name: _small(events.frame[name]) for name in _KEPT}
    write_frame(folder / _EVENTS, pd.DataFrame(columns | kept, copy=False))


def read_events(folder: Path) -> Events:
    """Read what `write_events` wrote; texts are categories, actors and targets of the same ones.

    Columns that are not kept are not there: `event_id`, `surface` and `model_version`.

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


def _small(values: pd.Series) -> pd.Series:
    """Return texts as categories, of which each is kept once."""
    text = values.dtype == object or isinstance(values.dtype, pd.StringDtype)
    return values.astype("category") if text else values
