"""What the model of a night said of pairs before they answered, and what they answered."""

from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.errors import SourceError, explained
from recsys.storage.atomic_write import durable_file
from recsys.storage.sources import Source, table_readers

LIKED: Final = "liked"
MUTUAL: Final = "mutual"
COLUMNS: Final = (C.VIEWER, C.CANDIDATE, C.P_LIKE, C.P_MUTUAL, LIKED, MUTUAL)
_LABEL: Final = "label"


def judged_pairs(scored: pd.DataFrame, answered: pd.DataFrame, mutual: pd.DataFrame) -> pd.DataFrame:
    """Return scored pairs with `liked` and `mutual`, 1 or 0, missing where it is not known.

    `answered` and `mutual` hold viewer_id, candidate_id, label.

    >>> pair = pd.DataFrame({"viewer_id": ["a"], "candidate_id": ["b"]})
    >>> scored, yes = pair.assign(p_like=0.5, p_mutual=0.25), pair.assign(label=1.0)
    >>> judged_pairs(scored, yes, yes.iloc[:0])[["liked", "mutual"]].to_numpy().tolist()
    [[1.0, nan]]
    """
    pairs = scored[[C.VIEWER, C.CANDIDATE, C.P_LIKE, C.P_MUTUAL]]
    for name, known in ((LIKED, answered), (MUTUAL, mutual)):
        said = known[[C.VIEWER, C.CANDIDATE, _LABEL]].rename(columns={_LABEL: name})
        pairs = pairs.merge(said, on=[C.VIEWER, C.CANDIDATE], how="left")
    return pairs.astype({LIKED: "float64", MUTUAL: "float64"})


def write_judged(path: Path, pairs: pd.DataFrame | None) -> None:
    """Write judged pairs; a file without rows when nothing could be judged."""
    rows = pd.DataFrame(columns=list(COLUMNS)) if pairs is None else pairs[list(COLUMNS)]
    with durable_file(path) as file:
        rows.to_parquet(file, index=False)


def read_judged(path: Path) -> pd.DataFrame:
    """Read what `write_judged` wrote.

    Raises SourceError when the file is not one.
    """
    try:
        return pd.read_parquet(path, columns=list(COLUMNS))
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise SourceError(explained("not a file of judged pairs", where=str(path), got=reason)) from error


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
