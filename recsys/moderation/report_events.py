"""Reports of a table as events: a report counts for the review queue in whichever table it stands."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow.parquet as pq

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.events import Events
from recsys.data.times import EPOCH, as_utc
from recsys.safety.day_log import report_id

REPORT: Final = "report"
"""The type of an event that is a report."""
_COLUMNS: Final = [C.EVENT, C.TS, C.ACTOR, C.TARGET, C.TYPE, C.DETAIL]


def with_reports(
    events: Events, reports: pd.DataFrame | None, as_of: str | pd.Timestamp | None = None
) -> Events:
    """Return events with those of a table of reports that are not among them, by people, category and second.

    reports: actor, target, ts, category. as_of: the time of a report that has none, now by default. Each
    has the same id whenever it is asked for.

    >>> reports = pd.DataFrame({"actor": ["a"], "target": ["b"], "ts": [None], "category": ["minor"]})
    >>> with_reports(Events.none(), reports, "2026-01-05").frame[["type", "detail"]].values.tolist()
    [['report', 'minor']]
    """
    known = events.frame if C.EVENT in events.frame else events.frame.assign(**{C.EVENT: None})
    told = _beside(known, events_of_reports(reports, as_of))
    if told.empty:
        return events
    return Events.of(pd.concat([known.astype(object), told.astype(object)], ignore_index=True))


def events_of_reports(reports: pd.DataFrame | None, as_of: str | pd.Timestamp | None = None) -> pd.DataFrame:
    """Return the rows of a table of reports as rows of events; see `with_reports`."""
    if reports is None or reports.empty:
        return pd.DataFrame({column: pd.Series(dtype=object) for column in _COLUMNS})
    rows = reports[reports[C.ACTOR].notna() & reports[C.TARGET].notna()]
    rows = rows.assign(**{name: None for name in (C.TS, C.CATEGORY) if name not in rows})
    category = rows[C.CATEGORY].astype(object).where(rows[C.CATEGORY].notna(), "other")
    at = pd.to_datetime(rows[C.TS], utc=True, errors="coerce").astype("datetime64[us, UTC]")
    names = [report_id(*key) for key in zip(rows[C.ACTOR], rows[C.TARGET], category, at, strict=True)]
    moment = pd.Timestamp.now("UTC") if as_of is None else as_utc(as_of)
    columns = {C.EVENT: names, C.TS: at.fillna(moment), C.ACTOR: rows[C.ACTOR], C.TARGET: rows[C.TARGET]}
    return pd.DataFrame({**columns, C.TYPE: REPORT, C.DETAIL: category}).reset_index(drop=True)


def columns_there(
    path: Path, columns: Sequence[str], filters: list[tuple[str, str, list[str]]] | None = None
) -> pd.DataFrame:
    """Return those of some columns that a Parquet file has; none of no file, or without one to filter by."""
    there = pq.read_schema(path).names if path.is_file() else []
    if not there or any(name not in there for name, _, _ in filters or ()):
        return pd.DataFrame()
    return pd.read_parquet(path, columns=[name for name in columns if name in there], filters=filters)


def rows_of_night(tables: Path, column: str, values: Collection[str]) -> pd.DataFrame:
    """Return the events and reports in the copied tables of a night whose column has one of some values."""
    asked = sorted(values)
    events = columns_there(tables / f"{T.EVENTS}.parquet", _COLUMNS, [(column, "in", asked)])
    reports = columns_there(tables / f"{T.REPORTS}.parquet", [C.ACTOR, C.TARGET, C.TS, C.CATEGORY])
    told = events_of_reports(reports if {C.ACTOR, C.TARGET} <= {*reports.columns} else None)
    if not {C.EVENT, C.ACTOR, C.TARGET, C.TYPE} <= {*events.columns}:
        events = events_of_reports(None)
    events = events.reindex(columns=_COLUMNS)
    events[C.TS] = pd.to_datetime(events[C.TS], utc=True).fillna(EPOCH)  # as `Events.of` does without times
    told = _beside(events, told[told[column].isin(asked)])
    found = [rows.astype({C.TYPE: object, C.DETAIL: object}) for rows in (events, told) if len(rows)]
    return pd.concat(found, ignore_index=True) if found else events_of_reports(None)


def _beside(events: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of reports that are not among events."""
    known = {*_keys(events[events[C.TYPE].astype(object) == REPORT])}
    return told[[key not in known for key in _keys(told)]]


def _keys(rows: pd.DataFrame) -> list[tuple[Any, ...]]:
    seconds = pd.to_datetime(rows[C.TS], utc=True).dt.floor("s")
    return list(zip(rows[C.ACTOR], rows[C.TARGET], rows[C.DETAIL].astype(object), seconds, strict=True))
