"""The day log in the file of a SQLite safety store."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from recsys.safety.canonical import utc_moment
from recsys.safety.day_log import (
    DayEvent,
    DayRows,
    EventKey,
    conflict,
    distinct_events,
    event_id_without,
    payload_without_person,
    rewrite_names,
    rows_of_day,
    same_event,
)

DAY_TABLES: Final = """
CREATE TABLE IF NOT EXISTS day_events (
  event_id TEXT NOT NULL, at INTEGER NOT NULL, noted INTEGER NOT NULL, actor TEXT NOT NULL, target TEXT,
  type TEXT NOT NULL, detail TEXT, count INTEGER, payload TEXT, place INTEGER,
  restricts TEXT NOT NULL, PRIMARY KEY (actor, event_id, restricts)
);
CREATE INDEX IF NOT EXISTS day_events_actor ON day_events (actor, noted);
CREATE INDEX IF NOT EXISTS day_events_target ON day_events (target, noted) WHERE type <> 'impression';
CREATE UNIQUE INDEX IF NOT EXISTS day_events_place ON day_events (place) WHERE place IS NOT NULL;
CREATE TABLE IF NOT EXISTS day_place (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1), last INTEGER NOT NULL
);
INSERT OR IGNORE INTO day_place VALUES (1, 0);
"""
_COLUMNS: Final = "event_id, at, actor, target, type, detail, count, payload"
_ADD: Final = f"INSERT INTO day_events ({_COLUMNS}, noted, place, restricts) VALUES ({', '.join('?' * 11)})"  # noqa: S608
_AGAIN: Final = "UPDATE day_events SET at = ?, noted = ? WHERE actor = ? AND event_id = ? AND restricts = ?"
_NONE: Final = "NULL, NULL, NULL, NULL, NULL, NULL, NULL"
# One statement reads one state of the file; each part is a look-up in an index.
READ_DAY: Final = f"""
WITH who(person) AS MATERIALIZED (SELECT value FROM json_each(?1))
SELECT 0 AS part, identity, {_NONE} FROM store_identity
UNION ALL SELECT 1, last, {_NONE} FROM day_place
UNION ALL SELECT 2, {_COLUMNS} FROM who JOIN day_events ON actor = person
  WHERE noted > ?2 AND target IS NOT NULL
UNION ALL SELECT 2, {_COLUMNS} FROM who JOIN day_events ON target = person
  WHERE noted > ?2 AND type <> 'impression'
UNION ALL SELECT * FROM (SELECT 3, {_COLUMNS} FROM day_events
  WHERE place > ?3 AND place IS NOT NULL AND noted > ?2 ORDER BY place)
