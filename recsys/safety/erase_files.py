"""Erasing people from files: table rows, and rows of saved arrays.

Where a person can be is in the inventory of `recsys.safety.person_files`.
"""

import json
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.id_spellings import Spellings, is_name_of_erased
from recsys.data.ids import id_before_placeholder, packed_strings, unpacked_strings
from recsys.errors import RecsysError, SourceError
from recsys.safety.erased_names import (
    Redact,
    holding_several,
    may_hold_names,
    redacted,
    redaction,
    spelled_otherwise,
)
from recsys.safety.erasure_list import ErasedPeople, ErasureList
from recsys.safety.person_files import file_kind, file_names_erased, files_naming_erased, words_of_array
from recsys.safety.person_records import PERSON_COLUMNS
from recsys.storage.arrays import INDEX, load_arrays, save_arrays
from recsys.storage.atomic_write import atomic_file, replaced_folder, unreadable, write_atomically
from recsys.storage.csv import read_csv
from recsys.storage.dataclass_codec import PACKAGE_SUFFIX
from recsys.storage.text_columns import as_texts, holds_text, in_plain_layout, texts_of_ids
from recsys.types import BoolArray

_TABLE_SUFFIXES: Final = (".parquet", ".csv")
_ERASE_EVENT: Final = "erase"
_NO_PEOPLE: Final = frozenset(
    {INDEX, "MLmodel", "conda.yaml", "python_env.yaml", "requirements.txt", "served_model.py"}
)
"""Files that say what a model is made of and name nobody: the number or word they hold is no id."""
_EXAMPLES: Final = frozenset({"input_example.json", "serving_input_example.json"})
"""Pairs of people that a tracked model is shown with; it names these files, so that they have to stay."""
_ANYBODY: Final = "erased"
_PLAIN_WORD: Final = re.compile(r"\d{1,6}|[^\W\d_]{1,20}")


def erase_from_tables(folder: Path, erasures: ErasureList) -> dict[str, int]:
    """Drop every row that names an erased person from the tables of a folder; return how many, by table.

    Names in rows of others, such as that of a circle, lose an erased id, see `erased_names`.
    Whoever an `erase` event names is added to the list first; the event then goes too, the list
    remembers. One whose id has a form that nobody's has stays, and is counted with rows that name nobody.
    Files without such rows are left alone, byte for byte.

    Raises SourceError when a file cannot be read.
    """
    return erase_and_count(folder, erasures)[0]


Gone = Callable[[str, pd.DataFrame], None]
"""Is told of the rows of a table that are dropped, by the name of the table."""


def erase_and_count(
    folder: Path, erasures: ErasureList, dropped: Gone | None = None
) -> tuple[dict[str, int], int]:
    """Return what `erase_from_tables` does, and how many ids of new `erase` events mean no one profile.

    These may be of somebody who left. Those of a form that nobody's id has are not among them: their events
    stay. dropped: is told of the rows, while they are still in the files.
    """
    requested, of_nobody = _requested(folder), 0
    if requested:
        spellings, before = Spellings(_users(folder)), erasures.now().among(requested)
        meant = {one: spellings.only(one) for one in requested}
        odd = {one for one, who in meant.items() if who is None and _is_odd(one, spellings)}
        new = (one for one, is_known in zip(requested, before, strict=True) if not is_known)
        of_nobody = sum(meant[one] is None and one not in odd and not is_name_of_erased(one) for one in new)
        known = [one for one in requested if one not in odd]
        erasures.add([*known, *(who for one in known if (who := meant[one]) is not None)])
    erased = erasures.now()
    gone: dict[str, int] = {}
    users = _users(folder) if len(erased) else frozenset()
    redact = redaction(erased, users) if len(erased) else None
    for path in _table_files(folder) if len(erased) else ():
        table = path.relative_to(folder).parts[0].partition(".")[0]
        told = None if dropped is None else partial(dropped, table)
        gone[table] = gone.get(table, 0) + erase_from_table(path, erased, users, redact=redact, dropped=told)
    return {table: count for table, count in gone.items() if count}, of_nobody


def _users(folder: Path) -> frozenset[str]:
    """Return the ids of everybody who has a profile in the tables of a folder."""
    users = set[str]()
    for path in _table_files(folder, T.PROFILES):
        table = _read_columns(path, (C.USER,))
        if C.USER in table.column_names and holds_text(table[C.USER].type):
            users.update(one for one in as_texts(table[C.USER].unique()).to_pylist() if one)
    return frozenset(users)


