"""Who asked to be erased leaves the lists a database serves, at once and everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from recsys.schema.columns import Columns as C
from recsys.storage.postgres.connection import quoted, rows, transaction
from recsys.storage.postgres.migrations import SCHEMA, TABLE
from recsys.storage.postgres.one_writer import be_the_writer

_GONE: Final = "recsys_gone"


@dataclass(frozen=True, slots=True)
class Unlisted:
    """What leaving the database came to: own lists removed, lists of others shortened."""

    lists: int
    shortened: int


def forget_served(ids: Sequence[str], address: str) -> Unlisted:
    """Remove people's own lists, and them from the lists of everybody else, in one transaction.

    In a list of others the person leaves every array, and who stood below moves up. A reader sees the
    lists with them or without, and a connection lost on the way leaves the old: ask again. While
    lists are being loaded it is refused: what is loaded may name them, so ask again afterwards.

    Raises BusyError when the database is away or lists are being loaded, SourceError when it refuses.
    """
    with transaction(address) as cursor:
        be_the_writer(cursor)
        if not rows(cursor, f"SELECT to_regclass('{SCHEMA}.{TABLE}') IS NOT NULL AS there")[0]["there"]:
            return Unlisted(0, 0)
        return remove_people(cursor, ids)


def remove_people(cursor: Any, ids: Sequence[str]) -> Unlisted:
    """Do what `forget_served` does, in the transaction of `cursor`."""
    _note_gone(cursor, ids)
    mine = _count(cursor, f"{C.VIEWER} IN (SELECT id FROM {_GONE})")  # noqa: S608 - fixed names
    cursor.execute(f"DELETE FROM {SCHEMA}.{TABLE} WHERE {C.VIEWER} IN (SELECT id FROM {_GONE})")  # noqa: S608
    naming = f"{C.CANDIDATE} && (SELECT array_agg(id) FROM {_GONE})"  # noqa: S608
    others = _count(cursor, naming)
    cursor.execute(_without_gone(_array_columns(cursor), naming))
    cursor.execute(f"DELETE FROM {SCHEMA}.{TABLE} WHERE cardinality({C.CANDIDATE}) = 0")  # noqa: S608
    cursor.execute(
        f"UPDATE {SCHEMA}.served SET viewers = (SELECT count(*) FROM {SCHEMA}.{TABLE}), suggestions = "  # noqa: S608
        f"(SELECT coalesce(sum(cardinality({C.CANDIDATE})), 0) FROM {SCHEMA}.{TABLE})"
    )
    cursor.execute(f"DROP TABLE {_GONE}")
    return Unlisted(mine, others)


def _note_gone(cursor: Any, ids: Sequence[str]) -> None:
    import pyarrow as pa

    cursor.adbc_ingest(_GONE, pa.table({"id": pa.array(sorted(set(ids)), pa.string())}), temporary=True)


def _array_columns(cursor: Any) -> list[str]:
    """Return the columns of the lists that hold one value a suggestion."""
    found = rows(
        cursor,
        "SELECT column_name::text AS name FROM information_schema.columns "  # noqa: S608 - fixed names
        f"WHERE table_schema = '{SCHEMA}' AND table_name = '{TABLE}' AND data_type = 'ARRAY'",
    )
    return [row["name"] for row in found]


def _count(cursor: Any, condition: str) -> int:
    return int(rows(cursor, f"SELECT count(*) AS n FROM {SCHEMA}.{TABLE} WHERE {condition}")[0]["n"])  # noqa: S608


def _without_gone(arrays: Sequence[str], condition: str) -> str:
    """Return the statement that keeps, of every array alike, the places whose candidate is not gone."""
    names = ", ".join(f"{quoted(name)} = kept.{quoted(name)}" for name in arrays)
    kept = ", ".join(
        f"coalesce(array_agg(one.{quoted(name)} ORDER BY one.place) FILTER (WHERE one.stays), '{{}}') "
        f"AS {quoted(name)}"
        for name in arrays
    )
    unnested = ", ".join(f"list.{quoted(name)}" for name in arrays)
    columns = ", ".join(quoted(name) for name in arrays)
    return (
        f"UPDATE {SCHEMA}.{TABLE} AS own SET {names} FROM (SELECT list.{C.VIEWER}, {kept} "  # noqa: S608
        f"FROM {SCHEMA}.{TABLE} AS list CROSS JOIN LATERAL (SELECT *, "
        f"each.{C.CANDIDATE} NOT IN (SELECT id FROM {_GONE}) AS stays "
        f"FROM unnest({unnested}) WITH ORDINALITY AS each({columns}, place)) AS one "
        f"WHERE list.{condition} GROUP BY list.{C.VIEWER}) AS kept WHERE own.{C.VIEWER} = kept.{C.VIEWER}"
    )
