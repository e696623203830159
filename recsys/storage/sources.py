"""Sources of tables: a folder of Parquet or CSV files, a database, a plugin, or frames in memory.

A source is named `parquet:DIR`, `csv:DIR`, `duckdb:FILE`, `postgresql://...` or as a plugin calls it
(`NAME:ADDRESS`), or is a mapping of frames. Each table is one file (`profiles.parquet`; Parquet also as
a folder of that name, as clusters write it) or one table of a database. Anything else lying there is an
error: a `block.parquet` that nobody reads would be a list of blocks that nobody keeps.
"""

import errno
import re
import traceback
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.files import CATALOGUE_JSON, open_catalogue
from recsys.data.shared_values import equal_runs, first_places
from recsys.data.tables import CONTRACTS
from recsys.errors import PluginError, RecsysError, SourceError, did_you_mean, explained
from recsys.plugins import known_names, load_plugin, plugins
from recsys.redaction import library_reason, may_be_a_value
from recsys.settings import OWN_STORES
from recsys.storage import postgres_tables
from recsys.storage.atomic_write import unreadable
from recsys.storage.csv import read_csv
from recsys.storage.source_folder import (
    folder_tables,
    refuse_other_schemas,
    require_known,
    require_whole_parts,
)
from recsys.storage.text_columns import in_plain_layout

Read = Callable[[str], Mapping[str, pd.DataFrame]]


def is_plugin_source(source: str) -> bool:
    """Say whether a plugin reads this source.

    >>> is_plugin_source("parquet:data/town")
    False
    """
    kind, colon, _ = source.partition(":")
    return bool(colon) and kind not in OWN_STORES and kind in known_names("stores", OWN_STORES)


def read_plugin_source(source: str) -> Mapping[str, pd.DataFrame]:
    """Return the tables of a source that a plugin reads, unchecked.

    Raises PluginError when the plugin cannot be used, fails or gives no tables, and whatever of this
    package's errors the plugin raises itself.
    """
    kind, _, address = source.partition(":")
    read: Read = load_plugin("stores", kind, what="a store of tables")
    found: Any = _of_plugin(read, kind, address)
    if not isinstance(found, Mapping):
        remedy = "return a mapping of table names to DataFrames"
        raise PluginError(
            explained("a store gave no tables", where=kind, got=type(found).__name__, remedy=remedy)
        )
    return found


def _of_plugin(call: Callable[[str], Any], kind: str, address: str) -> Any:
    """Return what code of a plugin gives; its errors name where they were raised, never the address.

    The address of a store may hold a password, and what is in quotes may be a value of a member, unless it
    is the key that a lookup misses: that is a column.
    """
    try:
        return call(address)
    except RecsysError:
        raise
    except Exception as error:  # code of others may raise anything
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise  # a full disk is no fault of the store
        raised = traceback.extract_tb(error.__traceback__)[-1]
        said = str(error).partition("\n")[0]
        if address:
            said = said.replace(address, "...")
        if not isinstance(error, LookupError) or may_be_a_value(said.strip("'\"")):
            said = library_reason(error if isinstance(error, OSError) else said)
        raise PluginError(
            explained(
                "a store of tables failed",
                where=f"{kind}, {Path(raised.filename).name} line {raised.lineno}",
                got=f"{type(error).__name__}: {said}",
                remedy="mend the store, or what it reads",
            )
        ) from None


Frames = Mapping[str, pd.DataFrame]
Source = str | Frames
Reader = Callable[[], pd.DataFrame]
"""Reads one table."""

SAVED_INDEX: Final = re.compile(r"__index_level_\d+__")
"""What pandas calls an index that it saves beside the columns."""
KINDS: Final = ("parquet", "csv", "duckdb")
_OF_FILES: Final = ("parquet:", "csv:")
DUCKDB_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {"enable_external_access": "false"}
"""How a database of somebody else is opened: a view in it may read its tables, no other file or address."""
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")


def source_name(source: Source) -> str:
    """Return how a source is called in messages."""
    return source if isinstance(source, str) else "memory"


