"""The lists that are served, in a database: a new publication takes the place of the old in one step."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq

from recsys.schema.columns import Columns as C
from recsys.storage.erasures import Erased
from recsys.storage.postgres.connection import rows, transaction
from recsys.storage.postgres.forgetting import remove_people
from recsys.storage.postgres.list_arrays import viewer_rows
from recsys.storage.postgres.migrations import SCHEMA, TABLE, migrate
from recsys.storage.postgres.one_writer import be_the_writer
from recsys.storage.published import LISTS, Publication

_STAGING: Final = "recommendations_next"


@dataclass(frozen=True, slots=True)
class Served:
    """What the database serves: the run, the time of its data, how many viewers and suggestions."""

    run_id: str
    data_as_of: datetime
    viewers: int
    suggestions: int


def load_publication(publication: Publication, address: str, *, erased: Erased | None = None) -> Served:
    """Load a verified publication and serve it instead of what was served before.

    Rows are copied into a staging table, indexed, and take the old table's name at the end of one
    transaction: a reader sees the old lists or the new, never a mixture, and a connection lost at any
    moment leaves the old. `recsys.recommendations` then has one row a viewer: viewer_id, and arrays
    candidate_id, p_like, p_liked_back, p_mutual, reasons (codes joined by commas), best first.

    erased: who asked to be erased; whom of them the publication still names does not enter.

    Raises BusyError when the database is away or another writer is loading, SourceError when it
    refuses, for example because it is newer than this package.
    """
    manifest = publication.manifest
    with transaction(address) as cursor:
        be_the_writer(cursor)
        migrate(cursor)
        viewers = _copy(cursor, publication)
        suggestions = manifest.files[LISTS].rows or 0
        cursor.execute(f"DROP TABLE IF EXISTS {SCHEMA}.{TABLE}")
        cursor.execute(f"ALTER TABLE {SCHEMA}.{_STAGING} RENAME TO {TABLE}")
        cursor.execute(f"ALTER INDEX {SCHEMA}.{_STAGING}_viewer RENAME TO {TABLE}_viewer")
        cursor.execute(f"DELETE FROM {SCHEMA}.served")  # noqa: S608 - a fixed name
        cursor.execute(
            f"INSERT INTO {SCHEMA}.served "  # noqa: S608 - values are bound
            "(run_id, data_as_of, policy, model, viewers, suggestions, erasure_watermark) "
            "VALUES ($1, $2::text::timestamptz, $3, $4, $5, $6, $7::text::timestamptz)",
            (
                manifest.run_id,
                manifest.data_as_of,
                manifest.made_from.policy,
                manifest.made_from.model,
                viewers,
                suggestions,
                manifest.erasure_watermark,
            ),
        )
        if gone := _still_named(publication, erased):
            remove_people(cursor, gone)
        return _served(cursor)


def served(address: str) -> Served | None:
    """Return what the database serves now, None when nothing was ever loaded."""
    with transaction(address) as cursor:
        there = rows(cursor, f"SELECT to_regclass('{SCHEMA}.{TABLE}') IS NOT NULL AS there")
        return _served(cursor) if there[0]["there"] else None


def _still_named(publication: Publication, erased: Erased | None) -> list[str]:
    """Return who of those erased stands in the lists; none in lists made since the latest erasure."""
    if erased is None or not len(erased) or publication.manifest.erasure_watermark == erased.watermark:
        return []
    path, columns = publication.folder / LISTS, [C.VIEWER, C.CANDIDATE]
    table = pq.read_table(path, columns=columns, read_dictionary=columns, partitioning=None)
    named = {
        name for column in columns for part in table[column].chunks for name in part.dictionary.to_pylist()
    }
    ids = np.array(sorted(named), dtype=object)
    return [str(one) for one in ids[erased.holds(ids)]]


def _copy(cursor: Any, publication: Publication) -> int:
    cursor.execute(f"DROP TABLE IF EXISTS {SCHEMA}.{_STAGING}")
    reader = viewer_rows(publication.folder / LISTS)
    cursor.adbc_ingest(_STAGING, reader, mode="create", db_schema_name=SCHEMA)
    cursor.execute(f"CREATE UNIQUE INDEX {_STAGING}_viewer ON {SCHEMA}.{_STAGING} ({C.VIEWER})")
    # what a reader asks by; sampling the arrays would cost as much as half the load
    cursor.execute(f"ANALYZE {SCHEMA}.{_STAGING} ({C.VIEWER})")
    return int(rows(cursor, f"SELECT count(*) AS n FROM {SCHEMA}.{_STAGING}")[0]["n"])  # noqa: S608


def _served(cursor: Any) -> Served:
    query = f"SELECT run_id, data_as_of, viewers, suggestions FROM {SCHEMA}.served"  # noqa: S608 - fixed
    return Served(**rows(cursor, query)[0])
