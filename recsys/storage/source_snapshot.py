"""A snapshot of a source: its tables copied at one moment, so every step of a night sees the same rows."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.catalogue.catalogue import Catalogue, catalogue_json
from recsys.catalogue.files import CATALOGUE_JSON
from recsys.errors import SourceError, as_text, explained
from recsys.redaction import library_reason
from recsys.storage import postgres_tables
from recsys.storage.atomic_write import atomic_file, sync_folder
from recsys.storage.sources import (
    DUCKDB_CONFIG,
    duckdb_tables,
    is_plugin_source,
    parse_source,
    read_tables,
    require_tables,
    source_catalogue,
    source_files,
)


def take_snapshot(source: str, folder: Path, *, catalogue: Catalogue | None = None) -> None:
    """Copy the tables of a named source, unread and unchecked, into an empty `folder`.

    Files are copied byte for byte; a database is read in one transaction and written as Parquet.
    catalogue: laid beside the tables; the one the source brings when None, if any.

    Raises SourceError when the source is not there, holds no table or something unknown.
    """
    _copy(source, folder)
    require_tables([path.name for path in folder.iterdir()], source)
    known = catalogue or source_catalogue(source)
    if known is not None:
        with atomic_file(folder / CATALOGUE_JSON) as file:
            file.write(catalogue_json(known))


def _copy(source: str, folder: Path) -> None:
    if postgres_tables.is_postgres(source):
        _write(postgres_tables.arrow_tables(source), _emptied(folder))
        return
    if is_plugin_source(source):
        frames = read_tables(source)
        _write({name: _arrow(frame) for name, frame in frames.items()}, _emptied(folder))
        return
    kind, path = parse_source(source)
    files = source_files(source)
    _emptied(folder)
    try:
        if kind == "duckdb":
            _copy_database(path, folder)
        for file in files if kind != "duckdb" else ():
            copy = shutil.copytree if file.is_dir() else shutil.copyfile
            copy(file, folder / file.name)
    except (OSError, shutil.Error) as error:
        raise SourceError(explained("cannot copy the tables", where=source, got=str(error))) from None
    sync_folder(folder)


def snapshot_source(source: str, folder: Path) -> str:
    """Return how the snapshot of `source` in `folder` is read.

    >>> snapshot_source("duckdb:members.duckdb", Path("tables"))
    'parquet:tables'
    """
    kind = "csv" if source.startswith("csv:") else "parquet"
    return f"{kind}:{folder}"


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _write(tables: Mapping[str, Any], folder: Path) -> None:
    import pyarrow.parquet as pq

    for name, table in tables.items():
        with atomic_file(folder / f"{name}.parquet") as file:
            pq.write_table(table.replace_schema_metadata(None), file, compression="zstd")
    sync_folder(folder)


def _arrow(frame: pd.DataFrame) -> Any:
    """Return a table of a plugin as it is; what is of no one type is written as text, to be checked later."""
    import pyarrow as pa

    columns = {}
    for name in frame.columns:
        values = frame[name].reset_index(drop=True)
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            times = values.dt.tz_convert("UTC").dt.tz_localize(None)
            columns[str(name)] = pa.array(times, pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))
            continue
        try:
            columns[str(name)] = pa.array(values, from_pandas=True)
        except pa.ArrowException:
            texts = [None if value is None or value != value else as_text(value) for value in values]  # noqa: PLR0124
            columns[str(name)] = pa.array(texts, pa.string())
    return pa.table(columns)


def _copy_database(path: Path, folder: Path) -> None:
    import duckdb

    try:
        with duckdb.connect(str(path), read_only=True, config=DUCKDB_CONFIG) as database:
            database.begin()
            names = duckdb_tables(database, str(path))
            _write({name: database.table(name).to_arrow_table() for name in names}, folder)
    except duckdb.Error as error:
        remedy = "name a DuckDB database that no other process writes"
        raise SourceError(
            explained("cannot be read", where=str(path), got=library_reason(error), remedy=remedy)
        ) from None
