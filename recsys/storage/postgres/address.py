"""Addresses of databases, without secrets in them."""

from typing import Final

from recsys.config import holds_password
from recsys.errors import SourceError, explained

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
