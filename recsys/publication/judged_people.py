"""Whom a model is judged by: everybody, or whole neighbourhoods of a large service."""

from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd

from recsys.history.events import Events
from recsys.schema.columns import Columns as C
from recsys.schema.population import Population
from recsys.storage.source import Source, table_readers

STRETCHES: Final = 8
"""Stretches of the map: several, so that no single town decides; few, so that neighbours stay together."""


def judged_people(people: Population, most: int, rng: np.random.Generator) -> frozenset[str] | None:
    """Return the ids of about `most` people of whole neighbourhoods, None for everybody.

    People are put in the order of their cells, in which neighbours are close, and stretches of it are
    taken at random. Whom they meet lives near them, so their past comes along nearly whole, and
    intervals of tens of thousands of people are narrow enough to tell models apart.
    """
    if len(people) <= most:
        return None
    along = np.argsort(people.cells, kind="stable")
    size = most // STRETCHES
    # one start in each eighth of the map, far enough from its end
    eighths = np.linspace(0, len(people) - size, STRETCHES + 1).astype(np.int64)
    starts = [int(rng.integers(low, max(high - size, low) + 1)) for low, high in pairwise(eighths)]
    taken = np.unique(np.concatenate([along[start : start + size] for start in starts]))
    return frozenset(people.ids.ids(taken))


def tables_among(source: Source, ids: frozenset[str]) -> dict[str, pd.DataFrame]:
    """Return the rows of every table of a source that name nobody else."""
    return {name: _among(read(), ids) for name, read in table_readers(source).items()}


def events_among(events: Events, ids: frozenset[str]) -> Events:
    """Return what these people did alone and among themselves."""
    return Events(_among(events.frame, ids))


def _among(frame: pd.DataFrame, ids: frozenset[str]) -> pd.DataFrame:
    inside = np.ones(len(frame), bool)
    for column in (C.USER, C.ACTOR, C.TARGET):
        if column in frame:
            alone = frame[column].isna() if column == C.TARGET else False
            inside &= (frame[column].isin(ids) | alone).to_numpy(bool)
    return frame[inside].reset_index(drop=True)