def source_catalogue(source: Source) -> Catalogue | None:
    """Return the catalogue a source brings, None when it brings none.

    A folder of tables may hold one as `catalogue.json`; a plugin may have a function `catalogue` beside its
    reader, of the same argument.

    >>> source_catalogue("parquet:data/town") is None
    True
    """
    if not isinstance(source, str) or postgres_tables.is_postgres(source):
        return None
    if is_plugin_source(source):
        kind, _, address = source.partition(":")
        found = getattr(load_plugin("stores", kind, what="a store of tables"), "catalogue", None)
        return None if found is None else _of_plugin(found, kind, address)
    file = parse_source(source)[1] / CATALOGUE_JSON
    return open_catalogue(file) if file.is_file() else None


def read_tables(source: Source) -> dict[str, pd.DataFrame]:
    """Return every table of a source as it is, unchecked, in the order of the contracts.

    From CSV every column is text, see `recsys.storage.csv`.

    Raises SourceError when the source, or anything in it, cannot be read or is not known.

    >>> sorted(read_tables({"profiles": pd.DataFrame(), "boundaries": pd.DataFrame()}))
    ['boundaries', 'profiles']
    """
    return {name: read() for name, read in table_readers(source).items()}


def table_readers(source: Source, *, among: Collection[str] | None = None) -> dict[str, Reader]:
    """Return what reads each table of a source, in the order of the contracts; see `read_tables`.

    A folder of files is read a table at a time, so that a large one need not be in memory at once.
    among: rows that name somebody else may be left out, which saves making a frame of them; they are left out
    of Parquet alone, where ids are texts.
    """
    if isinstance(source, str) and source.startswith(_OF_FILES):
        kind, folder = parse_source(source)
        files = folder_tables(folder, f".{kind}")
        require_tables(files, source)
        return {name: partial(_read_file, name, files[name], among) for name in CONTRACTS if name in files}
    if not isinstance(source, str):
        found = _frames(source, where="memory")
    elif postgres_tables.is_postgres(source):
        found = postgres_tables.read_tables(source)
    elif is_plugin_source(source):
        found = _frames(read_plugin_source(source), where=source.partition(":")[0])
    else:
        found = _read_duckdb(parse_source(source)[1])
    if isinstance(source, str):
        require_tables(found, source)
    return {name: partial(found.__getitem__, name) for name in CONTRACTS if name in found}


def usable_readers(source: str) -> dict[str, Reader]:
    """Return what reads each table of a source of which something cannot be read.

    What has no name of a table is passed over, and what a plugin's function `usable` gives, beside its reader
    and of the same argument, stands for all that it can read.

    Raises SourceError, and what a plugin raises, where nothing can be read.
    """
    if is_plugin_source(source):
        kind, _, address = source.partition(":")
        usable = getattr(load_plugin("stores", kind, what="a store of tables"), "usable", None)
        found = read_plugin_source(source) if usable is None else _of_plugin(usable, kind, address)
        return {name: partial(found.__getitem__, name) for name in CONTRACTS if name in found}
    if source.startswith(_OF_FILES):
        kind, folder = parse_source(source)
        files = {path.stem: path for path in folder.glob(f"*.{kind}")}
        return {name: partial(_read_file, name, files[name]) for name in CONTRACTS if name in files}
    return table_readers(source)


def require_tables(found: Collection[str], source: str) -> None:
    """Raise SourceError when a named source holds no table at all.

    >>> require_tables(["profiles"], "parquet:data/town")
    """
    if found:
        return
    kind, _, path = source.partition(":")
    files = kind in {"parquet", "csv"}
    one = f"a file such as {T.PROFILES}.{kind}" if files else f"a table such as '{T.PROFILES}'"
    raise SourceError(
        explained(
            f"no tables are there (expected {', '.join(CONTRACTS)})",
            where=path if files or kind == "duckdb" else kind,
            remedy=f"name a place that holds {one}",
        )
    )


def parse_source(source: str) -> tuple[str, Path]:
    """Split the name of a source of files into its kind and its path.

    >>> parse_source("parquet:data/town")[0]
    'parquet'
    """
    kind, colon, path = source.partition(":")
    if not colon or not path or kind not in KINDS:
        if "://" in source:
            kind, path = kind + "://...", ""  # a database address may hold a password
        near = did_you_mean(kind, [*KINDS, *plugins("stores")]) if colon else ""
        remedy = "write parquet:DIR, csv:DIR or duckdb:FILE" + (f"; {near}" if near[:3] == "did" else "")
        raise SourceError(explained("not a source", got=source if path else kind, remedy=remedy))
    return kind, Path(path)


