"""Reports of a table as events: a report counts for the review queue in whichever table it stands."""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.event_ids import may_be_distinct_from, with_distinct_ids
from recsys.data.events import Events
from recsys.data.quarantine import TABLE, VALUES
from recsys.data.safety_rows import TYPE_OF_ROW
from recsys.data.times import EPOCH, as_utc
from recsys.safety.day_log import REFUSED, DayEvent, is_event_id, report_id
from recsys.safety.refused_rows import restriction_meant
from recsys.types import BoolArray

REPORT: Final = "report"
"""The type of an event that is a report."""
_TOLD: Final = (C.EVENT, C.ACTOR, C.TARGET, C.TYPE, C.DETAIL)
_COLUMNS: Final = [C.EVENT, C.TS, C.ACTOR, C.TARGET, C.TYPE, C.DETAIL]


def with_reports(
    events: Events,
    reports: pd.DataFrame | None,
    as_of: str | pd.Timestamp | None = None,
    refused: pd.DataFrame | None = None,
) -> Events:
    """Return events with those of a table of reports that are not among them, by people, category and second.

    reports: actor, target, ts, category. as_of: the time of a report that has none, now by default. Each has
    the same id whenever it is asked for. refused: rows of `refused_calls`, which count as well.

    >>> reports = pd.DataFrame({"actor": ["a"], "target": ["b"], "ts": [None], "category": ["minor"]})
    >>> with_reports(Events.none(), reports, "2026-01-05").frame[["type", "detail"]].values.tolist()
    [['report', 'minor']]
    """
    known = events.frame if C.EVENT in events.frame else events.frame.assign(**{C.EVENT: None})
    told = [_beside(known, events_of_reports(reports, as_of))]
    if refused is not None:  # the same row twice is refused once
        there = {*_keys(known, C.TYPE), *_keys(told[0], C.TYPE)}
        told.append(refused[_are_new(_keys(refused, C.TYPE), there)])
    if all(rows.empty for rows in told):
        return events
    return Events.of(
        pd.concat([known.astype(object), *(one.astype(object) for one in told)], ignore_index=True)
    )


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


def refused_calls(
    quarantine: pd.DataFrame, whom: Callable[[object], str | None], as_of: str | pd.Timestamp | None = None
) -> pd.DataFrame:
    """Return the reports, and what else asks for somebody to look, among refused rows, as rows of events.

    What such a row restricts counts, in whatever it was wrong. Each has `REFUSED` before its id.

    quarantine: refused rows of a night. whom: whom an id means, None for nobody. as_of: the time of what has
    none, or one that is to come, now by default.

    >>> told = '{"event_id": "e1", "actor": "A", "target": "b", "type": "Report", "detail": "?"}'
    >>> rows = pd.DataFrame({"table": ["events"], "values": [told]})
    >>> refused_calls(rows, str.lower, "2026-01-05")[["event_id", "actor", "detail"]].values.tolist()
    [['refused:e1', 'a', 'other']]
    """
    moment = pd.Timestamp.now("UTC") if as_of is None else as_utc(as_of)
    found, types = list[tuple[object, ...]](), quarantine[VALUES].str.extract(TYPE_OF_ROW, expand=False)
    counted = {word for word in types.dropna().unique() if _may_restrict_two(word)}
    chosen = quarantine[TABLE].eq(T.REPORTS) | (quarantine[TABLE].eq(T.EVENTS) & types.isin(counted))
    for table, values in quarantine.loc[chosen & quarantine[VALUES].notna(), [TABLE, VALUES]].itertuples(
        index=False
    ):
        given = json.loads(values)
        of_reports = table == T.REPORTS
        kind, detail = (
            (REPORT, given.get(C.CATEGORY)) if of_reports else (given.get(C.TYPE), given.get(C.DETAIL))
        )
        told = (None, None, given.get(C.ACTOR), given.get(C.TARGET), kind, detail)
        meant = restriction_meant(DayEvent(*told), whom)  # type: ignore[arg-type]
        if not isinstance(meant, DayEvent) or not meant.calls_for_review:
            continue
        time = pd.to_datetime(given.get(C.TS), utc=True, errors="coerce")
        at = moment if pd.isna(time) else min(time, moment)
        key = (meant.actor, meant.target, detail if isinstance(detail, str) else "other", time)
        name = report_id(*key) if of_reports else given.get(C.EVENT)
        name = name if is_event_id(name) else meant.event_id.removeprefix(REFUSED)
        found.append((f"{REFUSED}{name}", at, meant.actor, meant.target, meant.type, meant.detail))
    return pd.DataFrame(found, columns=_COLUMNS, dtype=object).astype({C.TS: "datetime64[us, UTC]"})


