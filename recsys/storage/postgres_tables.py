"""PostgreSQL as a source of tables and as a place lists are served from (extra `pg`).

As a source it is read in one transaction, so that all tables are of one moment; as a sink it holds
one row a viewer, with an array a column, and a new publication replaces the old one in one
transaction. Rows travel as Arrow through binary COPY in both directions.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

import pandas as pd

from recsys.config import holds_password
from recsys.data.tables import CONTRACTS
from recsys.errors import BusyError, SourceError, did_you_mean, explained, imported
from recsys.redaction import library_reason
from recsys.storage.source_folder import refuse_other_schemas
from recsys.storage.text_columns import in_plain_layout

_SCHEMES: Final = ("postgresql", "postgres")


def is_postgres(source: str) -> bool:
    """Say whether a named source or target is a PostgreSQL address.

    >>> is_postgres("postgresql://reader@db/members"), is_postgres("parquet:members")
    (True, False)
    """
    return source.partition("://")[0] in _SCHEMES and "://" in source


def checked_address(address: str) -> str:
    """Return `address` when it holds no password: settings, logs and manifests keep it.

    The driver takes the password from PGPASSWORD or a password file, like every PostgreSQL client.
    Raises SourceError without repeating the address.

    >>> checked_address("postgresql://reader@db/members")
    'postgresql://reader@db/members'
    """
    if not is_postgres(address):
        raise SourceError(explained("not a PostgreSQL address", remedy="write postgresql://user@host/db"))
    try:
        secret = holds_password(address)
    except ValueError as error:
        raise SourceError(explained("not a PostgreSQL address", remedy=str(error))) from None
    if secret:
        remedy = "take it out and set PGPASSWORD in the environment"
        raise SourceError(explained("a database address holds a password", remedy=remedy))
    return address


@contextmanager
def transaction(address: str) -> Iterator[Any]:
    """Yield a cursor in a transaction that is kept when the block ends well and undone when it does not.

    Raises BusyError when the database is away or the connection is lost, SourceError when it refuses
    what was asked, MissingExtraError without the extra `pg`.
    """
    dbapi = imported("adbc_driver_postgresql.dbapi", extra="pg")
    checked_address(address)
    connection = None
    try:
        connection = dbapi.connect(address)
        cursor = connection.cursor()
        yield cursor
        cursor.close()
        connection.commit()
    except dbapi.Error as error:
        raise _explained(dbapi, error) from None
    finally:
        if connection is not None:
            with suppress(dbapi.Error):  # a lost connection is undone by the server
                connection.close()


def rows(cursor: Any, query: str) -> list[dict[str, Any]]:
    """Return the rows of a query as dictionaries."""
    cursor.execute(query)
    found: list[dict[str, Any]] = cursor.fetch_arrow_table().to_pylist()
    return found


def quoted(name: str) -> str:
    """Return a name as SQL writes it.

    >>> print(quoted('a"b'))
    "a""b"
    """
    return '"' + name.replace('"', '""') + '"'


_MAY_NOT: Final = ("permission denied", "authentication failed", "must be owner")
"""What a server says to somebody without the privilege; trying again does not help."""

_FILTERED: Final = "row-level security policy"
"""In what a server says where a policy would leave rows out without a word."""


def _explained(dbapi: Any, error: Exception) -> Exception:
    state = getattr(error, "sqlstate", None) or ""
    reason = " ".join(str(error).split())
    may_not = state[:2] in ("28", "42") or any(words in reason for words in _MAY_NOT)
    away = (
        isinstance(error, dbapi.OperationalError) or state[:2] in ("08", "53", "57", "40", "55") or not state
    )
    if away and not may_not:
        remedy = "nothing was changed; see that the database is up and try again"
        return BusyError(explained("the database is away", got=reason, remedy=remedy))
    if _FILTERED in reason:
        remedy = "give the role BYPASSRLS, or let it read views of the owner of the tables"
        return SourceError(explained("row-level security hides rows of a table from the role", remedy=remedy))
    return SourceError(
        explained("the database refused", got=library_reason(reason), remedy="nothing was changed")
    )


WRITER_LOCK: Final = 7_265_637_379
"""The advisory lock of the one writer; any number that nobody else uses."""


def take_writer_lock(cursor: Any) -> None:
    """Take the advisory lock of the one writer until the transaction ends, or raise BusyError."""
    if not rows(cursor, f"SELECT pg_try_advisory_xact_lock({WRITER_LOCK}) AS free")[0]["free"]:
        raise BusyError(explained("another process is loading lists", remedy="try again when it is done"))


_TABLE_NAMES: Final = """
    SELECT relname::text AS name FROM pg_catalog.pg_class
    WHERE relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())
    AND relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY relname
