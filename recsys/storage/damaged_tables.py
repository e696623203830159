"""What can be read of a source of which something cannot: each table, part, column and line by itself.

Nothing here is what a night goes by. It tells what tables restrict of which a night can make no use.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import pandas as pd

from recsys.data.tables import CONTRACTS
from recsys.storage import postgres_tables
from recsys.storage.source_folder import table_named
from recsys.storage.sources import (
    DUCKDB_CONFIG,
    as_frame,
    is_plugin_source,
    parse_source,
    usable_readers,
)
from recsys.storage.text_columns import in_plain_layout

_DELIMITERS: Final = ",;\t|"
_MARKS: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_TITLES: Final = 20
"""Lines in which the names of the columns are looked for: a title may stand above them."""
_LONGEST_FIELD: Final = 1 << 24

Parts = Iterator[pd.DataFrame]


def readable_tables(source: str) -> dict[str, pd.DataFrame]:
    """Return of each table of a source what can be read, unchecked; a table that cannot be at all is lacking.

    Whatever a reader raises, of whatever class, ends no more than what it was to read.

    >>> readable_tables("parquet:no/such/folder")
    {}
    """
    found: dict[str, pd.DataFrame] = {}
    readers: Mapping[str, Callable[[], pd.DataFrame]] = {}
    with suppress(Exception):
        readers = usable_readers(source)
    for name, read in readers.items():
        with suppress(Exception):
            table = read()
            if _known_columns(table.columns, name):  # a file with other delimiters has one column of no name
                found[name] = table
    for name in CONTRACTS:
        if name not in found and (parts := list(_parts(source, name))):
            found[name] = pd.concat(parts, ignore_index=True)
    return {name: found[name] for name in CONTRACTS if name in found}


def _known_columns(names: Iterable[object], name: str) -> set[str]:
    return {str(one).strip(' "').casefold() for one in names} & {*CONTRACTS[name].columns}


def _parts(source: str, name: str) -> Parts:
    """Yield what can be read of one table of a source, part by part."""
    if postgres_tables.is_postgres(source):
        with suppress(Exception):
            table = in_plain_layout(postgres_tables.read_foreign_table(source, name))
            yield table.to_pandas(ignore_metadata=True)
        return
    if is_plugin_source(source):
        return
    kind, path = parse_source(source)
    if kind == "duckdb":
        yield from _of_database(path, name)
        return
    own = [one for one in path.glob("*") if one.stem == name and one.suffix == f".{kind}"]
    for found in own or [one for one in path.rglob("*") if table_named(one.name) == name]:
        for file in sorted(found.rglob("*")) if found.is_dir() else [found]:
            with suppress(Exception):
                yield from _of_parquet(file) if _is_parquet(file) else _of_csv(file, name)


def _is_parquet(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(4) == b"PAR1"


def _of_parquet(file: Path) -> Parts:
    """Yield each group of rows, with the columns that can be read in it."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as opened:
        names = [name for name in opened.schema_arrow.names if name]
        for group in range(opened.num_row_groups):
            columns = _each_column(names, partial(_of_group, opened, group))
            if columns:
                yield pd.concat(columns, axis=1)


def _of_group(opened: Any, group: int, name: str) -> Any:
    return opened.read_row_group(group, columns=[name])


def _each_column(names: list[str], read: Callable[[str], Any]) -> list[pd.DataFrame]:
    """Return one frame for each column that can be read. read: returns an Arrow table of one column."""
    columns = []
    for name in names:
        with suppress(Exception):
            columns.append(as_frame(in_plain_layout(read(name)), self_destruct=False))
    return columns


def _of_database(path: Path, name: str) -> Parts:
    """Yield a table of a DuckDB database, with the columns that can be read in it."""
    import duckdb

    with suppress(Exception), duckdb.connect(str(path), read_only=True, config=DUCKDB_CONFIG) as database:
        table = database.table(name)
        columns = _each_column(table.columns, lambda one: table.select(f'"{one}"').to_arrow_table())
        if columns:
            yield pd.concat(columns, axis=1)


def _of_csv(file: Path, name: str) -> Parts:
    r"""Yield the lines of a CSV file, as texts: uneven ones too, and those within a field in quotation marks.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "blocks.csv"
    ...     _ = file.write_text('actor;target;ts\na;b\nc;d;"x\ne;f;y\ng;h;"z\n')
    ...     next(_of_csv(file, "blocks"))[["actor", "target"]].to_numpy().tolist()
    [['a', 'b'], ['c', 'd'], ['e', 'f'], ['g', 'h']]
    """
    content = file.read_bytes()
    lines = content.decode(_MARKS.get(content[:2], "utf-8-sig"), "replace").splitlines(keepends=True)
    known = {*CONTRACTS[name].columns}
    delimiters = [
        max(_DELIMITERS, key=lambda one: len({*_header(line, one)} & known)) for line in lines[:_TITLES]
    ]
    headers = [_header(line, one) for line, one in zip(lines, delimiters, strict=False)]
    at = next((at for at, names in enumerate(headers) if len({*names} & known) > 1), None)
    if at is None:
        return
    names, delimiter, rows = headers[at], delimiters[at], list[list[str]]()
    csv.field_size_limit(_LONGEST_FIELD)
    for row in csv.reader(lines[at + 1 :], delimiter=delimiter):
        rows.append(row)
        within = [line for one in row if "\n" in one for line in one.splitlines()]
        rows += [line.split(delimiter) for line in within if line.count(delimiter) == len(names) - 1]
    padded = [
        [one or None for one in row[: len(names)]] + [None] * (len(names) - len(row)) for row in rows if row
    ]
    yield pd.DataFrame(padded, columns=names, dtype=object)


def _header(line: str, delimiter: str) -> list[str]:
    return [one.strip(' "\r\n').casefold() for one in line.split(delimiter)]
