"""Tables of a folder without the people who asked to be erased, in them or by the list of erasures."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.ids import packed_strings, unpacked_strings
from recsys.safety.erasure_list import Erased, ErasureList
from recsys.storage.arrays import load_arrays, save_arrays
from recsys.storage.atomic_write import durable_file, unreadable
from recsys.storage.csv import read_csv

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


_WORD: Final = re.compile(r"[\w-]+")
_PACKED: Final = "text"
_ENDS_SUFFIX: Final = "ends"


def names_erased(folder: Path, erased: Erased) -> list[Path]:
    """Return the files under `folder` that hold the id of somebody who asked to be erased.

    A file that cannot be read is among them: what it holds is not known.
    """
    if not len(erased):
        return []
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and file_names(path, erased)]


def names_any_erased(folder: Path, erased: Erased) -> bool:
    """Say whether any file under `folder` does; small files first, the first hit ends it."""
    if not len(erased):
        return False
    files = sorted(
        (path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size
    )
    return any(file_names(path, erased) for path in files)


def file_names(path: Path, erased: Erased) -> bool:
    """Say whether one file holds the id, or the fingerprint, of somebody who asked to be erased."""
    look = _LOOKS.get(path.suffix, _in_text)
    try:
        return any(_hit(word, erased) for word in look(path))
    except (OSError, ValueError, KeyError):
        return True


def _hit(words: list[str], erased: Erased) -> bool:
    return bool(erased.holds(words).any() or erased.holds_prints(words).any())


def _in_text(path: Path) -> Iterator[list[str]]:
    yield sorted(set(_WORD.findall(path.read_bytes().decode("utf-8", "ignore"))))


def _in_parquet(path: Path) -> Iterator[list[str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for field in file.schema_arrow:
            if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
                texts = file.read([field.name])[field.name].unique().to_pylist()
                yield [text for text in texts if text is not None]
                if any(text is not None and not _WORD.fullmatch(text) for text in texts[:1000]):
                    yield sorted({word for text in texts if text for word in _WORD.findall(text)})


def _in_array(path: Path) -> Iterator[list[str]]:
    array = np.load(path, mmap_mode=None, allow_pickle=False)
    if array.dtype.kind == "S":
        yield [value.decode("utf-8", "ignore") for value in array.ravel().tolist()]
    elif array.dtype.kind == "U":
        yield [str(value) for value in array.ravel().tolist()]
    elif array.dtype == np.uint8 and path.stem.endswith(_PACKED):
        ends = path.with_name(path.stem.removesuffix(_PACKED) + _ENDS_SUFFIX + path.suffix)
        yield [str(value) for value in unpacked_strings(array, np.load(ends, allow_pickle=False))]


def _in_json(path: Path) -> Iterator[list[str]]:
    yield sorted(set(_texts(json.loads(path.read_bytes()))))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
        yield from _WORD.findall(value)


_LOOKS: Final[dict[str, Callable[[Path], Iterator[list[str]]]]] = {
    ".parquet": _in_parquet,
    ".npy": _in_array,
    ".json": _in_json,
}


_TEXT, _ENDS = "ids_text", "ids_ends"
_OF_A_PERSON: Final = ("taste", "appeal", "cell")
"""Arrays with one row a person, in the order of the ids that have no prefix."""


def forget_in_arrays(folder: Path, erased: Erased) -> bool:
    """Take erased people out of the arrays a model was saved as; say whether anybody was in them.

    The id gives way to a name that stands for nobody and sorts at the same place, and the person's own
    rows of the matrices become zero; so the rows of all others, and what was learned, stay as they are.

    Raises SourceError when the folder is damaged.
    """
    arrays, meta = load_arrays(folder, mmap=False)
    changed = False
    for name in [key for key in arrays if key.endswith(_TEXT)]:
        ends = name.removesuffix(_TEXT) + _ENDS
        ids = [str(value) for value in unpacked_strings(arrays[name], arrays[ends])]
        gone = erased.holds(ids)
        if not gone.any():
            continue
        changed = True
        arrays[name], arrays[ends] = packed_strings(_without(ids, gone))
        for matrix in _OF_A_PERSON if name == _TEXT else ():
            arrays[matrix] = _zeroed(arrays[matrix], gone)
    if changed:
        save_arrays(folder, arrays, meta)
    return changed


def _without(ids: list[str], gone: npt.NDArray[np.bool_]) -> list[str]:
    """Return ids with nobody's in place of the erased: directly after the one before it, in any order."""
    kept: list[str] = []
    for user_id, is_gone in zip(ids, gone, strict=True):
        kept.append((kept[-1] if kept else "") + "\0" if is_gone else user_id)
    return kept


def _zeroed(rows: npt.NDArray[Any], gone: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    changed = rows.copy()
    changed[gone] = 0
    return changed
