"""The tables of a community, in a schema of their own."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from recsys.errors import SourceError, did_you_mean, explained
from recsys.schema.tables import CONTRACTS
from recsys.storage.postgres.connection import quoted, rows, transaction

_LYING_THERE: Final = """
    SELECT table_name::text AS name FROM information_schema.tables
    WHERE table_schema = current_schema() ORDER BY table_name
"""


def arrow_tables(address: str) -> dict[str, Any]:
    """Return every table (or view) of the current schema as an Arrow table, all of one moment.

    The schema holds nothing else, as a folder of files would: name one of its own with
    `?options=-csearch_path%3DSCHEMA`, for example made of views.

    Raises SourceError for something unknown in the schema, BusyError when the database is away.
    """
    with transaction(address) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        names = [row["name"] for row in rows(cursor, _LYING_THERE)]
        for name in names:
            if name not in CONTRACTS:
                remedy = f"{did_you_mean(name, CONTRACTS)}; keep the tables in a schema of their own"
                raise SourceError(explained("unknown table", where="the database", got=name, remedy=remedy))
        return {name: _read(cursor, name) for name in names}


def read_tables(address: str) -> dict[str, pd.DataFrame]:
    """Return what `arrow_tables` reads as DataFrames."""
    return {name: table.to_pandas(ignore_metadata=True) for name, table in arrow_tables(address).items()}


def write_tables(tables: Mapping[str, Any], address: str) -> None:
    """Replace the named tables of the current schema by Arrow tables, all at once or not at all."""
    with transaction(address) as cursor:
        for name, table in tables.items():
            cursor.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
            cursor.adbc_ingest(name, table, mode="create")


def _read(cursor: Any, name: str) -> Any:
    cursor.execute(f"SELECT * FROM {quoted(name)}")  # noqa: S608 - a name the contracts know
    return cursor.fetch_arrow_table()
