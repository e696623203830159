"""Tables of database files, SQLite and DuckDB, each read as Arrow when a query first names it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from recsys.errors import SourceError, explained
from recsys.mapping.column_profile import quoted
from recsys.redaction import library_reason

Tables = Mapping[str, Callable[[], Any]]
"""What reads each table, by name."""


def sqlite_tables(file: Path) -> Tables:
    """Return what reads each table and view of a SQLite file that can be read.

    Raises SourceError for another file.
    """
    import sqlite3
    from contextlib import closing

    def read(name: str) -> Any:
        try:
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
                database.text_factory = lambda text: text.decode("utf-8", "replace")
                moments = _moments_of_core_data(database, name)
                cursor = database.execute(f"SELECT * FROM {quoted(name)}")  # noqa: S608 a quoted name of the file's own
                names = [column[0] for column in cursor.description]
                return arrow_of_rows(names, _with_moments(cursor.fetchall(), names, moments))
        except sqlite3.DatabaseError as error:
            remedy = "write the file again; it is damaged, or a view in it cannot be read"
            raise SourceError(
                explained("cannot be read", where=file.name, got=library_reason(error), remedy=remedy)
            ) from None

    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            wanted = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name"
            named = [name for (name,) in database.execute(wanted) if not name.startswith("sqlite_")]
            names = [name for name in named if _can_be_read(database, name)]
    except sqlite3.DatabaseError as error:
        raise SourceError(
            explained("not a SQLite database", where=file.name, got=library_reason(error))
        ) from None
    return {name: partial(read, name) for name in names}


_FIRST_OF_CORE_DATA: Final = datetime(2001, 1, 1, tzinfo=UTC)


def _moments_of_core_data(database: Any, name: str) -> frozenset[str]:
    """Return the columns of seconds since 2001 of a table: those of type TIMESTAMP in a Core Data store.

    Read as seconds since 1970 they would make everybody 31 years older, and children adults.
    """
    metadata = "SELECT count(*) FROM sqlite_master WHERE name IN ('Z_METADATA', 'Z_PRIMARYKEY')"
    if not database.execute(metadata).fetchone()[0]:
        return frozenset()
    columns = database.execute(f"PRAGMA table_info({quoted(name)})").fetchall()
    return frozenset(column for _, column, kind, *_ in columns if kind.upper() == "TIMESTAMP")


def _with_moments(
    rows: list[tuple[Any, ...]], names: Sequence[str], moments: Collection[str]
) -> list[tuple[Any, ...]]:
    """Return rows with their seconds since 2001 as the moments they are, none beyond what a date can be."""
    at = {place for place, name in enumerate(names) if name in moments}
    if not at:
        return rows

    def moment(value: Any) -> Any:
        if not isinstance(value, int | float):
            return value
        try:
            return _FIRST_OF_CORE_DATA + timedelta(seconds=value)
        except OverflowError:
            return None

    return [tuple(moment(one) if place in at else one for place, one in enumerate(row)) for row in rows]


def _can_be_read(database: Any, name: str) -> bool:
    """Say whether a table can be read: a view over what is gone or over unknown functions cannot."""
    import sqlite3

    try:
        database.execute(f"SELECT * FROM {quoted(name)} LIMIT 1")  # noqa: S608
    except sqlite3.OperationalError:
        return False
    return True


def arrow_of_rows(names: list[str], rows: list[tuple[Any, ...]]) -> Any:
    """Return rows as an Arrow table; a column that holds several kinds of values is text.

    >>> arrow_of_rows(["a"], [(1,), ("x",)]).column("a").to_pylist()
    ['1', 'x']
    """
    import pyarrow as pa

    columns = {}
    for at, name in enumerate(names):
        column = [row[at] for row in rows]
        kinds = {type(value) for value in column if value is not None}
        mixed = len(kinds) > 1 and kinds != {int, float}
        columns[name] = pa.array([None if v is None else str(v) for v in column] if mixed else column)
    return pa.table(columns)


def duckdb_tables(file: Path) -> Tables:
    """Return what reads each table and view of a DuckDB file; SourceError where it cannot be opened."""
    import duckdb

    def read(name: str) -> Any:
        config: dict[str, Any] = {"enable_external_access": "false"}
        try:
            with duckdb.connect(str(file), read_only=True, config=config) as database:
                return database.table(name).to_arrow_table()
        except duckdb.Error as error:
            got, remedy = (
                library_reason(error),
                "mend the view, or name a database that no other process writes",
            )
            raise SourceError(explained("cannot be read", where=file.name, got=got, remedy=remedy)) from None

    try:
        with duckdb.connect(str(file), read_only=True) as database:
            names = [row[0] for row in database.sql("SHOW TABLES").fetchall()]
    except duckdb.Error:
        remedy = "name a DuckDB database that no other process writes"
        raise SourceError(explained("cannot be read", where=file.name, remedy=remedy)) from None
    return {name: partial(read, name) for name in names}
