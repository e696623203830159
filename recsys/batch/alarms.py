"""Alarms of a night about its tables: old data, a table refused as a whole, a table that shrank."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from recsys.batch.progress import text
from recsys.catalogue import Language
from recsys.pipeline.history import read_lines
from recsys.pipeline.paths import NightPaths
from recsys.settings import TOWN, BudgetSettings, read_settings

FEWEST_ROWS: Final = 20
"""Rows a table has to have before its refused share, or what it lost, says anything."""


def alarms(paths: NightPaths, now: datetime, lang: Language) -> Iterator[str]:
    """Yield one text for each alarm of the night in a work folder; limits are those of `budget`."""
    settings = read_settings(paths.settings)
    try:
        validation = json.loads(paths.validation.read_bytes())
    except (OSError, ValueError):
        return
    if settings.source != TOWN and settings.as_of is None and validation["as_of"]:
        hours = (now - datetime.fromisoformat(validation["as_of"])).total_seconds() / 3600
        if hours > settings.budget.data_hours:
            yield text("old_data", lang, hours=f"{hours:,.0f}")
    yield from _tables(validation["tables"], _counts_before(paths), settings.budget, lang)


def refused_share(counts: Mapping[str, Any]) -> float:
    """Return which share of the rows of a table was refused, 0 for an empty one.

    >>> refused_share({"accepted": 3, "quarantined": 1})
    0.25
    """
    rows = int(counts["accepted"]) + int(counts["quarantined"])
    return int(counts["quarantined"]) / rows if rows else 0.0


def _tables(
    tables: list[dict[str, Any]], before: Mapping[str, int], limits: BudgetSettings, lang: Language
) -> Iterator[str]:
    for counts in tables:
        name, accepted = str(counts["table"]), int(counts["accepted"])
        rows = accepted + int(counts["quarantined"])
        share = refused_share(counts)
        if rows >= FEWEST_ROWS and share >= limits.refused_share:
            yield text("table_refused", lang, table=name, share=f"{share:.0%}")
        had = before.get(name, 0)
        if had >= FEWEST_ROWS and rows < had * (1.0 - limits.row_drop):
            yield text("table_shrank", lang, table=name, rows=f"{rows:,}", before=f"{had:,}")


def _counts_before(paths: NightPaths) -> dict[str, int]:
    """Return the rows of each table when tables were last checked before this time."""
    checked = [line for line in read_lines(paths.log) if line["stage"] == "validate" and "rows" in line]
    found: dict[str, int] = {}
    with suppress(IndexError, AttributeError, TypeError, ValueError):
        found = {str(table): int(rows) for table, rows in checked[-2]["rows"].items()}
    return found
