"""Where a person can be in files: one inventory, by the kind of file, for erasure and for access alike.

A person is recognised by id and by the fingerprints under which tracked nights hold people. Each kind
of file says both which words it holds and which records are about a person, so that nothing is found by one
and missed by the other.
"""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any, Final

import numpy as np

from recsys.data.ids import id_before_placeholder, unpacked_strings
from recsys.safety.erasure_list import ErasedPeople
from recsys.safety.person_records import OTHERS, Person
from recsys.storage.csv import read_csv
from recsys.storage.text_columns import as_texts, holds_text, in_plain_layout
from recsys.types import Int64Array

_WORD: Final = re.compile(r"[\w-]+")
_PACKED_SUFFIX: Final = "text"
_ENDS_SUFFIX: Final = "ends"


def files_naming_erased(folder: Path, erased: ErasedPeople) -> list[Path]:
    """Return the files under `folder` that hold the id of somebody who asked to be erased.

    A file that cannot be read is among them: what it holds is not known.
    """
    if not len(erased):
        return []
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and file_names_erased(path, erased)]


def folder_names_erased(folder: Path, erased: ErasedPeople) -> bool:
    """Say whether any file under `folder` names an erased person; small files are read first."""
    if not len(erased):
        return False
    files = sorted(
        (path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size
    )
    return any(file_names_erased(path, erased) for path in files)


def file_names_erased(path: Path, erased: ErasedPeople) -> bool:
    """Say whether one file holds the id, or a fingerprint, of somebody who asked to be erased."""
    try:
        return any(_any_erased(words, erased) for words in file_kind(path).words(path))
    except (OSError, ValueError, KeyError):
        return True


def _any_erased(words: list[str], erased: ErasedPeople) -> bool:
    return bool(erased.among(words).any())


def _words_of_text(path: Path) -> Iterator[list[str]]:
    yield sorted(set(_WORD.findall(path.read_bytes().decode("utf-8", "ignore"))))


def _words_of_parquet(path: Path) -> Iterator[list[str]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for field in file.schema_arrow:
            if holds_text(field.type):
                column = in_plain_layout(file.read([field.name]))[field.name]
                texts = as_texts(column.unique()).to_pylist()
                yield [text for text in texts if text is not None]
                if any(text is not None and not _WORD.fullmatch(text) for text in texts[:1000]):
                    yield sorted({word for text in texts if text for word in _WORD.findall(text)})


def words_of_array(path: Path) -> Iterator[list[str]]:
    """Yield the texts of an array of texts, such as ids; nothing for one of numbers."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.dtype.kind == "S":
        yield _named_in([value.decode("utf-8", "ignore") for value in array.ravel().tolist()])
    elif array.dtype.kind == "U":
        yield _named_in([str(value) for value in array.ravel().tolist()])
    elif array.dtype == np.uint8 and path.stem.endswith(_PACKED_SUFFIX):
        ends = path.with_name(path.stem.removesuffix(_PACKED_SUFFIX) + _ENDS_SUFFIX + path.suffix)
        ids = unpacked_strings(array, np.load(ends, allow_pickle=False))
        yield _named_in([str(value) for value in ids])


def _named_in(texts: list[str]) -> list[str]:
    """Return texts, and the ids in those that are placeholders of erased ones."""
    return [*texts, *(id_before_placeholder(one) for one in texts if id_before_placeholder(one) != one)]


def _words_of_json(path: Path) -> Iterator[list[str]]:
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


def _records_of_parquet(path: Path, person: Person) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        texts = [field.name for field in file.schema_arrow if holds_text(field.type)]
        coded = [name for name in texts if _is_repetitive(file.metadata, name)]
    with pq.ParquetFile(path, read_dictionary=coded) as file:
        for group in range(file.num_row_groups):
            columns = in_plain_layout(file.read_row_group(group, columns=texts))
            chosen = np.zeros(columns.num_rows, bool)
            for name in texts:
                chosen[_rows_naming(columns[name], person, whole=name in OTHERS)] = True
            if chosen.any():
                yield from _rows_of_group(file, group, columns, np.flatnonzero(chosen))


def _rows_of_group(file: Any, group: int, read: Any, rows: Int64Array) -> Iterator[dict[str, Any]]:
    """Yield some rows of a row group with all their columns, of which those in `read` are not read again."""
    names = file.schema_arrow.names
    unread = [name for name in names if name not in read.column_names]
    own = read.take(rows).to_pylist()
    rest = (
        in_plain_layout(file.read_row_group(group, columns=unread)).take(rows).to_pylist()
        if unread
        else [{}] * len(own)
    )
    for one, other in zip(own, rest, strict=True):
        record = one | other
        yield {name: _readable(record[name]) for name in names}


def _readable(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _is_repetitive(metadata: Any, name: str) -> bool:
    """Say whether a column of texts takes few bytes a row, so that each distinct text stands in it once."""
    at = metadata.schema.names.index(name)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    size = sum(group.column(at).total_uncompressed_size for group in groups)
    return bool(size < _BYTES_OF_CODES * max(1, metadata.num_rows))


_BYTES_OF_CODES: Final = 6


def _rows_naming(column: Any, person: Person, *, whole: bool) -> Int64Array:
    """Return the rows of a column of texts that name a person.

    Each distinct text is looked at once. whole: whether a text has to be the id, and not hold it as a word.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    found, start = [np.empty(0, np.int64)], 0
    forms = sorted(person.forms)
    for chunk in column.chunks:
        is_coded = pa.types.is_dictionary(chunk.type)
        words = as_texts(chunk.dictionary if is_coded else chunk)
        if not _bytes_hold(words, forms):
            start += len(chunk)
            continue
        words = words.cast(pa.string())
        if whole:
            hits = pc.is_in(words, value_set=pa.array(forms))
        else:
            held = (pc.match_substring(words, form) for form in forms)
            hits = reduce(pc.or_, held)  # few are left for the pattern
        codes = np.flatnonzero(pc.fill_null(hits, False).to_numpy(zero_copy_only=False))
        if not whole:
            codes = codes[
                np.array(
                    [bool(person.forms & set(_WORD.findall(words[int(at)].as_py()))) for at in codes], bool
                )
            ]
        if len(codes) and is_coded:
            indices = pc.fill_null(chunk.indices, -1).to_numpy(zero_copy_only=False)
            codes = np.flatnonzero(np.isin(indices, codes))
        found.append(start + codes)
        start += len(chunk)
    return np.concatenate(found)


def _bytes_hold(words: Any, forms: list[str]) -> bool:
    """Say whether the texts of a chunk, one after another, hold one of some ids."""
    content = words.buffers()[2]
    if content is None:
        return False
    letters = content.to_pybytes()
    return any(form.encode() in letters for form in forms)


def _records_of_csv(path: Path, person: Person) -> Iterator[dict[str, Any]]:
    frame = read_csv(path)
    for record in frame.to_dict("records"):
        known = {str(key): value for key, value in record.items() if isinstance(value, str)}
        if any(person.forms & set(_WORD.findall(value)) for value in known.values()):
            yield known


def _records_of_array(path: Path, person: Person) -> Iterator[dict[str, Any]]:
    """Yield where a person's id stands in an array of ids, and their rows of the figures beside it."""
    found, n_people = _rows_of_array(path, person)
    for row in found.tolist():
        yield {"row": row, **dict(_own_rows(path.parent, row, n_people))}


def _rows_of_array(path: Path, person: Person) -> tuple[Int64Array, int]:
    """Return the places of a person's id in an array of ids, and how many ids it has."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.dtype.kind in "SU":
        forms = np.array(sorted(person.forms), object)
        spelled = forms.astype(str) if array.dtype.kind == "U" else np.array([one.encode() for one in forms])
        return np.flatnonzero(np.isin(array.ravel(), spelled)), array.size
    if array.dtype != np.uint8 or not path.stem.endswith(_PACKED_SUFFIX):
        return np.empty(0, np.int64), 0
    name = path.stem.removesuffix(_PACKED_SUFFIX) + _ENDS_SUFFIX + path.suffix
    ends = np.load(path.with_name(name), allow_pickle=False).astype(np.int64)
    lengths, found = np.diff(ends, prepend=0), [np.empty(0, np.int64)]
    for form in person.forms:
        text = np.frombuffer(form.encode("utf-8", "surrogatepass"), np.uint8)
        rows = np.flatnonzero(lengths == len(text))
        letters = (ends[rows] - len(text))[:, None] + np.arange(len(text))
        found.append(rows[(array[letters] == text).all(axis=1)])
    return np.sort(np.concatenate(found)), len(ends)


def _own_rows(folder: Path, row: int, n_people: int) -> Iterator[tuple[str, Any]]:
    """Yield the row of every array of figures with one row a person."""
    for path in sorted(folder.glob("*.npy")):
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if array.ndim in (1, 2) and len(array) == n_people and array.dtype.kind == "f":
            yield path.stem, np.asarray(array[row], np.float64).round(6).tolist()


def _records_of_json(path: Path, person: Person) -> Iterator[dict[str, Any]]:
    yield from _dicts_naming(json.loads(path.read_bytes()), person)


def _records_of_lines(path: Path, person: Person) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8", errors="ignore").split("\n"):
        if person.forms & set(_WORD.findall(line)):
            with suppress(ValueError):  # cut short by a crash
                yield from _dicts_naming(json.loads(line), person)


def _dicts_naming(value: Any, person: Person) -> Iterator[dict[str, Any]]:
    """Yield the innermost objects that name the person."""
    if isinstance(value, dict):
        own = {key: inner for key, inner in value.items() if not isinstance(inner, dict | list)}
        names = {word for key, inner in own.items() for word in _WORD.findall(f"{key} {inner}")}
        if person.forms & names:
            yield own
        for key, inner in value.items():
            if key in person.forms and isinstance(inner, dict | list):
                yield (
                    inner
                    if isinstance(inner, dict)
                    else {"values": [one for one in inner if not isinstance(one, str)]}
                )
            else:
                yield from _dicts_naming(inner, person)
    elif isinstance(value, list):
        if any(inner in person.forms for inner in value if isinstance(inner, str)):
            yield {"is among": len(value)}
        for inner in value:
            yield from _dicts_naming(inner, person)


def _words_of_database(path: Path) -> Iterator[list[str]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        for table in _tables_of(base):
            for row in base.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a name of the file's own
                yield [
                    word for value in row if isinstance(value, str) for word in (value, *_WORD.findall(value))
                ]


def _records_of_database(path: Path, person: Person) -> Iterator[dict[str, Any]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        base.row_factory = sqlite3.Row
        for table in _tables_of(base):
            for row in base.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a name of the file's own
                record = {column: _as_moment(column, value) for column, value in dict(row).items()}
                texts = [value for value in record.values() if isinstance(value, str)]
                if any(person.forms & {value, *_WORD.findall(value)} for value in texts):
                    yield {"table": table, **record}


def _as_moment(column: str, value: Any) -> Any:
    """Return a time as one: a store keeps seconds as fractions and microseconds as whole numbers."""
    if column not in _MOMENTS or isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return datetime.fromtimestamp(value if isinstance(value, float) else value / 1e6, UTC)


_MOMENTS: Final = ("at", "noted")


def _tables_of(base: sqlite3.Connection) -> list[str]:
    found = base.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [str(name) for (name,) in found]


def _records_of_text(path: Path, person: Person) -> Iterator[dict[str, Any]]:
    """Say that a text names the person; what it says may be about others, so it is not repeated."""
    if any(person.forms & set(words) for words in _words_of_text(path)):
        yield {"names": person.user_id}


@dataclass(frozen=True)
class FileKind:
    """What a kind of file holds: its words by portion, and its records about a person."""

    words: Callable[[Path], Iterator[list[str]]]
    records: Callable[[Path, Person], Iterator[dict[str, Any]]]


FILE_KINDS: Final = {
    ".parquet": FileKind(_words_of_parquet, _records_of_parquet),
    ".csv": FileKind(_words_of_text, _records_of_csv),
    ".npy": FileKind(words_of_array, _records_of_array),
    ".json": FileKind(_words_of_json, _records_of_json),
    ".jsonl": FileKind(_words_of_text, _records_of_lines),
    ".db": FileKind(_words_of_database, _records_of_database),
    ".sqlite": FileKind(_words_of_database, _records_of_database),
}
_OTHER_FILES: Final = FileKind(_words_of_text, _records_of_text)
_SQLITE_LOGS: Final = FileKind(_words_of_text, lambda _path, _person: iter(()))
"""Logs beside a SQLite file: what they hold is read with the file, and says more than is a person's own."""


def file_kind(path: Path) -> FileKind:
    """Return what is known of a kind of file; any other is read as a text.

    >>> file_kind(Path("lists.parquet")).words is file_kind(Path("page.html")).words
    False
    """
    if path.name.endswith(("-wal", "-shm", "-journal")):
        return _SQLITE_LOGS
    return FILE_KINDS.get(path.suffix, _OTHER_FILES)
