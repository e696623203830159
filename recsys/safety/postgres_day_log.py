"""The day log in the database of a PostgreSQL safety store."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
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

DAY_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS recsys_day_events (
      event_id text NOT NULL, at timestamptz NOT NULL, noted timestamptz NOT NULL, actor text NOT NULL,
      target text, type text NOT NULL, detail text, count integer, payload text, place bigint UNIQUE,
      restricts text NOT NULL, PRIMARY KEY (actor, event_id, restricts))""",
    "CREATE INDEX IF NOT EXISTS recsys_day_events_actor ON recsys_day_events (actor, noted)",
    """CREATE INDEX IF NOT EXISTS recsys_day_events_target ON recsys_day_events (target, noted)
       WHERE type <> 'impression'""",
    """CREATE TABLE IF NOT EXISTS recsys_day_place (
      only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), last bigint NOT NULL)""",
    "INSERT INTO recsys_day_place (last) VALUES (0) ON CONFLICT DO NOTHING",
)
ERASE_DAY: Final = "DELETE FROM recsys_day_events WHERE actor = %(person)s OR target = %(person)s"
_COLUMNS: Final = "event_id, at, actor, target, type, detail, count, payload"
_ADD: Final = f"""
INSERT INTO recsys_day_events ({_COLUMNS}, noted, place, restricts)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""  # noqa: S608 - fixed names
_AGAIN: Final = """
UPDATE recsys_day_events SET at = %s, noted = %s WHERE actor = %s AND event_id = %s AND restricts = %s
"""
_NONE: Final = "NULL::timestamptz, NULL, NULL, NULL, NULL, NULL::integer, NULL"
# One statement reads one state; each part is a look-up in an index.
READ_DAY: Final = f"""
SELECT 0, identity, {_NONE} FROM recsys_store_identity
UNION ALL SELECT 1, last::text, {_NONE} FROM recsys_day_place
UNION ALL SELECT 2, {_COLUMNS} FROM recsys_day_events
  WHERE actor = ANY(%(people)s) AND noted > %(since)s AND target IS NOT NULL
UNION ALL SELECT 2, {_COLUMNS} FROM recsys_day_events
  WHERE target = ANY(%(people)s) AND noted > %(since)s AND type <> 'impression'
UNION ALL (SELECT 3, {_COLUMNS} FROM recsys_day_events
  WHERE place > %(after)s AND noted > %(since)s ORDER BY place)
