"""The day log: what happens between two nights, kept beside the safety store until a night has read it.

Backends append events: what two people did (a like, a pass, an end ...), and what a person changed (their own
tables, proofs, terms). Every call of a ranker reads what concerns its viewer in one question, so that the day
counts at once in every worker. What restricts one person by day, such as a pause, is a hold of the store.

A row is read by a night whose data are of a later time than its arrival: then the night knows it.
"""

import json
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final, NamedTuple, Protocol, Self, runtime_checkable

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS, EVENT_DETAILS, PERSONAL_EVENTS
from recsys.data.unknown_words import may_restrict, repeated
from recsys.errors import InputError, did_you_mean, explained
from recsys.safety.canonical import (
    CLOCKS_APART,
    canonical_person,
    distinct_pair,
    in_any_spelling,
    spelled_canonically,
    utc_moment,
)
from recsys.safety.fingerprints import Fingerprints, Naming, name_without_ids, without_id
from recsys.safety.keys import read_keys

TABLES_CHANGED: Final = "tables"
"""A member's own tables were changed, or there are some for the first time."""
UNDO: Final = "undo"
"""The latest like, pass or hide of a person about another is taken back."""
PERSONAL: Final = (*(kind for kind in PERSONAL_EVENTS if kind != "erase"), TABLES_CHANGED)
TYPES: Final = tuple(
    dict.fromkeys(
        [
            *(kind for kind in ENUMERATIONS[C.TYPE].words if kind not in ("block", "unblock", "erase")),
            UNDO,
            TABLES_CHANGED,
        ]
    )
)
"""Types of events the log takes; blocks and erasures go to the safety store, and so does what a report means:
here its category stands."""
NO_PROOF: Final = "none"
SEPARATING: Final = frozenset({"end", "money_request", "off_platform_request", "report"})
"""Types of events after which neither of two people is shown to the other."""
_UNSAFE: Final = frozenset({("meet_feedback", "unsafe"), ("feeling_check", "pressured")})
_CALLS: Final = frozenset({"report", "money_request", "off_platform_request"})
REFUSED: Final = "refused:"
"""Before the id of a report that was refused: what it restricts counts all the same."""
LONGEST_PAYLOAD: Final = 200_000
EventKey = tuple[str, str, str]
_MEANT: Final = (
    "counts as a restriction, which is what it may mean: write a type of the events table, or leave out what "
    "says nothing of a member; a pause, a hold, an erasure and who leaves have calls of their own"
)
LONGEST_EVENT_ID: Final = 128
_EVENT_ID: Final = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_EVENT_ID}}}")


