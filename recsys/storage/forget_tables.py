"""Tables of a folder without the people who asked to be erased, in them or by the list of erasures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from recsys.schema.columns import Columns as C
from recsys.schema.columns import Tables as T
from recsys.storage.csv_file import read_csv
from recsys.storage.durable import durable_file
from recsys.storage.erasures import Erased, ErasureList
from recsys.storage.unreadable import unreadable

_PERSONS: Final = (C.USER, C.ACTOR, C.TARGET)
_ERASE: Final = "erase"


def forget_in_tables(folder: Path, erasures: ErasureList) -> int:
    """Drop every row that names an erased person from the tables of a folder; return how many went.

    Whoever an `erase` event names is added to the list first; the event then goes too, the list
    remembers. Files without such rows are left alone, byte for byte.

    Raises SourceError when a file cannot be read.
    """
    asked = sorted({person for path in _files(folder, T.EVENTS) for person in _asked(path)})
    if asked:
        erasures.add(asked)
    erased = erasures.now()
    if not len(erased):
        return 0
    return sum(_stripped(path, erased) for path in _files(folder))


def _files(folder: Path, table: str = "*") -> Iterator[Path]:
    """Yield the files of a table, or of all; a Parquet table may be a folder of files."""
    for path in sorted(folder.glob(f"{table}.*")):
        if path.suffix in {".parquet", ".csv"} and not path.name.startswith((".", "_")):
            inside = sorted(path.rglob("*")) if path.is_dir() else [path]
            yield from (file for file in inside if file.is_file() and file.suffix in {".parquet", ".csv"})


def _asked(path: Path) -> set[str]:
    """Return who is erased by an event of this file, however the word is written."""
    import pyarrow as pa
    from pyarrow import compute

    table = _columns(path, (C.TYPE, C.ACTOR))
    if not {C.TYPE, C.ACTOR} <= set(table.column_names):
        return set()
    kinds = compute.utf8_trim_whitespace(compute.utf8_lower(table[C.TYPE].cast(pa.string())))
    asked = table[C.ACTOR].cast(pa.string()).filter(compute.equal(kinds, _ERASE)).unique().to_pylist()
    return {actor for actor in asked if actor}


def _stripped(path: Path, erased: Erased) -> int:
    import pyarrow as pa

    table = _columns(path, _PERSONS)
    gone = np.zeros(len(table), bool)
    for name in table.column_names:
        column = table[name].combine_chunks()
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            continue
        coded = column.dictionary_encode()
        named = np.append(erased.holds(coded.dictionary.to_pylist()), False)
        gone |= named[coded.indices.fill_null(len(named) - 1).to_numpy(zero_copy_only=False)]
    if gone.any():
        _write(path, _columns(path, None).filter(pa.array(~gone)))
    return int(gone.sum())


def _columns(path: Path, wanted: tuple[str, ...] | None) -> Any:
    """Return some columns of a file as an Arrow table, all for None; those it lacks are left out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.suffix == ".csv":
        frame = read_csv(path)
        names = [name for name in frame.columns if wanted is None or name in wanted]
        texts = {name: pa.array(frame[name], pa.string(), from_pandas=True) for name in names}
        return pa.table(texts)
    try:
        with pq.ParquetFile(path) as file:
            names = [name for name in file.schema_arrow.names if wanted is None or name in wanted]
            return file.read(names)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise unreadable(path, error, "write the file again; it is damaged or no Parquet") from error


def _write(path: Path, table: Any) -> None:
    import pyarrow.parquet as pq
    from pyarrow import csv

    with durable_file(path) as file:
        if path.suffix == ".csv":
            csv.write_csv(table, file, csv.WriteOptions(quoting_style="all_valid"))
        else:
            pq.write_table(table, file, compression="zstd")
