"""Events out of their file as numbers at once: a log of many in memory without a text for each."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.catalogue.columns import Columns as C
from recsys.data.events import KEPT, TYPES, WORDS, CodedEvents, Events, compact_people
from recsys.errors import SourceError, explained
from recsys.storage.frames import read_frame
from recsys.types import Int32Array, ObjectArray


def distinct(column: pa.ChunkedArray) -> tuple[ObjectArray, Int32Array]:
    """Return the distinct values of a column and the number of each row's, -1 for none.

    >>> texts, numbers = distinct(pa.chunked_array([["b", None], ["a", "b"]]))
    >>> texts.tolist(), numbers.tolist()
    (['b', 'a'], [0, -1, 1, 0])
    """
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    whole = coded.unify_dictionaries().combine_chunks()
    numbers = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    return whole.dictionary.to_numpy(zero_copy_only=False).astype(object), numbers


def coded_alike(columns: Sequence[pa.ChunkedArray]) -> tuple[ObjectArray, list[Int32Array]]:
    """Return all values of all columns, ascending, and each column as positions in them, -1 for none.

    >>> texts, numbers = coded_alike([pa.chunked_array([["b", "c"]]), pa.chunked_array([["a", None]])])
    >>> texts.tolist(), [column.tolist() for column in numbers]
    (['a', 'b', 'c'], [[1, 2], [0, -1]])
    """
    named = [distinct(column) for column in columns]
    texts = np.unique(np.concatenate([np.empty(0, object), *(words for words, _ in named)]))
    places = [np.append(np.searchsorted(texts, words), -1).astype(np.int32) for words, _ in named]
    return texts, [place[numbers] for place, (_, numbers) in zip(places, named, strict=True)]


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


def _both(file: pq.ParquetFile) -> tuple[ObjectArray, Int32Array, Int32Array]:
    """Return everybody named, and actor and target as positions among them."""
    people, (actor, target) = coded_alike([file.read([name])[name] for name in (C.ACTOR, C.TARGET)])
    return people, actor, target


def _types(column: pa.ChunkedArray) -> npt.NDArray[np.int8]:
    words, numbers = distinct(column)
    return np.append([TYPES.code(str(word)) for word in words], -1).astype(np.int8)[numbers]


def _words(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    words, numbers = distinct(column)
    return np.append(words, np.array([None], dtype=object))[numbers]