def _requested(folder: Path) -> list[str]:
    """Return the ids that `erase` events name, ascending."""
    return sorted({person for path in _table_files(folder, T.EVENTS) for person in _erase_events(path)})


def _is_odd(given: str, spellings: Spellings) -> bool:
    """Say whether an id is of a form that no id of somebody who left has; nobody's where nobody is known."""
    return bool(spellings.users) and spellings.is_odd(given)


def erase_from_table(
    path: Path,
    erased: ErasedPeople,
    users: Collection[str] = (),
    *,
    redact: Redact | None = None,
    dropped: Callable[[pd.DataFrame], None] | None = None,
) -> int:
    """Drop the rows of one Parquet or CSV file that name an erased person; return how many rows went.

    users: ids that are somebody's as they stand; an erased person's in another spelling counts as theirs
    where it is nobody's. redact: what takes erased ids out of the names in the rows that stay. dropped: is
    told of the rows that go, first.
    """
    import pyarrow as pa

    table = _read_columns(path, PERSON_COLUMNS)
    named = np.zeros(len(table), bool)
    for name in table.column_names:
        column = texts_of_ids(table[name].combine_chunks())
        if column is None:
            continue
        coded = column.dictionary_encode()
        given = coded.dictionary.to_pylist()
        ids = np.append(
            erased.among(given)
            | spelled_otherwise(given, erased, users)
            | holding_several(given, erased, users),
            False,
        )
        named |= ids[coded.indices.fill_null(len(ids) - 1).to_numpy(zero_copy_only=False)]
    others = {} if redact is None else _redacted_columns(path, ~named, redact)
    if named.any() or others:
        every = in_plain_layout(_read_columns(path, None))
        if dropped is not None and named.any():
            dropped(every.filter(pa.array(named)).to_pandas())
        left = every.filter(pa.array(~named))
        for name, column in others.items():
            left = left.set_column(left.column_names.index(name), name, column)
        _write_table(path, left)
    return int(named.sum())


def _redacted_columns(path: Path, kept: BoolArray, redact: Redact) -> dict[str, Any]:
    """Return the columns of the rows that are kept whose names hold an erased id, without it."""
    import pyarrow as pa

    table = _read_columns(path, None) if path.suffix == ".csv" else None
    found = {}
    for field in _schema(path) if table is None else table.schema:
        if may_hold_names(field.name, field.type):
            column = (_read_columns(path, (field.name,)) if table is None else table)[field.name]
            other = redacted(column.filter(pa.array(kept)), redact)
            if other is not None:
                found[field.name] = other
    return found


def _schema(path: Path) -> Any:
    """Return the columns of a Parquet file; raise SourceError when it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_schema(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise unreadable(path, error, "write the file again; it is damaged or no Parquet") from None


def _table_files(folder: Path, table: str = "*") -> Iterator[Path]:
    """Yield the files of a table, or of all; a Parquet table may be a folder of files."""
    for path in sorted(folder.glob(f"{table}.*")):
        if path.suffix in _TABLE_SUFFIXES and not path.name.startswith((".", "_")):
            inside = sorted(path.rglob("*")) if path.is_dir() else [path]
            yield from (file for file in inside if file.is_file() and file.suffix in _TABLE_SUFFIXES)


def _erase_events(path: Path) -> set[str]:
    """Return who is erased by an event of this file, however the word is written.

    An event that names another person beside the actor does not say which of the two it means.
    """
    from pyarrow import compute

    table = _read_columns(path, (C.TYPE, C.ACTOR, C.TARGET))
    if not {C.TYPE, C.ACTOR} <= set(table.column_names):
        return set()
    words, actors = (texts_of_ids(table[name].combine_chunks()) for name in (C.TYPE, C.ACTOR))
    if words is None or actors is None:
        return set()
    types = compute.utf8_trim_whitespace(compute.utf8_lower(words))
    of_one = compute.equal(types, _ERASE_EVENT)
    if C.TARGET in table.column_names:
        column = table[C.TARGET].combine_chunks()
        targets = texts_of_ids(column)
        is_alone = compute.is_null(column)
        if targets is not None:
            targets = compute.fill_null(compute.utf8_trim_whitespace(targets), "")
            is_alone = compute.or_(compute.equal(targets, ""), compute.equal(targets, actors))
        of_one = compute.and_(of_one, is_alone)
    actors = actors.filter(of_one)
    return {actor for actor in actors.unique().to_pylist() if actor}


def _read_columns(path: Path, names: tuple[str, ...] | None) -> Any:
    """Return some columns of a file as an Arrow table, all for None; those it lacks are left out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.suffix == ".csv":
        frame = read_csv(path)
        there = [name for name in frame.columns if names is None or name in names]
        texts = {name: pa.array(frame[name], pa.string(), from_pandas=True) for name in there}
        return pa.table(texts)
    try:
        with pq.ParquetFile(path) as file:
            there = [name for name in file.schema_arrow.names if names is None or name in names]
            return in_plain_layout(file.read(there))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise unreadable(path, error, "write the file again; it is damaged or no Parquet") from None


