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
from recsys.history.events import KEPT, TYPES, WORDS, CodedEvents, Events
from recsys.schema.columns import Columns as C
from recsys.storage.frame_files import read_frame

_TEXTS: Final = (C.ACTOR, C.TARGET, C.TYPE, C.DETAIL)


def read_coded_events(path: Path) -> CodedEvents:
    """Return what `Events.coded` says of the events that `write_frame` wrote, in the same order.

    Raises SourceError when the file is damaged or holds no events.
    """
    with _refused_unless_events(path), pq.ParquetFile(path, read_dictionary=list(_TEXTS)) as file:
        # one column at a time, so that what it is made from is gone before the next
        people, actor, target = _people(file.read([C.ACTOR])[C.ACTOR], file.read([C.TARGET])[C.TARGET])
        return CodedEvents(
            people=people,
            actor=actor,
            target=target,
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
        people, *sides = _people(file.read([C.ACTOR])[C.ACTOR], file.read([C.TARGET])[C.TARGET])
        kind = pd.CategoricalDtype(pd.Index(people, dtype=object))
        columns = {
            name: pd.Series(pd.Categorical.from_codes(codes.astype(np.int32), dtype=kind))
            for name, codes in zip((C.ACTOR, C.TARGET), sides, strict=True)
        }
        del sides
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
    words, numbers = _numbered(column)
    return pd.Series(pd.Categorical.from_codes(numbers, categories=pd.Index(words, dtype=object)))


def _people(
    actors: pa.ChunkedArray, targets: pa.ChunkedArray
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return everybody named, ascending, and both columns as positions in it, -1 for nobody."""
    named = [_numbered(column) for column in (actors, targets)]
    people = np.unique(np.concatenate([words for words, _ in named]))
    places = [np.append(np.searchsorted(people, words), -1) for words, _ in named]
    actor, target = (place[numbers] for place, (_, numbers) in zip(places, named, strict=True))
    return people, actor, target


def _types(column: pa.ChunkedArray) -> npt.NDArray[np.int8]:
    words, numbers = _numbered(column)
    return np.append([TYPES.code(str(word)) for word in words], -1).astype(np.int8)[numbers]


def _words(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    words, numbers = _numbered(column)
    return np.append(words, np.array([None], dtype=object))[numbers]


def _numbered(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int32]]:
    """Return the distinct values of a column and the number of each row's, -1 for none."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    whole = coded.unify_dictionaries().combine_chunks()
    numbers = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    return whole.dictionary.to_numpy(zero_copy_only=False).astype(object), numbers
