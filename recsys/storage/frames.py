"""Frames as Parquet that read back exactly as they were, types and all."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import SourceError, explained
from recsys.storage.atomic_write import atomic_file

_TYPES: Final = b"recsys.types"
_WORDS: Final = "words"
"""A column of tuples of words: few distinct ones, so each is written once and rows hold its number."""


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame with a plain index; columns hold numbers, times, texts or tuples of words.

    Categories are texts when they are read back.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    types: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    for name in frame.columns:
        values = frame[name]
        if _holds_tuples(values):
            numbers, distinct = pd.factorize(values.to_numpy(object))
            types[name] = {_WORDS: [list(words) for words in distinct]}
            columns[name] = pa.array(numbers.astype(np.int32))
        elif isinstance(values.dtype, pd.CategoricalDtype):
            types[name] = "object"
            columns[name] = _numbered(values.cat.codes.to_numpy(np.int32), values.cat.categories)
        elif values.dtype == object:
            types[name] = "object"
            columns[name] = _each_once(values)
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
    import pyarrow.parquet as pq

    with _refused_unless_frame(path):
        types = json.loads((pq.read_schema(path).metadata or {})[_TYPES])
        types = {name: kind for name, kind in types.items() if columns is None or name in columns}
        texts = [name for name, kind in types.items() if kind == "object"]
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            # one column at a time, so that a large table is in memory once, not twice
            read = file.read if only is None else _rows_with(file, *only).select
            values = {name: _read(read([name]), kind) for name, kind in types.items()}
        return pd.DataFrame(values, copy=False)


def count_rows(path: Path) -> int:
    """Return how many rows a frame has, from the end of its file alone.

    Raises SourceError when the file is damaged.
    """
    import pyarrow.parquet as pq

    with _refused_unless_frame(path):
        return int(pq.read_metadata(path).num_rows)


@contextmanager
def _refused_unless_frame(path: Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, IndexError) as error:
        reason = " ".join(str(error).split())
        raise SourceError(
            explained("not a frame this package wrote", where=str(path), got=reason, remedy="make it anew")
        ) from error


def _rows_with(file: Any, column: str, values: Collection[str]) -> Any:
    """Return the rows of a Parquet file whose `column` is one of `values`, read a row group at a time."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array(sorted(values), pa.string())
    groups = (file.read_row_group(number) for number in range(file.num_row_groups))
    kept = [group.filter(pc.is_in(group[column].cast(pa.string()), wanted)) for group in groups]
    return pa.concat_tables([file.schema_arrow.empty_table(), *kept]).unify_dictionaries()


def _holds_tuples(values: pd.Series) -> bool:
    if values.dtype != object:
        return False
    known = values[values.notna()]
    return bool(len(known)) and isinstance(known.iloc[0], tuple)


def _arrow(values: pd.Series) -> Any:
    import pyarrow as pa

    if isinstance(values.dtype, pd.DatetimeTZDtype):
        moments = values.dt.tz_convert(None).to_numpy()
        return pa.array(moments, from_pandas=True).cast(pa.timestamp(values.dtype.unit, tz="UTC"))
    return pa.array(values, from_pandas=True)


def _each_once(values: pd.Series) -> Any:
    """Return texts as numbers of distinct ones; anything else as Arrow takes it."""
    import pyarrow as pa

    try:
        return _numbered(*pd.factorize(values.to_numpy(object)))
    except (TypeError, pa.ArrowException):
        return pa.array(values, from_pandas=True)


def _numbered(numbers: npt.NDArray[np.integer], distinct: Any) -> Any:
    import pyarrow as pa

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