"""
"""Tables and views of the schema, also those the role may not read, which information_schema leaves out."""

_BESIDE: Final = """
    SELECT nspname::text AS schema, relname::text AS name FROM pg_catalog.pg_class AS found
    JOIN pg_catalog.pg_namespace AS spaces ON spaces.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND nspname != current_schema() AND {others}
    UNION ALL SELECT CASE nspname WHEN current_schema() THEN '' ELSE nspname::text END, proname::text
    FROM pg_catalog.pg_proc AS found JOIN pg_catalog.pg_namespace AS spaces ON spaces.oid = pronamespace
    WHERE proretset AND {others} ORDER BY 1, 2
"""
_OTHERS: Final = r"""
    nspname NOT IN ('information_schema', 'recsys') AND nspname NOT LIKE 'pg\_%' AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend WHERE objid = found.oid AND deptype = 'e')
"""
"""Outside of the system's schemas, of extensions, and of the schema that lists are exported to."""
_OWN_TABLES: Final = frozenset(
    {
        "recsys_changed_persons",
        "recsys_day_events",
        "recsys_day_place",
        "recsys_erased_people",
        "recsys_holds",
        "recsys_ledger_marks",
        "recsys_separated_pairs",
        "recsys_shown_candidates",
        "recsys_store_identity",
    }
)
"""Tables of a safety store, which may stand in another schema of the same database."""


def arrow_tables(address: str) -> dict[str, Any]:
    """Return every table (or view) of the current schema as an Arrow table, all of one moment.

    The schema holds nothing else, as a folder of files would: name one of its own with
    `?options=-csearch_path%3DSCHEMA`, for example made of views.

    Raises SourceError for something unknown in the schema, for what may be a table and stands in another
    schema, for what the role may not read or reads in part, BusyError when the database is away.
    """
    with transaction(address) as cursor:
        _begin_reading(cursor)
        names = [row["name"] for row in rows(cursor, _TABLE_NAMES)]
        for name in names:
            if name not in CONTRACTS:
                remedy = f"{did_you_mean(name, CONTRACTS)}; keep the tables in a schema of their own"
                raise SourceError(explained("unknown table", where="the database", got=name, remedy=remedy))
        found = rows(cursor, _BESIDE.format(others=_OTHERS))
        beside = [(row["schema"], row["name"]) for row in found if row["name"] not in _OWN_TABLES]
        refuse_other_schemas(beside, names, "the database")
        return {name: _read(cursor, name) for name in names}


def _begin_reading(cursor: Any) -> None:
    """Let a transaction read one moment, and refuse a table of which policies hide rows from the role."""
    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    cursor.execute("SET LOCAL row_security = off")


def foreign_tables(address: str) -> list[str]:
    """Return the names of every table (or view) of the current schema, whatever a service calls them."""
    with transaction(address) as cursor:
        return [row["name"] for row in rows(cursor, _TABLE_NAMES)]


def read_foreign_table(address: str, name: str) -> Any:
    """Return one table of the current schema as an Arrow table."""
    with transaction(address) as cursor:
        _begin_reading(cursor)
        return _read(cursor, name)


def read_tables(address: str) -> dict[str, pd.DataFrame]:
    """Return what `arrow_tables` reads as DataFrames."""
    return {
        name: in_plain_layout(table).to_pandas(ignore_metadata=True)
        for name, table in arrow_tables(address).items()
    }


def write_tables(tables: Mapping[str, Any], address: str) -> None:
    """Replace the named tables of the current schema by Arrow tables, all at once or not at all."""
    with transaction(address) as cursor:
        for name, table in tables.items():
            cursor.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
            cursor.adbc_ingest(name, table, mode="create")


def _read(cursor: Any, name: str) -> Any:
    cursor.execute(f"SELECT * FROM {quoted(name)}")  # noqa: S608 - a quoted name of the schema
    return cursor.fetch_arrow_table()
