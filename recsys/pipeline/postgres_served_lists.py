"""Serving lists from PostgreSQL: migrations, loading by a table swap, removing erased people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.catalogue.columns import Columns as C
from recsys.errors import SourceError, explained
from recsys.pipeline import postgres_page
from recsys.ranking.publication_filter import EVERY_PAIR, ListFilter, people_in_lists
from recsys.ranking.snapshot import Snapshot
from recsys.safety.erasure_list import ErasedPeople
from recsys.storage.postgres_tables import quoted, rows, take_writer_lock, transaction
from recsys.storage.publication import LISTS, Publication, is_overtaken

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
    postgres_page.TABLES,
    postgres_page.WORDS_TABLES,
    postgres_page.LIKES_TABLES,
    postgres_page.STORE_COLUMNS,
    postgres_page.DAY_COLUMNS,
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


JOINED: Final = ","
"""What stands between the codes of one suggestion, because arrays of a database are rectangular."""

_ROWS_AT_ONCE: Final = 1 << 20


def viewer_rows(
    path: Path,
    *,
    rows_at_once: int = _ROWS_AT_ONCE,
    only: ListFilter = EVERY_PAIR,
    snapshot: Snapshot | None = None,
    with_reasons: bool = True,
) -> Any:
    """Return a reader of `(viewer_id, one array a column)` over a file of lists, in bounded memory.

    The file is in viewer and rank order, as `write_lists` leaves it; arrays are best first, so rank
    has no column. A column of lists (reasons) becomes an array of texts joined by commas. only: leaves out
    pairs that may not stand in a list, and viewers of whose list nothing is left. snapshot: what a ranker
    serves of the same run, see `serving_columns`. with_reasons: whether reasons are given.
    """
    file = pq.ParquetFile(path)
    first = _grouped(postgres_page.serving_columns(file.schema_arrow.empty_table(), snapshot))
    lists = _whole_lists(file, rows_at_once)
    if not with_reasons:
        lists = map(_without_reasons, lists)
    tables = (postgres_page.serving_columns(only.rows_of(table), snapshot) for table in lists)
    batches = (batch for table in tables for batch in _grouped(table).to_batches())
    return pa.RecordBatchReader.from_batches(first.schema, batches)


def _without_reasons(table: Any) -> Any:
    if C.REASONS not in table.column_names:
        return table
    at = table.column_names.index(C.REASONS)
    empty = pa.array([[]] * len(table), table.schema.field(at).type)
    return table.set_column(at, table.schema.field(at), empty)


def _whole_lists(file: Any, rows_at_once: int) -> Iterator[Any]:
    """Yield tables of about `rows_at_once` rows that end where a list ends."""
    left_over = file.schema_arrow.empty_table()
    for batch in file.iter_batches(rows_at_once):
        table = pa.concat_tables([left_over, pa.Table.from_batches([batch])]).combine_chunks()
        viewer = table[C.VIEWER]
        last = pc.index(viewer, viewer[-1]).as_py()
        yield table.slice(0, last)
        left_over = table.slice(last)
    yield left_over


def _grouped(table: Any) -> Any:
    ends = _list_starts(table[C.VIEWER])
    offsets = pa.array(np.append(ends, len(table)), pa.int32())
    columns = {C.VIEWER: table[C.VIEWER].take(pa.array(ends, pa.int64()))}
    for name in table.column_names:
        if name not in (C.VIEWER, C.RANK):
            columns[name] = pa.ListArray.from_arrays(offsets, _flat(table[name]))
    return pa.table(columns)


def _list_starts(viewers: Any) -> np.ndarray:
    if not len(viewers):
        return np.empty(0, np.int64)
    changes = pc.not_equal(viewers.slice(1), viewers.slice(0, len(viewers) - 1))
    return np.concatenate([[0], np.flatnonzero(changes.to_numpy()) + 1])


def _flat(column: Any) -> Any:
    joined = pc.binary_join(column, JOINED) if pa.types.is_list(column.type) else column
    whole = joined.combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


_GONE: Final = "recsys_gone"


@dataclass(frozen=True, slots=True)
class ErasedLists:
    """What leaving the database came to: own lists removed, lists of others shortened."""

    lists: int
    shortened: int


def erase_from_served_lists(ids: Sequence[str], address: str) -> ErasedLists:
    """Remove people's own lists, and them from the lists of everybody else, in one transaction.

    In a list of others the person leaves every array, and who stood below moves up. A reader sees the
    lists with them or without, and a connection lost on the way leaves the old: ask again. While
    lists are being loaded it is refused: what is loaded may name them, so ask again afterwards.

    Raises BusyError when the database is away or lists are being loaded, SourceError when it refuses.
    """
    with transaction(address) as cursor:
        take_writer_lock(cursor)
        if not rows(cursor, f"SELECT to_regclass('{SCHEMA}.{TABLE}') IS NOT NULL AS there")[0]["there"]:
            return ErasedLists(0, 0)
        return remove_people(cursor, ids)


def remove_people(cursor: Any, ids: Sequence[str]) -> ErasedLists:
    """Do what `erase_from_served_lists` does, in the transaction of `cursor`."""
    _note_gone(cursor, ids)
    mine = _count(cursor, f"{C.VIEWER} IN (SELECT id FROM {_GONE})")  # noqa: S608 - fixed names
    cursor.execute(f"DELETE FROM {SCHEMA}.{TABLE} WHERE {C.VIEWER} IN (SELECT id FROM {_GONE})")  # noqa: S608
    naming = f"{C.CANDIDATE} && (SELECT array_agg(id) FROM {_GONE})"  # noqa: S608
    others = _count(cursor, naming)
    cursor.execute(_without_gone(_array_columns(cursor), naming))
    cursor.execute(f"DELETE FROM {SCHEMA}.{TABLE} WHERE cardinality({C.CANDIDATE}) = 0")  # noqa: S608
    _remove_beside(cursor)
    cursor.execute(
        f"UPDATE {SCHEMA}.served SET viewers = (SELECT count(*) FROM {SCHEMA}.{TABLE}), suggestions = "  # noqa: S608
        f"(SELECT coalesce(sum(cardinality({C.CANDIDATE})), 0) FROM {SCHEMA}.{TABLE})"
    )
    cursor.execute(f"DROP TABLE {_GONE}")
    return ErasedLists(mine, others)


def _remove_beside(cursor: Any) -> None:
    """Remove people from inboxes, persons and likes.

    An inbox of the night that names somebody erased is dropped whole; its likes are in the next one.
    """
    if not _columns(cursor, postgres_page.INBOXES):  # of an earlier version
        return
    inboxes, gone = f"{SCHEMA}.{postgres_page.INBOXES}", f"(SELECT id FROM {_GONE})"  # noqa: S608
    postgres_page.note_accounts_beside(cursor, gone)
    named = f"{C.CANDIDATE} && (SELECT array_agg(id) FROM {_GONE})"  # noqa: S608 - fixed names
    cursor.execute(f"DELETE FROM {inboxes} WHERE {C.VIEWER} IN {gone} OR {named}")  # noqa: S608
    cursor.execute(f"DELETE FROM {SCHEMA}.{postgres_page.PERSONS} WHERE account IN {gone}")  # noqa: S608
    likes, either = (
        f"{SCHEMA}.{postgres_page.NIGHT_LIKES}",
        f"{C.VIEWER} IN {gone} OR {C.CANDIDATE} IN {gone}",
    )
    if _columns(cursor, postgres_page.NIGHT_LIKES):  # of an earlier version
        cursor.execute(f"DELETE FROM {likes} WHERE {either}")  # noqa: S608 - fixed names


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


_STAGING: Final = "recommendations_next"


@dataclass(frozen=True, slots=True)
class Served:
    """What the database serves: the run, the time of its data, how many viewers and suggestions."""

    run_id: str
    data_as_of: datetime
    viewers: int
    suggestions: int


def load_publication(
    publication: Publication,
    address: str,
    *,
    erased: ErasedPeople | None = None,
    only: ListFilter = EVERY_PAIR,
    snapshot: Snapshot | None = None,
) -> Served:
    """Load a verified publication and serve it instead of what was served before.

    Rows are copied into a staging table and replace those of the table in one transaction: a reader sees the
    old lists or the new, never a mixture, waits for nobody, and a connection lost at any moment leaves the
    old. The table stays, and with it grants and views. `recsys.recommendations` has one row a viewer:
    viewer_id, and arrays candidate_id, p_like, p_liked_back, p_mutual, reasons (codes joined by commas),
    best first. `recsys.page(viewer, k)` and `recsys.inbox(viewer, k)` answer from it, see `postgres_page`.

    snapshot: what a ranker serves of the same publication; without it those functions show nobody.

    erased: who asked to be erased; whom of them the publication still names does not enter. only: who may
    stand in the lists by the safety ledger, see `ListFilter.of_publication`.

    Raises BusyError when the database is away or another writer is loading, SourceError when it
    refuses, for example because it is newer than this package.
    """
    manifest = publication.manifest
    with transaction(address) as cursor:
        take_writer_lock(cursor)
        migrate(cursor)
        viewers, suggestions = _copy(cursor, publication, only, snapshot)
        _replace_rows(cursor)
        _load_beside(cursor, snapshot, only)
        postgres_page.create_functions(cursor)
        cursor.execute(f"DELETE FROM {SCHEMA}.served")  # noqa: S608 - a fixed name
        cursor.execute(
            f"INSERT INTO {SCHEMA}.served "  # noqa: S608 - values are bound
            "(run_id, data_as_of, policy, model, viewers, suggestions, erasure_watermark, day_since) "
            "VALUES ($1, $2::text::timestamptz, $3, $4, $5, $6, $7::text::timestamptz, "
            "$8::text::timestamptz)",
            (
                manifest.run_id,
                manifest.data_as_of,
                manifest.made_from.policy,
                manifest.made_from.model,
                viewers,
                suggestions,
                manifest.erasure_watermark,
                None if snapshot is None else snapshot.day_since.isoformat(),
            ),
        )
        postgres_page.bind_store(cursor)
        if gone := _erased_people_named(publication, erased, snapshot):
            remove_people(cursor, gone)
        return _served(cursor)


def served(address: str) -> Served | None:
    """Return what the database serves now, None when nothing was ever loaded."""
    with transaction(address) as cursor:
        there = rows(cursor, f"SELECT to_regclass('{SCHEMA}.{TABLE}') IS NOT NULL AS there")
        return _served(cursor) if there[0]["there"] else None


def _erased_people_named(
    publication: Publication, erased: ErasedPeople | None, snapshot: Snapshot | None
) -> list[str]:
    """Return who of those erased stands in the run; nobody in one made since the latest erasure."""
    if erased is None or not len(erased) or publication.manifest.erasure_watermark == erased.watermark:
        return []
    listed = [] if snapshot is None else snapshot.ids.at(list(range(len(snapshot.ids))))
    ids = np.array(sorted({*listed, *people_in_lists(publication)}), dtype=object)
    return [str(one) for one in ids[erased.among(ids)]]


def _columns(cursor: Any, table: str) -> dict[str, str]:
    """Return the columns of a table with their types."""
    found = rows(
        cursor,
        "SELECT attname::text AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute "  # noqa: S608
        f"WHERE attrelid = to_regclass('{SCHEMA}.{table}') AND attnum > 0 AND NOT attisdropped "
        "ORDER BY attnum",
    )
    return {row["name"]: row["type"] for row in found}


def _replace_rows(cursor: Any) -> None:
    """Put the rows of the staging table in place of those of the table, which is made when it is missing."""
    new = _columns(cursor, _STAGING)
    if not _columns(cursor, TABLE):
        cursor.execute(f"CREATE TABLE {SCHEMA}.{TABLE} (LIKE {SCHEMA}.{_STAGING})")
        cursor.execute(f"CREATE UNIQUE INDEX {TABLE}_viewer ON {SCHEMA}.{TABLE} ({C.VIEWER})")
    for name, kind in new.items():
        if name not in _columns(cursor, TABLE):
            cursor.execute(f"ALTER TABLE {SCHEMA}.{TABLE} ADD COLUMN {quoted(name)} {kind}")
    names = ", ".join(quoted(name) for name in new)
    cursor.execute(f"DELETE FROM {SCHEMA}.{TABLE}")  # noqa: S608 - fixed names
    cursor.execute(
        f"INSERT INTO {SCHEMA}.{TABLE} ({names}) SELECT {names} FROM {SCHEMA}.{_STAGING}"  # noqa: S608
    )
    cursor.execute(f"DROP TABLE {SCHEMA}.{_STAGING}")
    # what a reader asks by; sampling the arrays would cost as much as half the load
    cursor.execute(f"ANALYZE {SCHEMA}.{TABLE} ({C.VIEWER})")


def _load_beside(cursor: Any, snapshot: Snapshot | None, only: ListFilter) -> None:
    """Replace the inboxes and likes of the night, the accounts of persons and the words of reasons."""
    for name, table in (
        (postgres_page.INBOXES, partial(postgres_page.inbox_table, only=only)),
        (postgres_page.NIGHT_LIKES, partial(postgres_page.like_table, only=only)),
        (postgres_page.PERSONS, partial(postgres_page.person_table, only=only)),
        (postgres_page.WORDS, postgres_page.word_table),
    ):
        cursor.execute(f"DELETE FROM {SCHEMA}.{name}")  # noqa: S608 - fixed names
        if snapshot is not None:
            made = table(snapshot)
            if len(made):
                cursor.adbc_ingest(name, made, mode="append", db_schema_name=SCHEMA)


def _copy(
    cursor: Any, publication: Publication, only: ListFilter, snapshot: Snapshot | None
) -> tuple[int, int]:
    """Load the staging table, and return how many viewers and suggestions are in it."""
    cursor.execute(f"DROP TABLE IF EXISTS {SCHEMA}.{_STAGING}")
    taken_back = is_overtaken(publication.folder.parent.parent, publication.run_id)
    reader = viewer_rows(
        publication.folder / LISTS, only=only, snapshot=snapshot, with_reasons=not taken_back
    )
    cursor.adbc_ingest(_STAGING, reader, mode="create", db_schema_name=SCHEMA)
    counts = f"count(*) AS viewers, coalesce(sum(cardinality({C.CANDIDATE})), 0)::bigint AS suggestions"
    (found,) = rows(cursor, f"SELECT {counts} FROM {SCHEMA}.{_STAGING}")  # noqa: S608 - fixed names
    return int(found["viewers"]), int(found["suggestions"])


def _served(cursor: Any) -> Served:
    query = f"SELECT run_id, data_as_of, viewers, suggestions FROM {SCHEMA}.served"  # noqa: S608 - fixed
    return Served(**rows(cursor, query)[0])
