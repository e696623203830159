"""Frames as Parquet that read back exactly as they were, types and all; events also as codes.

A log of many events is read one column at a time as numbers, without a text for each.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.catalogue.columns import Columns as C
from recsys.data.events import KEPT, TYPES, WORDS, CodedEvents, Events, compact_people
from recsys.data.shared_values import factorize_shared
from recsys.errors import SourceError, explained
from recsys.redaction import library_reason
from recsys.storage.atomic_write import atomic_file
from recsys.types import Int32Array, ObjectArray

_TYPES: Final = b"recsys.types"
_WORDS: Final = "words"
"""A column of tuples of words: few distinct ones, so each is written once and rows hold its number."""


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame with a plain index; columns hold numbers, times, texts or tuples of words.

    Categories are texts when they are read back.
    """
    types: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    for name in frame.columns:
        values = frame[name]
        if _holds_tuples(values):
            numbers, words_of = factorize_shared(values.to_numpy(object))
            types[name] = {_WORDS: [list(words) for words in words_of]}
            columns[name] = pa.array(numbers.astype(np.int32))
        elif isinstance(values.dtype, pd.CategoricalDtype):
            types[name] = "object"
            columns[name] = _dictionary_array(values.cat.codes.to_numpy(np.int32), values.cat.categories)
        elif values.dtype == object:
            types[name] = "object"
            columns[name] = _dictionary_encoded(values)
        else:
            types[name] = "str" if isinstance(values.dtype, pd.StringDtype) else str(values.dtype)
            columns[name] = _arrow(values)
    table = pa.table(columns).replace_schema_metadata({_TYPES: json.dumps(types, ensure_ascii=False)})
    with atomic_file(path) as file:
        pq.write_table(table, file, compression="zstd")


def read_frame(
    path: Path,
    only: tuple[str, Collection[str]] | None = None,
    *,
    columns: Collection[str] | None = None,
) -> pd.DataFrame:
    """Read what `write_frame` wrote.

    columns: the names of those to read; all when None.
    only: a column of texts and some of its values; rows with another value are passed over, and never
    in memory together.

    Raises SourceError when the file is damaged or was written by something else.
    """
    with _source_error_unless_frame(path):
        types = json.loads((pq.read_schema(path).metadata or {})[_TYPES])
        types = {name: kind for name, kind in types.items() if columns is None or name in columns}
        texts = [name for name, kind in types.items() if kind == "object"]
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            # one column at a time, so that a large table is in memory once, not twice
            read = file.read if only is None else _rows_with(file, *only, list(types)).select
            values = {name: _read(read([name]), kind) for name, kind in types.items()}
        return pd.DataFrame(values, copy=False)


def count_rows(path: Path) -> int:
    """Return how many rows a frame has, from the end of its file alone.

    Raises SourceError when the file is damaged.
    """
    with _source_error_unless_frame(path):
        return int(pq.read_metadata(path).num_rows)


@contextmanager
def _source_error_unless_frame(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, IndexError) as error:
        reason = library_reason(error)
        raise SourceError(
            explained("not a frame this package wrote", where=str(path), got=reason, remedy="make it anew")
        ) from None


def _rows_with(file: Any, column: str, values: Collection[str], names: list[str]) -> Any:
    """Return some columns of the rows whose `column` is one of `values`, read a row group at a time."""
    wanted = pa.array(sorted(values), pa.string())
    read = names if column in names else [*names, column]
    groups = (file.read_row_group(number, columns=read) for number in range(file.num_row_groups))
    kept = [group.filter(_is_in(group[column], wanted)) for group in groups]
    empty = file.schema_arrow.empty_table().select(read)
    return pa.concat_tables([empty, *kept]).unify_dictionaries()


def _is_in(column: pa.ChunkedArray, wanted: pa.Array) -> Any:
    """Say which texts are wanted; of a column of few different ones each is looked at once."""
    if not pa.types.is_dictionary(column.type):
        return pc.is_in(column, wanted)
    chunks = [pc.is_in(chunk.dictionary, wanted).take(chunk.indices) for chunk in column.chunks]
    return pa.chunked_array(chunks, pa.bool_())  # null where there is no text: left out


def _holds_tuples(values: pd.Series) -> bool:
    if values.dtype != object:
        return False
    known = values[values.notna()]
    return bool(len(known)) and isinstance(known.iloc[0], tuple)


def _arrow(values: pd.Series) -> Any:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        moments = values.dt.tz_convert(None).to_numpy()
        return pa.array(moments, from_pandas=True).cast(pa.timestamp(values.dtype.unit, tz="UTC"))
    return pa.array(values, from_pandas=True)


def _dictionary_encoded(values: pd.Series) -> Any:
    """Return texts as numbers of distinct ones; anything else as Arrow takes it."""
    try:
        return _dictionary_array(*pd.factorize(values.to_numpy(object)))
    except (TypeError, pa.ArrowException):
        return pa.array(values, from_pandas=True)


def _dictionary_array(numbers: npt.NDArray[np.integer], distinct: Any) -> Any:
    words = pa.array(distinct, type=pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int32), mask=numbers < 0), words)


def _read(table: Any, kind: Any) -> pd.Series:
    values = table.replace_schema_metadata(None).to_pandas().iloc[:, 0]
    if isinstance(values.dtype, pd.CategoricalDtype):
        words = np.append(values.cat.categories.to_numpy(object), np.array([None], dtype=object))
        return pd.Series(words[values.cat.codes.to_numpy()], index=values.index, dtype=object)
    return _typed(values, kind)