def _write_table(path: Path, table: Any) -> None:
    import pyarrow.parquet as pq
    from pyarrow import csv

    with atomic_file(path) as file:
        if path.suffix == ".csv":
            csv.write_csv(table, file, csv.WriteOptions(quoting_style="all_valid"))
        else:
            pq.write_table(table, file, compression="zstd")


_IDS_TEXT, _IDS_ENDS = "ids_text", "ids_ends"
_PERSON_ARRAYS: Final = ("taste", "appeal", "cell")
"""Arrays with one row a person, in the order of the ids that have no prefix."""


def erase_from_arrays(folder: Path, erased: ErasedPeople) -> bool:
    """Erase people from the arrays a model was saved as; say whether anybody was in them.

    The id is replaced by a placeholder that sorts at the same place, and the person's own rows of the
    matrices become zero, so the rows of all others and the learned parameters stay as they are.

    Raises SourceError when the folder is damaged.
    """
    arrays, meta = load_arrays(folder, mmap=False)
    changed = False
    for name in [key for key in arrays if key.endswith(_IDS_TEXT)]:
        ends = name.removesuffix(_IDS_TEXT) + _IDS_ENDS
        ids = [str(value) for value in unpacked_strings(arrays[name], arrays[ends])]
        if not erased.among(map(id_before_placeholder, ids)).any():
            continue
        changed, named = True, erased.among(ids)
        arrays[name], arrays[ends] = packed_strings(_with_placeholders(ids, named))
        for matrix in _PERSON_ARRAYS if name == _IDS_TEXT else ():
            arrays[matrix] = _zeroed(arrays[matrix], named)
    if changed:
        new, old = (folder.with_name(folder.name + suffix) for suffix in (_NEW, _OLD))
        with replaced_folder(folder, new=new, old=old) as copy:
            save_arrays(copy, arrays, meta)
        shutil.rmtree(old)
    return changed


_NEW, _OLD = ".new-after-erasure", ".old-before-erasure"


def _finish_replacements(folder: Path) -> None:
    """Bring what an erasure that was killed left to its end: every folder is whole as before, or as after."""
    for new in sorted(folder.rglob(f"*{_NEW}")):
        whole = new.with_name(new.name.removesuffix(_NEW))
        if whole.exists():
            shutil.rmtree(new)
        else:
            new.rename(whole)
    for old in sorted(folder.rglob(f"*{_OLD}")):
        shutil.rmtree(old)


def may_hide_people(folder: Path, *, n_people: int | None = None) -> bool:
    """Say whether what another package keeps in saved arrays may be about single people in a form of its own.

    Only its author can read it: a hash of an id is a number like any other. Nobody is hidden in single
    fractions, truth values and arrays of fractions without a row a person; anything else may hide somebody.
    n_people: how many people the arrays are about, where the folder has no ids to tell.

    Raises SourceError when the folder is damaged.
    """
    arrays, meta = load_arrays(folder)
    scalars = meta.get("scalars", {})
    marked = [name.removesuffix(PACKAGE_SUFFIX) for name in scalars if name.endswith(PACKAGE_SUFFIX)]
    ids = [name for name in arrays if name.endswith((_IDS_TEXT, _IDS_ENDS))]
    sizes = {n_people, *(len(arrays[name]) for name in ids)}
    kept = [array for name, array in arrays.items() if _is_within(name, marked)]
    texts = [value for name, value in scalars.items() if _is_within(name, marked)]
    return not all(array.dtype.kind == "f" and not sizes & set(array.shape[:1]) for array in kept) or not all(
        value is None or isinstance(value, bool | float) for value in texts
    )