@dataclass(frozen=True, slots=True)
class DayEvent:
    """One thing that happened, with the columns of the events table and, for changed tables, their content.

    event_id: a name the backend gives, of its actor's own: the same of one actor again does nothing, but that
    a hide or a pass of later counts as of then, and nobody takes a name from somebody else. target: None of
    what concerns one person.
    payload:  the tables as JSON, of a change of tables alone.

    >>> DayEvent("e1", datetime(2026, 3, 2, tzinfo=UTC), "a", "b", "like").checked().type
    'like'
    """

    event_id: str
    at: datetime
    actor: str
    target: str | None
    type: str
    detail: str | None = None
    count: int | None = None
    payload: str | None = None

    @property
    def key(self) -> "EventKey":
        """What an event is known by: the actor, the id among the actor's, and what it restricts.

        A restriction counts under an id that its actor used for something else, whatever a client counts by.
        """
        return self.actor, self.event_id, f"{self.type} {self.target or ''}" if self.restricts else ""

    def checked(self) -> Self:
        """Return the event when the log can hold it, its time in UTC.

        Raises InputError for anything that is no event; it repeats no value but a word that restricts.
        """
        if not is_event_id(self.event_id):
            raise InputError(
                explained("an event has an id of at most 128 printable characters", where="event_id")
            )
        if self.type not in TYPES:
            word = str(self.type)
            alone = self.actor is None or self.target is None or self.actor == self.target
            counts = may_restrict(word, alone=alone)
            remedy = f"{repeated(word)} {_MEANT}" if counts else did_you_mean(word, TYPES)
            raise InputError(explained("unknown type of an event", where="type", remedy=remedy))
        personal = self.type in PERSONAL or (self.type == "optin" and self.target is None)
        if personal and self.target is not None:
            raise InputError(explained("this event is about one person", where="target"))
        if personal:
            canonical_person(self.actor)
        else:
            distinct_pair(self.actor, self.target)
        words = EVENT_DETAILS.get(self.type, ())
        if (self.detail is None) == bool(words) or (words and self.detail not in words):
            raise InputError(
                explained("an unknown detail", where="detail", remedy=f"use {', '.join(words) or 'none'}")
            )
        if self.count is not None and (type(self.count) is not int or not 1 <= self.count <= 100_000):
            raise InputError(explained("a count is a whole number from 1 to 100000", where="count"))
        if (self.payload is None) == (self.type == TABLES_CHANGED) or len(
            self.payload or ""
        ) > LONGEST_PAYLOAD:
            raise InputError(
                explained("a change of tables holds them, and nothing else does", where="payload")
            )
        return replace(self, at=utc_moment(self.at))

    @property
    def separates(self) -> bool:
        """Whether neither of the two is shown to the other any more."""
        return self.type in SEPARATING or (self.type, self.detail) in _UNSAFE

    @property
    def calls_for_review(self) -> bool:
        """Whether it asks for somebody to look: a report, a request for money, who feels unsafe."""
        return self.type in _CALLS or (self.type, self.detail) in _UNSAFE | {("end", "unsafe")}

    @property
    def restricts(self) -> bool:
        """Whether fewer people are shown after it, and nobody more."""
        return (
            self.separates
            or self.type in {"pass", "hide", "impression", TABLES_CHANGED}
            or (self.type, self.detail) == ("verified", NO_PROOF)
        )

    @property
    def leaves_out(self) -> bool:
        """Whether it restricts, and is no mere look."""
        return self.restricts and self.type != "impression"

    def is_said_anew(self, known: Self) -> bool:
        """Say whether this is a known hide or pass, said again later: an undo may stand between the two."""
        return self.type in {"hide", "pass"} and self.at > known.at

    def in_time(self, arrived: datetime) -> Self:
        """Return the event, dated `arrived` when it is said to happen later.

        Raises InputError when it is dated more than `CLOCKS_APART` later and does not restrict, or changes
        tables, which may open: nobody likes, proves or takes back a hide in the future.
        """
        if self.at <= arrived:
            return self
        may_open = not self.restricts or self.type == TABLES_CHANGED
        if may_open and self.at > arrived + CLOCKS_APART:
            remedy = "give the time at which it happened, with its zone"
            raise InputError(
                explained("an event is of a later time than the clock", where="at", remedy=remedy)
            )
        return replace(self, at=arrived)

    @classmethod
    def of_tables(cls, event_id: str, user_id: str, tables: Any, at: datetime | None = None) -> Self:
        """Return the change of a member's own tables, given as plain values."""
        return cls(event_id, utc_moment(at), user_id, None, TABLES_CHANGED, payload=json.dumps(tables))


_ID_COLUMNS: Final = (C.USER, C.ACTOR, C.TARGET)
NO_NAMES: Final = (C.EVENT, C.OWNER, C.PERSON_TOKEN, C.HMAC, C.CELL, C.TS, C.VALID_FROM)
"""Columns of tokens and times, of names of single events, and of owners, by whom holds are lifted."""


def renamed_payload(payload: str, redact: Callable[[str], str]) -> str:
    """Return tables of the day with names that members or a backend made as `redact` gives them.

    >>> renamed_payload('{"interests": [{"user_id": "a", "tag": "a"}]}', str.upper)
    '{"interests": [{"user_id": "a", "tag": "A"}]}'
    """
    return _changed_payload(payload, lambda rows: _renamed(rows, redact))


