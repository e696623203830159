"""The shape of what is served, step by step; a database is brought to the newest before it is used."""

from typing import Any, Final

from recsys.errors import SourceError, explained
from recsys.storage.postgres.connection import rows

SCHEMA: Final = "recsys"
TABLE: Final = "recommendations"
"""The lists that are served, one row a viewer."""

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        f"""
        CREATE TABLE {SCHEMA}.served (
            only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            run_id text NOT NULL,
            data_as_of timestamptz NOT NULL,
            policy text NOT NULL,
            model text NOT NULL,
            viewers bigint NOT NULL,
            suggestions bigint NOT NULL,
            loaded_at timestamptz NOT NULL DEFAULT clock_timestamp()
        )
        """,
    ),
    (f"ALTER TABLE {SCHEMA}.served ADD COLUMN erasure_watermark timestamptz",),
)
"""Statements by version, from 1. What was released once is never edited: a change is a new entry."""


def migrate(cursor: Any) -> int:
    """Bring the database to the newest version, in the transaction of `cursor`; return that version.

    Raises SourceError when the database is newer than this package.
    """
    cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    cursor.execute(
        f"CREATE TABLE IF NOT EXISTS {SCHEMA}.migrations "
        "(version integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )
    here = version(cursor)
    if here > len(MIGRATIONS):
        remedy = "install the version of recsys that made it, or a newer one"
        raise SourceError(explained("the database is newer than this package", got=here, remedy=remedy))
    for number, statements in enumerate(MIGRATIONS[here:], start=here + 1):
        for statement in statements:
            cursor.execute(statement)
        cursor.execute(f"INSERT INTO {SCHEMA}.migrations (version) VALUES ({number})")  # noqa: S608 - a number
    return len(MIGRATIONS)


def version(cursor: Any) -> int:
    """Return the version the database stands at, 0 before the first migration."""
    (row,) = rows(cursor, f"SELECT coalesce(max(version), 0) AS version FROM {SCHEMA}.migrations")  # noqa: S608
    return int(row["version"])