def source_files(source: str) -> list[Path]:
    """Return the files and folders a named source is read from.

    A database is no file: take a snapshot of it first, see `recsys.storage.source_snapshot`.

    Raises SourceError when it is not there, or when something unknown lies beside the tables.
    """
    kind, path = parse_source(source)
    if kind != "duckdb":
        return list(folder_tables(path, f".{kind}").values())
    if not path.is_file():
        raise SourceError(explained("no such file", got=str(path), remedy="name a DuckDB database file"))
    return [path]


def _frames(source: Frames, *, where: str) -> Frames:
    for name, frame in source.items():
        require_known(name, where)
        if not isinstance(frame, pd.DataFrame):
            got = type(frame).__name__
            raise SourceError(explained("not a table", where=name, got=got, remedy="give a pandas DataFrame"))
    return source


def _read_file(name: str, path: Path, among: Collection[str] | None = None) -> pd.DataFrame:
    return _read_parquet(name, path, among) if path.suffix == ".parquet" else read_csv(path)


def _read_parquet(name: str, path: Path, among: Collection[str] | None = None) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        _require_one_schema(path)
        texts = _texts(path) if name == T.EVENTS else []
        table = pq.read_table(path, partitioning=_partitioning(path), read_dictionary=texts)
        table.validate(full=True)  # what a buggy writer left fails here, not in the middle of a check
        table = in_plain_layout(table)
        known = CONTRACTS[name].columns
        beside = {key for key in _folder_keys(path) if key not in known}
        table = table.drop_columns(
            [one for one in table.column_names if one in beside or SAVED_INDEX.fullmatch(one)]
        )
        table = table if among is None else _rows_among(table, among)
        return as_frame(table, self_destruct=name == T.EVENTS)
    except (pa.ArrowException, ArithmeticError, LookupError, OSError, TypeError, ValueError) as error:
        raise unreadable(path, error, "write the file again; it is damaged or no Parquet") from None