def _changed_payload(payload: str, change: Callable[[Any], Any]) -> str:
    """Return tables of the day with each as `change` gives its rows; what are no tables stays as it is."""
    tables: Any = None
    with suppress(ValueError, RecursionError):
        tables = json.loads(payload)
    if not isinstance(tables, dict):
        return payload
    made = {name: change(rows) for name, rows in tables.items()}
    return payload if made == tables else json.dumps(made)


def rewrite_names(
    rows: Iterable[Sequence[Any]],
    redact: Callable[[str], str],
    update: str,
    write: Callable[[Callable[[Any], int]], object],
) -> None:
    """Rewrite the payloads in which `redact` changes a name, in one transaction where there are any.

    rows: actor, event_id and payload of events. update: a statement of the new payload and these.
    """
    changed = [(made, *row) for row in rows if (made := renamed_payload(row[2], redact)) != row[2]]

    def rewrite(connection: Any) -> int:
        for values in changed:
            connection.execute(update, values)
        return len(changed)

    if changed:
        write(rewrite)


def _renamed(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_renamed(one, redact) for one in value]
    if not isinstance(value, dict):
        return value
    as_it_stands = {*_ID_COLUMNS, *NO_NAMES} - {C.OWNER}  # a hold of today is of no owner's to lift
    return {name: one if name in as_it_stands else _renamed(one, redact) for name, one in value.items()}


def payload_without_person(payload: str, user_id: str) -> str:
    """Return tables of the day without the rows that name somebody, and without their id in names.

    A keyed fingerprint stands in the place of an id in any spelling that a name is or holds.
    """
    keys, spelled = read_keys(), in_any_spelling(user_id)
    naming = Fingerprints(Naming(keys.newest_id), keys)
    return renamed_payload(
        payload_without(payload, user_id),
        lambda name: name_without_ids(name, naming, lambda part: in_any_spelling(part) == spelled),
    )


def payload_without(payload: str, user_id: str) -> str:
    """Return tables of the day without the rows that name somebody; what are no tables stays as it is.

    An id may stand in a list, or with signs around it that make it no other id.

    >>> payload_without('{"blocks": [{"target": "u1"}, {"target": ["u1"]}, {"target": "u2"}]}', "u1")
    '{"blocks": [{"target": "u2"}]}'
    """

    def is_kept(row: Any) -> bool:
        named = (row.get(column) for column in _ID_COLUMNS) if isinstance(row, dict) else ()
        return not any(one == user_id or spelled_canonically(one) == user_id for one in named)

    return _changed_payload(
        payload, lambda rows: [*filter(is_kept, rows)] if isinstance(rows, list) else rows
    )


def event_id_without(event_id: str, user_id: str) -> str:
    """Return the id of an event without an id of a person that it holds between separators.

    >>> event_id_without("like-u0000001", "u0000001").startswith("like-id.")
    True
    """
    return without_id(event_id, user_id, longest=LONGEST_EVENT_ID)


def ids_in_payload(payload: str) -> set[str]:
    """Return whom the rows of tables of the day name, as `payload_without` finds them.

    >>> sorted(ids_in_payload('{"blocks": [{"target": "u1"}, {"target": ["u2"]}], "other": 3}'))
    ['u1', 'u2']
    """
    tables: Any = None
    with suppress(ValueError, RecursionError):
        tables = json.loads(payload)
    lists = [rows for rows in tables.values() if isinstance(rows, list)] if isinstance(tables, dict) else []
    rows = [row for of_table in lists for row in of_table if isinstance(row, dict)]
    found = (spelled_canonically(row.get(column)) for row in rows for column in _ID_COLUMNS)
    return {one for one in found if one is not None}


def is_event_id(value: object) -> bool:
    """Say whether a value may name an event."""
    return isinstance(value, str) and _EVENT_ID.fullmatch(value) is not None