def _is_within(name: str, fields: Sequence[str]) -> bool:
    return any(name.startswith(f"{field}.") for field in fields) and not name.endswith(PACKAGE_SUFFIX)


def _with_placeholders(ids: list[str], named: BoolArray) -> list[str]:
    """Return the ids with a placeholder for each erased one, sorted directly after the id before it.

    named: those erased now; of earlier ones the placeholders are made anew, as the id before may go now.
    """
    kept: list[str] = []
    for user_id, is_erased in zip(ids, named, strict=True):
        is_placeholder = is_erased or id_before_placeholder(user_id) != user_id
        kept.append((kept[-1] if kept else "") + "\0" if is_placeholder else user_id)
    return kept


def _zeroed(rows: npt.NDArray[Any], named: BoolArray) -> npt.NDArray[Any]:
    changed = rows.copy()
    changed[named] = 0
    return changed


def erase_from_artifacts(folder: Path, erased: ErasedPeople) -> int:
    """Erase people from everything under a folder of artifacts; return how many files or models changed.

    Tables lose their rows, saved arrays the id and the person's own rows; any other file that names
    somebody erased, or cannot be read, is removed, and so is a model that `may_hide_people`, or that is
    damaged: an erasure that was killed leaves it so, and it would hold up every later one. What a model is
    made of stays, and so does what a page or another column of a table holds: a version such as 3.11.7, or a
    count, does not name the member 7. An example of a model's input stays with another word for the id.
    """
    changed = 0
    _finish_replacements(folder)
    for index in sorted(folder.rglob(INDEX)):
        if not files_naming_erased(index.parent, erased):
            continue
        try:
            hides = may_hide_people(index.parent)
            changed += not hides and erase_from_arrays(index.parent, erased)
        except SourceError:
            hides = True
        if hides:
            shutil.rmtree(index.parent)
            changed += 1
    examples = (
        [path for name in sorted(_EXAMPLES) for path in sorted(folder.rglob(name))] if len(erased) else []
    )
    for path in examples:
        with suppress(OSError, ValueError):
            changed += _erase_from_example(path, erased)
    for path in files_naming_erased(folder, erased):
        if path.name in _NO_PEOPLE:
            continue
        rows = 0
        if path.suffix in _TABLE_SUFFIXES:
            with suppress(SourceError):
                rows = erase_from_table(path, erased)
        if is_left := file_names_erased(path, erased) and not _names_in_passing(path, erased):
            path.unlink()
        changed += bool(rows) or is_left
    return changed


def _names_in_passing(path: Path, erased: ErasedPeople) -> bool:
    """Say whether a page or a table without rows of people holds plain numbers or words that are ids."""
    if path.suffix not in {".html", *_TABLE_SUFFIXES}:
        return False
    try:
        words = sorted({word for words in file_kind(path).words(path) for word in words})
    except (OSError, ValueError, KeyError):
        return False
    named = np.flatnonzero(erased.among(words))
    return all(_PLAIN_WORD.fullmatch(words[at]) for at in named.tolist())


def _erase_from_example(path: Path, erased: ErasedPeople) -> bool:
    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [without(inner) for inner in value]
        if not isinstance(value, str | int) or not erased.among([str(value)]).any():
            return value
        return _ANYBODY if isinstance(value, str) else 0

    given = json.loads(path.read_bytes())
    if (left := without(given)) == given:
        return False
    write_atomically(path, json.dumps(left).encode())
    return True


def folder_lists_erased(folder: Path, erased: ErasedPeople) -> bool:
    """Say whether a column or an array of ids under `folder` holds an erased person.

    A word such as a tag, a name of a column or a number that looks like their id does not count. A file that
    cannot be read tells of nobody.
    """
    for path in sorted(folder.rglob("*")):
        with suppress(OSError, ValueError, KeyError, RecsysError):
            if path.is_file() and any(erased.among(ids).any() for ids in _ids_of(path)):
                return True
    return False


def _ids_of(path: Path) -> Iterator[list[str]]:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            for name in (one for one in PERSON_COLUMNS if one in file.schema_arrow.names):
                yield [str(one) for one in file.read([name])[name].unique().to_pylist()]
    elif path.suffix == ".csv":
        frame = read_csv(path)
        for name in (one for one in PERSON_COLUMNS if one in frame):
            yield frame[name].astype(str).unique().tolist()
    elif path.suffix == ".npy" and "ids" in path.stem.split(".")[-1].split("_"):
        yield from words_of_array(path)