"""  # noqa: S608 - fixed names
_ERASE_DAY: Final = (
    "DELETE FROM day_events WHERE actor = ?1",
    "DELETE FROM day_events WHERE target = ?1",
)


COUNT: Final = "UPDATE store_identity SET writes = writes + 1"
"""Counts a write that restricts, so that a store that was set back is known."""


def erase_day(user_id: str) -> list[tuple[str, Sequence[Any]]]:
    """Return the statements that forget every event that names a person."""
    return [(statement, (user_id,)) for statement in _ERASE_DAY]


class SqliteDayLog:
    """The day log of a store; it reads and writes through the store's connections.

    read: runs one statement and returns its rows. write: runs a function over a connection in a transaction.
    """

    def __init__(
        self, read: Callable[[str, Sequence[Any]], list[Any]], write: Callable[[Callable[[Any], int]], int]
    ) -> None:
        self._read, self._write = read, write

    def append(self, events: Sequence[DayEvent], *, arrived: datetime | None = None) -> int:
        """Keep events, all or none."""
        noted = utc_moment(arrived)
        given = distinct_events(events, noted)
        return self._write(lambda connection: _append(connection, given, noted)) if given else 0

    def read(self, people: Sequence[str], since: datetime, *, after: int = 0) -> DayRows:
        """Return what no night of the time `since` has read."""
        rows = self._read(
            READ_DAY, (json.dumps([*filter(str.isprintable, people)]), _microseconds(since), after)
        )
        return rows_of_day(rows, _event)

    def events(self, since: datetime) -> list[DayEvent]:
        """Return everything that no night of the time `since` has read."""
        query = f"SELECT {_COLUMNS} FROM day_events WHERE noted > ? ORDER BY at, event_id"  # noqa: S608
        return [_event(row) for row in self._read(query, (_microseconds(since),))]

    def drop(self, before: datetime) -> None:
        """Forget what every night from the time `before` on has read."""

        def delete(connection: Any) -> int:
            return int(
                connection.execute(
                    "DELETE FROM day_events WHERE noted <= ?", (_microseconds(before),)
                ).rowcount
            )

        self._write(delete)

    def erase_in_tables(self, user_id: str) -> None:
        """Forget the rows that name a person in tables of others, and the id in names of events of others."""

        def rewrite(connection: Any) -> int:
            found = connection.execute(
                "SELECT actor, event_id, payload FROM day_events"
                " WHERE instr(lower(payload), lower(?)) OR instr(lower(payload), lower(?))",
                (user_id, json.dumps(user_id)[1:-1]),
            ).fetchall()
            for actor, event_id, payload in found:
                values = payload_without_person(payload, user_id), actor, event_id
                connection.execute(
                    "UPDATE day_events SET payload = ? WHERE actor = ? AND event_id = ?"
                    " AND payload IS NOT NULL",
                    values,
                )
            named = connection.execute(
                "SELECT actor, event_id FROM day_events WHERE instr(lower(event_id), lower(?))", (user_id,)
            ).fetchall()
            for actor, event_id in named:
                connection.execute(
                    "UPDATE day_events SET event_id = ? WHERE actor = ? AND event_id = ?",
                    (event_id_without(event_id, user_id), actor, event_id),
                )
            return len(found) + len(named)

        self._write(rewrite)

    def rename(self, redact: Callable[[str], str]) -> None:
        """Rewrite names in tables of the day as `redact` gives them; read before the transaction begins."""
        rows = self._read("SELECT actor, event_id, payload FROM day_events WHERE payload IS NOT NULL", ())
        update = "UPDATE day_events SET payload = ? WHERE actor = ? AND event_id = ? AND payload = ?"
        rewrite_names(rows, redact, update, self._write)


def _append(connection: Any, events: Mapping[EventKey, DayEvent], noted: datetime) -> int:
    query = f"""SELECT {_COLUMNS} FROM day_events JOIN (
      SELECT json_extract(value, '$[0]') AS of_actor, json_extract(value, '$[1]') AS of_id,
        json_extract(value, '$[2]') AS of_what FROM json_each(?))
      ON actor = of_actor AND event_id = of_id AND restricts = of_what"""  # noqa: S608 - fixed names
    found = (_event(row) for row in connection.execute(query, (json.dumps([*events]),)).fetchall())
    known = {event.key: event for event in found}
    if not all(same_event(events[key], event) for key, event in known.items()):
        raise conflict()
    for key, event in known.items():
        if events[key].is_said_anew(event):
            times = _microseconds(events[key].at), _microseconds(noted)
            connection.execute(_AGAIN, (*times, *key))
    fresh = [event for key, event in events.items() if key not in known]
    if any(event.leaves_out for event in events.values()):
        connection.execute(COUNT)
    for event in fresh:
        place = None
        if event.target is None:
            connection.execute("UPDATE day_place SET last = last + 1")
            (place,) = connection.execute("SELECT last FROM day_place").fetchone()
        values = (event.event_id, _microseconds(event.at), event.actor, event.target, event.type)
        more = (event.detail, event.count, event.payload, _microseconds(noted), place, event.key[2])
        connection.execute(_ADD, (*values, *more))
    return len(fresh)


_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def _microseconds(at: datetime) -> int:
    return (at - _START) // _MICROSECOND


def _event(row: Sequence[Any]) -> DayEvent:
    event_id, at, *others = row
    return DayEvent(event_id, _START + at * _MICROSECOND, *others)