class DayRows(NamedTuple):
    """An answer of the log: rows about the people asked for, and changes of anybody since a place in it.

    pairs: events in which one of them is the actor, or the target of anything but an impression.
    changes: personal events of anybody after the place asked for, as they arrived. place: the place to ask
    after next time; log: which log it is, so that one that was replaced is read from the start.
    """

    pairs: tuple[DayEvent, ...]
    changes: tuple[DayEvent, ...]
    place: int
    log: str


def rows_of_day(rows: Sequence[Sequence[Any]], event: Callable[[Sequence[Any]], DayEvent]) -> DayRows:
    """Return the answer that rows of a database give; `event` reads one from what follows the first column.

    The first column says what a row is: 0 which log it is, 1 the place, 2 an event of pairs, 3 a change.
    """
    place = next(row[1] for row in rows if row[0] == 1)
    identity = next((row[1] for row in rows if row[0] == 0), "")
    pairs = {one.key: one for one in (event(row[1:]) for row in rows if row[0] == 2)}
    changes = (event(row[1:]) for row in rows if row[0] == 3)
    return DayRows(tuple(pairs.values()), tuple(changes), int(place), str(identity))


@runtime_checkable
class DayLog(Protocol):
    """Takes events and gives them back; any thread may call it.

    Every method raises SafetyUnavailable when the log cannot answer.

    >>> isinstance(MemoryDayLog(), DayLog)
    True
    """

    def append(self, events: Sequence[DayEvent], *, arrived: datetime | None = None) -> int:
        """Keep events, all or none, and return how many are new; `arrived` is now by default.

        What restricts and is dated later than it arrives happens when it arrives.

        Raises InputError when an event is none, opens something at a later time than the clock's, or has the
        id of another of its actor that says something else.
        """
        ...

    def read(self, people: Sequence[str], since: datetime, *, after: int = 0) -> DayRows:
        """Return what no night of the time `since` has read."""
        ...

    def events(self, since: datetime) -> list[DayEvent]:
        """Return everything that no night of the time `since` has read, in order of time."""
        ...

    def drop(self, before: datetime) -> None:
        """Forget what every night from the time `before` on has read."""
        ...


@runtime_checkable
class StoreWithDay(Protocol):
    """A safety store with a day log in the same database."""

    @property
    def day(self) -> DayLog:
        """The log."""
        ...


def conflict() -> InputError:
    """Return the error of an event id that stands for something else already."""
    return InputError(
        explained(
            "an event id stands for another event already",
            where="event_id",
            remedy="give each of an actor its own",
        )
    )


def report_id(*key: object) -> str:
    """Return the name of a report by what tells it from others.

    Of an actor's own in the log that is the target, the category and the minute: one that is sent again at
    once is one, and one that is made later tells of something new.
    """
    text = "\0".join(map(str, key)).encode("utf-8", "surrogatepass")
    return f"report:{blake2b(text, digest_size=16).hexdigest()}"


def log_report(log: DayLog | None, actor: str, target: str, at: datetime) -> None:
    """Keep a report of no category that is known in a log, where there is one."""
    if log is not None:
        name = report_id(target, "other", minute_of(at))
        log.append([DayEvent(name, at, actor, target, "report", "other")])


def minute_of(at: datetime) -> str:
    """Return the minute of a time, in UTC.

    >>> minute_of(datetime(2026, 1, 5, 9, 30, 59, tzinfo=UTC))
    '2026-01-05T09:30+00:00'
    """
    return at.astimezone(UTC).isoformat(timespec="minutes")


def same_event(one: DayEvent, other: DayEvent) -> bool:
    """Say whether two events of one id say the same; the same one sent again may have another time."""
    return replace(one, at=other.at) == other


def distinct_events(events: Sequence[DayEvent], arrived: datetime) -> dict[EventKey, DayEvent]:
    """Return checked events by actor and id, the same given twice once, none later than `arrived`.

    Raises InputError for what is no event, what opens something later, and one id for two of an actor's.
    """
    found: dict[EventKey, DayEvent] = {}
    for event in (one.checked().in_time(arrived) for one in events):
        if not same_event(found.setdefault(event.key, event), event):
            raise conflict()
    return found


