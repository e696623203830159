"""One transaction with a database, and what its failures mean."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from recsys.errors import BusyError, SourceError, explained, imported
from recsys.storage.postgres.address import checked_address


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
        raise _explained(dbapi, error) from error
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


def _explained(dbapi: Any, error: Exception) -> Exception:
    state = getattr(error, "sqlstate", None) or ""
    reason = " ".join(str(error).split())
    away = (
        isinstance(error, dbapi.OperationalError) or state[:2] in ("08", "53", "57", "40", "55") or not state
    )
    if away:
        remedy = "nothing was changed; see that the database is up and try again"
        return BusyError(explained("the database is away", got=reason, remedy=remedy))
    return SourceError(explained("the database refused", got=reason, remedy="nothing was changed"))