def _may_restrict_two(word: str) -> bool:
    """Say whether an event of a type that is written so may keep two people apart."""
    return restriction_meant(DayEvent("e", EPOCH.to_pydatetime(), "a", "b", word), str) is not None


def columns_there(
    path: Path, columns: Sequence[str], filters: list[tuple[str, str, list[str]]] | None = None
) -> pd.DataFrame:
    """Return those of some columns that a Parquet file has; none of no file, or without one to filter by."""
    there = pq.read_schema(path).names if path.is_file() else []
    if not there or any(name not in there for name, _, _ in filters or ()):
        return pd.DataFrame()
    return pd.read_parquet(path, columns=[name for name in columns if name in there], filters=filters)


def rows_of_night(tables: Path, column: str, values: Collection[str]) -> pd.DataFrame:
    """Return the events and reports in the copied tables of a night whose column has one of some values.

    Events of a type that is none are left out, see `refused_calls`.
    """
    asked = sorted(values)
    if not asked:
        return events_of_reports(None)
    events = _events_of_night(tables / f"{T.EVENTS}.parquet", column, asked)
    reports = columns_there(tables / f"{T.REPORTS}.parquet", [C.ACTOR, C.TARGET, C.TS, C.CATEGORY])
    told = events_of_reports(reports if {C.ACTOR, C.TARGET} <= {*reports.columns} else None)
    if not {C.EVENT, C.ACTOR, C.TARGET, C.TYPE} <= {*events.columns}:
        events = events_of_reports(None)
    events = events[events[C.TYPE].isin(ENUMERATIONS[C.TYPE].words)].reindex(columns=_COLUMNS)
    events[C.TS] = pd.to_datetime(events[C.TS], utc=True).fillna(EPOCH)  # as `Events.of` does without times
    told = _beside(events, told[told[column].isin(asked)])
    found = [rows.astype({C.TYPE: object, C.DETAIL: object}) for rows in (events, told) if len(rows)]
    return pd.concat(found, ignore_index=True) if found else events_of_reports(None)


def _events_of_night(path: Path, column: str, asked: list[str]) -> pd.DataFrame:
    """Return the events whose column has one of some values, with the ids that the night gave them."""
    first = [one for given in asked if (one := may_be_distinct_from(given))] if column == C.EVENT else []
    found = columns_there(path, _COLUMNS, [(column, "in", [*asked, *first])])
    if found.empty or C.EVENT not in found:
        return found
    if column != C.EVENT:  # which of several rows had the id first is seen among all of them
        found = columns_there(path, _COLUMNS, [(C.EVENT, "in", [*found[C.EVENT].dropna().unique()])])
    named = with_distinct_ids(found)
    return named[named[column].isin(asked)]


def named_as_in_night(calls: Iterable[DayEvent], tables: Path) -> list[DayEvent]:
    """Return calls of the day under the ids that their rows have, or will have, in the tables of a night.

    Members' own clients may give one id twice, as `check-1`; in the tables the second has another.
    """
    given = [*calls]
    rows = rows_of_night(tables, C.EVENT, {one.event_id for one in given})
    told = [(one.event_id, one.actor, one.target, one.type, one.detail) for one in given]
    added = pd.DataFrame(told, columns=[*_TOLD], dtype=object)
    order = np.argsort([one.at.timestamp() for one in given], kind="stable")  # the earliest keeps an id
    known = rows[[*_TOLD]].astype(object)
    named = with_distinct_ids(pd.concat([known, added.iloc[order]], ignore_index=True))
    ids = dict(zip(order.tolist(), named[C.EVENT].tolist()[len(rows) :], strict=True))
    return [replace(one, event_id=ids[at]) for at, one in enumerate(given)]


def _beside(events: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of reports that are not among events."""
    known = {*_keys(events[events[C.TYPE].astype(object) == REPORT])}
    return told[_are_new(_keys(told), known)]


def _are_new(keys: list[tuple[Any, ...]], known: Collection[tuple[Any, ...]]) -> BoolArray:
    return np.array([key not in known for key in keys], bool)


def _keys(rows: pd.DataFrame, *more: str) -> list[tuple[Any, ...]]:
    seconds = pd.to_datetime(rows[C.TS], utc=True).dt.floor("s")
    others = (rows[column].astype(object) for column in (C.DETAIL, *more))
    return list(zip(rows[C.ACTOR], rows[C.TARGET], *others, seconds, strict=True))
