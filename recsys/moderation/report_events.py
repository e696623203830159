"""Reports of a table as events: a report counts for the review queue in whichever table it stands."""

from collections.abc import Collection, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow.parquet as pq

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.events import Events
from recsys.data.times import as_utc

REPORT: Final = "report"
"""The type of an event that is a report."""
_COLUMNS: Final = [C.EVENT, C.TS, C.ACTOR, C.TARGET, C.TYPE, C.DETAIL]


def with_reports(
    events: Events, reports: pd.DataFrame | None, as_of: str | pd.Timestamp | None = None
) -> Events:
    """Return events with those of a table of reports that are not among them, by people, category and second.

    reports: actor, target, ts, category. as_of: the time of a report that has none, by default the latest of
    the events. Each has the same id whenever it is asked for.

    >>> reports = pd.DataFrame({"actor": ["a"], "target": ["b"], "ts": [None], "category": ["minor"]})
    >>> with_reports(Events.none(), reports, "2026-01-05").frame[["type", "detail"]].values.tolist()
    [['report', 'minor']]
    """
    told, known = events_of_reports(reports, as_of), events.frame
    known = known if C.EVENT in known else known.assign(**{C.EVENT: None})
    beside = {*_keys(known[known[C.TYPE].astype(object) == REPORT])}
    told = told[[key not in beside for key in _keys(told)]]
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
    names = [_name(*key) for key in zip(rows[C.ACTOR], rows[C.TARGET], category, at, strict=True)]
    moment = pd.Timestamp.now("UTC") if as_of is None else as_utc(as_of)
    columns = {C.EVENT: names, C.TS: at.fillna(moment), C.ACTOR: rows[C.ACTOR], C.TARGET: rows[C.TARGET]}
    return pd.DataFrame({**columns, C.TYPE: REPORT, C.DETAIL: category}).reset_index(drop=True)


def columns_there(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Return those of some columns that a Parquet file has; none of no file."""
    if not path.is_file():
        return pd.DataFrame()
    there = pq.read_schema(path).names
    return pd.read_parquet(path, columns=[name for name in columns if name in there])


def _name(*key: object) -> str:
    text = "\0".join(map(str, key)).encode("utf-8", "surrogatepass")
    return f"{REPORT}:{blake2b(text, digest_size=16).hexdigest()}"


def rows_of_night(tables: Path, column: str, values: Collection[str]) -> pd.DataFrame:
    """Return the events and reports in the copied tables of a night whose column has one of some values."""
    found, asked = [], sorted(values)
    if (path := tables / f"{T.EVENTS}.parquet").is_file():
        filters: list[Any] = [(column, "in", asked)]
        found.append(pd.read_parquet(path, columns=_COLUMNS, filters=filters))
    reports = columns_there(tables / f"{T.REPORTS}.parquet", [C.ACTOR, C.TARGET, C.TS, C.CATEGORY])
    if C.ACTOR in reports and C.TARGET in reports:
        told = events_of_reports(reports)
        told = told[told[column].isin(asked)]
        beside = {*_keys(found[0][found[0][C.TYPE].astype(object) == REPORT])} if found else set()
        found.append(told[[key not in beside for key in _keys(told)]])
    found = [rows.astype({C.TYPE: object, C.DETAIL: object}) for rows in found if len(rows)]
    return pd.concat(found, ignore_index=True) if found else events_of_reports(None)


def _keys(rows: pd.DataFrame) -> list[tuple[Any, ...]]:
    seconds = pd.to_datetime(rows[C.TS], utc=True).dt.floor("s")
    return list(zip(rows[C.ACTOR], rows[C.TARGET], rows[C.DETAIL].astype(object), seconds, strict=True))