"""  # noqa: S608 - fixed names


COUNT: Final = "UPDATE recsys_store_identity SET writes = writes + 1"
"""Counts a write that restricts, so that a store that was set back is known."""


class PostgresDayLog:
    """The day log of a store; it reads and writes through the store's connections.

    read: runs one statement and returns its rows. write: runs a function over a connection in a transaction.
    """

    def __init__(
        self, read: Callable[[str, dict[str, Any]], list[Any]], write: Callable[[Callable[[Any], int]], int]
    ) -> None:
        self._read, self._write = read, write

    def append(self, events: Sequence[DayEvent], *, arrived: datetime | None = None) -> int:
        """Keep events, all or none."""
        noted = utc_moment(arrived)
        given = distinct_events(events, noted)
        done = self._write(lambda connection: _append(connection, given, noted)) if given else 0
        if done < 0:
            raise conflict()
        return done

    def read(self, people: Sequence[str], since: datetime, *, after: int = 0) -> DayRows:
        """Return what no night of the time `since` has read."""
        rows = self._read(
            READ_DAY, {"people": [*filter(str.isprintable, people)], "since": since, "after": after}
        )
        return rows_of_day(rows, _event)

    def events(self, since: datetime) -> list[DayEvent]:
        """Return everything that no night of the time `since` has read."""
        query = f"SELECT {_COLUMNS} FROM recsys_day_events WHERE noted > %(since)s ORDER BY at, event_id"  # noqa: S608
        return [_event(row) for row in self._read(query, {"since": since})]

    def drop(self, before: datetime) -> None:
        """Forget what every night from the time `before` on has read."""
        delete = "DELETE FROM recsys_day_events WHERE noted <= %(before)s"

        def work(connection: Any) -> int:
            return int(connection.execute(delete, {"before": before}).rowcount)

        self._write(work)

    def erase_in_tables(self, user_id: str) -> None:
        """Forget the rows that name a person in tables of others, and the id in names of events of others."""

        def rewrite(connection: Any) -> int:
            found = connection.execute(
                "SELECT actor, event_id, payload FROM recsys_day_events"
                " WHERE strpos(lower(payload), lower(%s)) > 0 OR strpos(lower(payload), lower(%s)) > 0",
                (user_id, json.dumps(user_id)[1:-1]),
            ).fetchall()
            for actor, event_id, payload in found:
                values = payload_without_person(payload, user_id), actor, event_id
                connection.execute(
                    "UPDATE recsys_day_events SET payload = %s WHERE actor = %s AND event_id = %s"
                    " AND payload IS NOT NULL",
                    values,
                )
            named = connection.execute(
                "SELECT actor, event_id FROM recsys_day_events WHERE strpos(lower(event_id), lower(%s)) > 0",
                (user_id,),
            ).fetchall()
            for actor, event_id in named:
                connection.execute(
                    "UPDATE recsys_day_events SET event_id = %s WHERE actor = %s AND event_id = %s",
                    (event_id_without(event_id, user_id), actor, event_id),
                )
            return len(found) + len(named)

        self._write(rewrite)

    def rename(self, redact: Callable[[str], str]) -> None:
        """Rewrite names in tables of the day as `redact` gives them; read before the transaction begins."""
        rows = self._read(
            "SELECT actor, event_id, payload FROM recsys_day_events WHERE payload IS NOT NULL", {}
        )
        update = (
            "UPDATE recsys_day_events SET payload = %s WHERE actor = %s AND event_id = %s AND payload = %s"
        )
        rewrite_names(rows, redact, update, self._write)


def _append(connection: Any, events: Mapping[EventKey, DayEvent], noted: datetime) -> int:
    """Keep events in one transaction and return how many are new; -1, and nothing kept, for a conflict."""
    personal = sum(event.target is None for event in events.values())
    if personal:  # held until the end: places are in the order in which transactions end
        connection.execute("UPDATE recsys_day_place SET last = last + %s", (personal,))
    query = f"""SELECT {_COLUMNS}
      FROM unnest(%s::text[], %s::text[], %s::text[]) AS one (of_actor, of_id, of_what)
      JOIN recsys_day_events ON actor = of_actor AND event_id = of_id AND restricts = of_what"""  # noqa: S608 - fixed names
    columns = tuple(map(list, zip(*events, strict=True)))
    found = (_event(row) for row in connection.execute(query, columns).fetchall())
    known = {event.key: event for event in found}
    if not all(same_event(events[key], event) for key, event in known.items()):
        return -1
    for key, event in known.items():
        if events[key].is_said_anew(event):
            connection.execute(_AGAIN, (events[key].at, noted, *key))
    fresh = [event for key, event in events.items() if key not in known]
    if any(event.leaves_out for event in events.values()):
        connection.execute(COUNT)
    (last,) = connection.execute("SELECT last FROM recsys_day_place").fetchone()
    place, new = int(last) - personal, 0
    for event in fresh:
        place += event.target is None
        values = (event.event_id, event.at, event.actor, event.target, event.type, event.detail, event.count)
        more = (event.payload, noted, place if event.target is None else None, event.key[2])
        new += connection.execute(_ADD, (*values, *more)).rowcount
    return new


def _event(row: Sequence[Any]) -> DayEvent:
    event_id, at, *others = row
    return DayEvent(event_id, at.astimezone(UTC), *others)
