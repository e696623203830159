"""Events out of their file as numbers at once: a log of many in memory without a text for each."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.errors import SourceError, explained
from recsys.history.events import KEPT, TYPES, WORDS, CodedEvents, Events, compact_people
from recsys.schema.columns import Columns as C
from recsys.storage.coded_columns import Numbers, Texts, coded_alike, distinct
from recsys.storage.frame_files import read_frame

_TEXTS: Final = (C.ACTOR, C.TARGET, C.TYPE, C.DETAIL)


def read_coded_events(path: Path) -> CodedEvents:
    """Return what `Events.coded` says of the events that `write_frame` wrote, in the same order.

    Raises SourceError when the file is damaged or holds no events.
    """
    with _refused_unless_events(path), pq.ParquetFile(path, read_dictionary=list(_TEXTS)) as file:
        # one column at a time, so that what it is made from is gone before the next
        people, actor, target = _both(file)
        return CodedEvents(
            people=people,
            actor=actor.astype(np.int64),
            target=target.astype(np.int64),
            type=_types(file.read([C.TYPE])[C.TYPE]),
            ts=file.read([C.TS])[C.TS].cast(pa.int64()).to_numpy(),
            detail=_words(file.read([C.DETAIL])[C.DETAIL]),
            count=file.read([C.COUNT])[C.COUNT].cast(pa.float64()).fill_null(1.0).to_numpy(),
        )


def read_compact_events(path: Path) -> Events:
    """Return the events that `write_frame` wrote as `Events.compact` keeps them.

    Raises SourceError when the file is damaged or holds no events.
    """
    with _refused_unless_events(path), pq.ParquetFile(path, read_dictionary=list(_TEXTS)) as file:
        columns = compact_people(*_both(file))
        columns |= {name: _categories(file.read([name])[name]) for name in WORDS}
    rest = [name for name in KEPT if name not in WORDS]
    return Events(pd.DataFrame(columns | dict(read_frame(path, columns=rest).items()), copy=False))


@contextmanager
def _refused_unless_events(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())
        remedy = "run the night again"
        raise SourceError(
            explained("not a file of events", where=str(path), got=reason, remedy=remedy)
        ) from error


def _categories(column: pa.ChunkedArray) -> pd.Series:
    words, numbers = distinct(column)
    return pd.Series(pd.Categorical.from_codes(numbers, categories=pd.Index(words, dtype=object)))


def _both(file: pq.ParquetFile) -> tuple[Texts, Numbers, Numbers]:
    """Return everybody named, and actor and target as positions among them."""
    people, (actor, target) = coded_alike([file.read([name])[name] for name in (C.ACTOR, C.TARGET)])
    return people, actor, target


def _types(column: pa.ChunkedArray) -> npt.NDArray[np.int8]:
    words, numbers = distinct(column)
    return np.append([TYPES.code(str(word)) for word in words], -1).astype(np.int8)[numbers]


def _words(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    words, numbers = distinct(column)
    return np.append(words, np.array([None], dtype=object))[numbers]