def _rows_among(table: Any, ids: Collection[str]) -> Any:
    """Return the rows of an Arrow table that name nobody else; a row without an id stays."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known, kept = pa.array(list(ids), pa.string()), None
    for column in (C.USER, C.ACTOR, C.TARGET):
        if table.column_names.count(column) != 1 or not _holds_texts(table.schema.field(column).type):
            continue
        inside = pc.or_(pc.is_in(table[column], value_set=known), pc.is_null(table[column]))
        kept = inside if kept is None else pc.and_(kept, inside)
    return table if kept is None else table.filter(kept)


def _holds_texts(kind: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_string(kind.value_type if pa.types.is_dictionary(kind) else kind)


_LONGEST_SHARED: Final = 64


def as_frame(table: Any, *, self_destruct: bool) -> pd.DataFrame:
    """Return an Arrow table as a frame; rows with equal lists of words share one array of them."""
    import pyarrow as pa

    names = table.column_names
    words = [field.name for field in table.schema if field.type == pa.list_(pa.string())]
    lists = {name: _lists_of(table[name]) for name in words if names.count(name) == 1}
    plain = table.drop_columns(list(lists)) if lists else table
    del table  # large, and not referenced afterwards
    frame = plain.to_pandas(ignore_metadata=True, self_destruct=self_destruct, split_blocks=True)
    for name, column in lists.items():
        frame.insert(names.index(name), name, column)
    return frame


_LISTS_AT_ONCE: Final = 1 << 21
"""Rows among which equal lists are found at once."""


def _lists_of(column: Any) -> pd.Series:
    """Return a column of lists of words as arrays of objects, in parts: a long one then needs little more."""
    parts = [column.slice(at, _LISTS_AT_ONCE) for at in range(0, max(len(column), 1), _LISTS_AT_ONCE)]
    shared = [_shared_lists(part.combine_chunks()) for part in parts]
    return shared[0] if len(shared) == 1 else pd.concat(shared, ignore_index=True)


def _shared_lists(column: Any) -> pd.Series:
    """Return lists of words as arrays of objects, None for none; equal ones are one array, if not long."""
    import pyarrow.compute as pc

    known = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    lists = column.take(known)
    length = pc.list_value_length(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    if length.max(initial=0) > _LONGEST_SHARED:
        return column.to_pandas()
    words = pc.list_flatten(lists).dictionary_encode()
    code = words.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64) + 1
    number = equal_runs(length, code)
    shared = np.full(len(column), None, dtype=object)
    shared[known] = lists.take(first_places(number)).to_pandas().to_numpy(object)[number]
    return pd.Series(shared, dtype=object)


def _folder_keys(path: Path) -> list[str]:
    """Return the columns that folders such as `type=like` name."""
    folders = [one for one in path.rglob("*=*") if one.is_dir()] if path.is_dir() else []
    return sorted({one.name.partition("=")[0] for one in folders})


def _partitioning(path: Path) -> Any:
    """Return how folders become columns of text, None where no folder names one."""
    import pyarrow as pa
    import pyarrow.dataset as pads

    keys = _folder_keys(path)
    return pads.partitioning(pa.schema([(key, pa.string()) for key in keys]), flavor="hive") if keys else None


def _require_one_schema(path: Path) -> None:
    """Raise SourceError when parts of a table differ in columns or types: one alone would be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_dir():
        return
    require_whole_parts(path)
    parts = sorted(
        part for part in path.rglob("*") if part.is_file() and not part.name.startswith((".", "_"))
    )
    first: dict[str, str | None] = {}
    for at, part in enumerate(parts):
        fields = {field.name: field.type for field in pq.read_schema(part)}
        types: dict[str, str | None] = {
            name: None if pa.types.is_null(kind) else str(kind)
            for name, kind in fields.items()
            if not SAVED_INDEX.fullmatch(name)
        }
        first = types if at == 0 else first
        differ = [
            name
            for name in sorted({*first, *types})
            if name not in first
            or name not in types
            or (None not in {first[name], types[name]} and first[name] != types[name])
        ]
        if differ:
            remedy = "write every part with the same columns, of the same types"
            got = f"{part.name}: {', '.join(differ)}"
            raise SourceError(explained("parts of a table differ", where=str(path), got=got, remedy=remedy))


def _texts(path: Path) -> list[str]:
    """Return the columns in which the same texts come again and again: each is kept once."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = pq.ParquetDataset(path, partitioning=None).schema
    texts = [field.name for field in fields if pa.types.is_string(field.type)]
    return [name for name in texts if name != C.EVENT]


_BESIDE: Final = """
    SELECT schema_name, table_name FROM duckdb_tables()
    WHERE NOT internal AND database_name = current_database() AND schema_name != current_schema()
    UNION ALL SELECT schema_name, view_name FROM duckdb_views()
    WHERE NOT internal AND database_name = current_database() AND schema_name != current_schema()
    UNION ALL SELECT CASE schema_name WHEN current_schema() THEN '' ELSE schema_name END, function_name
    FROM duckdb_functions() WHERE NOT internal AND database_name = current_database()
    AND function_type = 'table_macro' ORDER BY 1, 2
"""


def duckdb_tables(database: Any, where: str) -> list[str]:
    """Return the tables of a DuckDB database, which stand in its main schema.

    Raises SourceError for an unknown one, and for what may be one and stands in another schema or is a macro.
    """
    names = [row[0] for row in database.sql("SHOW TABLES").fetchall()]
    for name in names:
        require_known(name, where)
    refuse_other_schemas(database.sql(_BESIDE).fetchall(), names, where)
    return names


def _read_duckdb(path: Path) -> dict[str, pd.DataFrame]:
    import duckdb

    if not path.is_file():
        raise SourceError(explained("no such file", got=str(path), remedy="name a DuckDB database file"))
    try:
        with duckdb.connect(str(path), read_only=True, config=DUCKDB_CONFIG) as database:
            names = duckdb_tables(database, str(path))
            return {
                name: in_plain_layout(database.table(name).to_arrow_table()).to_pandas(ignore_metadata=True)
                for name in names
            }
    except duckdb.Error as error:
        raise unreadable(path, error, "name a DuckDB database that no other process writes") from None