class MemoryDayLog:
    """Keeps the day in this process alone.

    >>> log, at = MemoryDayLog(), datetime(2026, 3, 2, tzinfo=UTC)
    >>> log.append([DayEvent("e1", at, "a", "b", "like")]), log.append([DayEvent("e1", at, "a", "b", "like")])
    (1, 0)
    >>> [event.type for event in log.read(["b"], at.replace(day=1)).pairs]
    ['like']
    """

    def __init__(self) -> None:
        self._rows: dict[EventKey, tuple[datetime, DayEvent]] = {}
        self._of_person: dict[str, dict[EventKey, None]] = {}
        self._changes: list[EventKey] = []  # the key of the personal event at each place, from 1
        self._lock = threading.Lock()

    def append(self, events: Sequence[DayEvent], *, arrived: datetime | None = None) -> int:
        """Keep events, all or none."""
        noted = utc_moment(arrived)
        given = distinct_events(events, noted)
        with self._lock:
            known = {key: self._rows[key][1] for key in given if key in self._rows}
            if not all(same_event(known[key], given[key]) for key in known):
                raise conflict()
            self._rows |= {key: (noted, given[key]) for key in known if given[key].is_said_anew(known[key])}
            fresh = [event for key, event in given.items() if key not in self._rows]
            for event in fresh:
                if event.target is None:
                    self._changes.append(event.key)
                self._rows[event.key] = (noted, event)
                for person in self._named(event):
                    self._of_person.setdefault(person, {})[event.key] = None
        return len(fresh)

    def read(self, people: Sequence[str], since: datetime, *, after: int = 0) -> DayRows:
        """Return what no night of the time `since` has read."""
        with self._lock:
            keys = dict.fromkeys(key for person in people for key in self._of_person.get(person, ()))
            rows = [self._rows[key] for key in keys]
            changes = [self._rows[key] for key in self._changes[after:] if key in self._rows]
            return DayRows(
                tuple(event for noted, event in rows if noted > since),
                tuple(event for noted, event in changes if noted > since),
                len(self._changes),
                str(id(self)),
            )

    def events(self, since: datetime) -> list[DayEvent]:
        """Return everything that no night of the time `since` has read."""
        with self._lock:
            found = [event for noted, event in self._rows.values() if noted > since]
        return sorted(found, key=lambda event: (event.at, event.event_id))

    def drop(self, before: datetime) -> None:
        """Forget what every night from the time `before` on has read."""
        self._forget({key for key, (noted, _) in self._rows.items() if noted <= before})

    def erase(self, user_id: str) -> None:
        """Forget every event that names a person, and the rows that do in tables of others."""
        self._forget({key for key, row in self._rows.items() if user_id in (row[1].actor, row[1].target)})
        with self._lock:
            for key, (noted, event) in self._rows.items():
                if event.payload is not None:
                    payload = payload_without_person(event.payload, user_id)
                    self._rows[key] = (noted, replace(event, payload=payload))
            names = {key: event_id_without(row[1].event_id, user_id) for key, row in self._rows.items()}
            changed = {key: name for key, name in names.items() if name != self._rows[key][1].event_id}
        for key, name in changed.items():
            noted, event = self._rows[key]
            self._forget([key])
            self.append([replace(event, event_id=name)], arrived=noted)

    def _forget(self, keys: Iterable[EventKey]) -> None:
        with self._lock:
            for key in keys:
                _, event = self._rows.pop(key)
                for person in self._named(event):
                    self._of_person[person].pop(key, None)

    @staticmethod
    def _named(event: DayEvent) -> tuple[str, ...]:
        """Return under whom an event is found: nobody asks by whom they were seen."""
        if event.target is None:
            return ()
        return (event.actor,) if event.type == "impression" else (event.actor, event.target)


NEVER: Final = datetime.min.replace(tzinfo=UTC)
"""Before everything: the time of a night that has read nothing."""