def _typed(values: pd.Series, kind: Any) -> pd.Series:
    if isinstance(kind, dict):
        numbers = values.to_numpy(np.int64)
        words = np.empty(len(kind[_WORDS]) + 1, dtype=object)  # the last, at -1, is None
        words[:-1] = [tuple(members) for members in kind[_WORDS]]
        return pd.Series(words[numbers], index=values.index, dtype=object)
    if kind == "object":
        plain = values.astype(object)
        return plain.where(plain.notna(), None)
    return values if str(values.dtype) == kind else values.astype(kind)


def dictionary_codes(column: pa.ChunkedArray) -> tuple[ObjectArray, Int32Array]:
    """Return the distinct values of a column and the number of each row's, -1 for none.

    >>> texts, numbers = dictionary_codes(pa.chunked_array([["b", None], ["a", "b"]]))
    >>> texts.tolist(), numbers.tolist()
    (['b', 'a'], [0, -1, 1, 0])
    """
    words, numbers = _dictionary_of(column)
    return words.to_numpy(zero_copy_only=False).astype(object), numbers


def _dictionary_of(column: pa.ChunkedArray) -> tuple[pa.Array, Int32Array]:
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    whole = coded.unify_dictionaries().combine_chunks()
    numbers = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    return whole.dictionary, numbers


def shared_codes(columns: Sequence[pa.ChunkedArray]) -> tuple[ObjectArray, list[Int32Array]]:
    """Return all values of all columns, ascending, and each column as positions in them, -1 for none.

    Arrow sorts and finds a million texts in a fraction of the time that objects take; the order of bytes in
    UTF-8 is that of characters.

    >>> texts, numbers = shared_codes([pa.chunked_array([["b", "c"]]), pa.chunked_array([["a", None]])])
    >>> texts.tolist(), [column.tolist() for column in numbers]
    (['a', 'b', 'c'], [[1, 2], [0, -1]])
    """
    named = [_dictionary_of(column) for column in columns]
    kinds = {words.type for words, _ in named if len(words)}
    kind = kinds.pop() if len(kinds) == 1 else pa.large_string()
    words = [values.cast(kind) for values, _ in named]
    every = pc.unique(pa.chunked_array(words, kind))
    every = every.take(pc.sort_indices(every))
    places = [
        np.append(pc.index_in(own, value_set=every).to_numpy(zero_copy_only=False), -1) for own in words
    ]
    numbers = [place.astype(np.int32)[own] for place, (_, own) in zip(places, named, strict=True)]
    return every.to_numpy(zero_copy_only=False).astype(object), numbers


_TEXTS: Final = (C.ACTOR, C.TARGET, C.TYPE, C.DETAIL)


def read_coded_events(path: Path, *, counts: bool = True) -> CodedEvents:
    """Return what `Events.coded` says of the events that `write_frame` wrote, in the same order.

    counts: of messages; without them each event counts once, and they take no memory.

    Raises SourceError when the file is damaged or holds no events.
    """
    with _source_error_unless_events(path), pq.ParquetFile(path, read_dictionary=list(_TEXTS)) as file:
        # one column at a time, so that what it is made from is gone before the next
        people, actor, target = _actors_and_targets(file)
        count = np.broadcast_to(1.0, len(actor))
        if counts:
            count = file.read([C.COUNT])[C.COUNT].cast(pa.float64()).fill_null(1.0).to_numpy()
        return CodedEvents(
            people=people,
            actor=actor.astype(np.int64),
            target=target.astype(np.int64),
            type=_types(file.read([C.TYPE])[C.TYPE]),
            ts=file.read([C.TS])[C.TS].cast(pa.int64()).to_numpy(),
            detail=_words(file.read([C.DETAIL])[C.DETAIL]),
            count=count,
        )


def read_compact_events(path: Path) -> Events:
    """Return the events that `write_frame` wrote as `Events.compact` keeps them.

    Raises SourceError when the file is damaged or holds no events.
    """
    with _source_error_unless_events(path), pq.ParquetFile(path, read_dictionary=list(_TEXTS)) as file:
        columns = compact_people(*_actors_and_targets(file))
        words = [name for name in WORDS if name != C.MODEL_VERSION or name in file.schema_arrow.names]
        columns |= {name: _categories(file.read([name])[name]) for name in words}  # older files lack versions
    rest = [name for name in KEPT if name not in WORDS]
    return Events(pd.DataFrame(columns | dict(read_frame(path, columns=rest).items()), copy=False))


@contextmanager
def _source_error_unless_events(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        reason = library_reason(error)
        remedy = "run the night again"
        raise SourceError(
            explained("not a file of events", where=str(path), got=reason, remedy=remedy)
        ) from None


def _categories(column: pa.ChunkedArray) -> pd.Series:
    words, numbers = dictionary_codes(column)
    return pd.Series(pd.Categorical.from_codes(numbers, categories=pd.Index(words, dtype=object)))


def _actors_and_targets(file: pq.ParquetFile) -> tuple[ObjectArray, Int32Array, Int32Array]:
    """Return everybody named, and actor and target as positions among them."""
    people, (actor, target) = shared_codes([file.read([name])[name] for name in (C.ACTOR, C.TARGET)])
    return people, actor, target


def _types(column: pa.ChunkedArray) -> npt.NDArray[np.int8]:
    words, numbers = dictionary_codes(column)
    return np.append([TYPES.code(str(word)) for word in words], -1).astype(np.int8)[numbers]


def _words(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    words, numbers = dictionary_codes(column)
    return np.append(words, np.array([None], dtype=object))[numbers]
