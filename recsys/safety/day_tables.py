"""What a member's own tables of today say of their person, also where nothing else of them can be used."""

import json
import re
import threading
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.contract import token_meant
from recsys.data.date_reading import may_be_under_age
from recsys.data.fail_closed import PROVES_AGE, STOPPED
from recsys.data.id_spellings import as_id_text
from recsys.errors import as_text
from recsys.safety.day_log import NEVER, TABLES_CHANGED, DayEvent, DayLog
from recsys.safety.person_index import Accounts
from recsys.safety.store import ask_safety

ContactToken = tuple[str, str]
"""The namespace of a number or mailbox, such as `phone`, and the token that stands for it."""
TokenOwners = Callable[[Collection[ContactToken]], tuple[Collection[str], Collection[str]]]
"""Finds who has one of some numbers or mailboxes in what is served, and who excludes one."""
_TOKEN: Final = re.compile(r"hmac\d*:[0-9a-f]{16,128}")
_OWN_STATES: Final = frozenset(ENUMERATIONS[C.ACCOUNT_STATE].words) - frozenset(STOPPED)
_AWAY_STATES: Final = tuple(sorted(_OWN_STATES - {"active"}))


def note_tokens(accounts: Accounts, events: Iterable[DayEvent]) -> tuple[str, ...]:
    """Note who came with tables among some events, and every token in them; return who came with one."""
    told: dict[str, None] = {}
    for event in events:
        if event.type == TABLES_CHANGED:
            accounts.add(event.actor, None)
            for token in person_tokens_in(event):
                accounts.add(event.actor, token)
                told[event.actor] = None
    return tuple(told)


def person_tokens_in(event: DayEvent) -> list[str]:
    """Return every person token in a member's own tables, of tables that cannot be used as well.

    >>> from datetime import UTC, datetime
    >>> payload = json.dumps({"profiles": [{"user_id": "a", "person_token": " T1 "}]})
    >>> person_tokens_in(DayEvent("e", datetime.now(UTC), "a", None, "tables", payload=payload))
    ['T1']
    """
    values = [row.get(C.PERSON_TOKEN) for row in _profile_rows(event)]
    return [text for value in values if value is not None and (text := _token_in(as_id_text(value)))]


def _token_in(text: str) -> str | None:
    """Return the one token that a text holds, whatever stands around it; the text where it holds none."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text).casefold() if one.isascii())
    found = _TOKEN.findall("".join(plain.split()))
    return found[0] if len(found) == 1 else token_meant(text) or text.strip()


def standing_tables(events: Iterable[DayEvent], before: Sequence[DayEvent] = ()) -> tuple[DayEvent, ...]:
    """Return which of one member's tables of today count, of all that there were as they arrived.

    The first is the member's word: the latest by its time, of those of one time the last. The others are
    older and arrived after it: they restrict as well, and open nothing.

    before: what counted before these.

    >>> from datetime import UTC, datetime
    >>> def counting(*hours):
    ...     days = (datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in hours)
    ...     changed = (DayEvent.of_tables("e", "a", {}, day) for day in days)
    ...     return [one.at.hour for one in standing_tables(changed)]
    >>> counting(8, 9), counting(9, 8), counting(9, 7, 8)
    ([9], [9, 8], [9, 8])
    """
    standing = [*before]
    for event in events:
        while standing and standing[-1].at <= event.at:
            standing.pop()
        standing.append(event)
    return tuple(standing)


def contact_tokens_in(event: DayEvent) -> tuple[frozenset[ContactToken], frozenset[ContactToken]]:
    """Return the numbers and mailboxes in a member's own tables: theirs, and those they exclude.

    An employer is avoided while it is one's own, and is not among them.

    >>> rows = [{"namespace": "phone", "kind": "self", "hmac": "T1"}]
    >>> contact_tokens_in(DayEvent.of_tables("e", "a", {"tokens": rows}))
    (frozenset({('phone', 'T1')}), frozenset())
    """
    found: dict[str, set[ContactToken]] = {"self": set(), "exclude": set()}
    for row in _rows_of(event, T.TOKENS):
        space, kind = (as_text(row.get(name)).strip().casefold() for name in (C.NAMESPACE, C.KIND))
        value = row.get(C.HMAC)
        token = None if value is None else _token_in(as_id_text(value))
        if token and kind in found and space != "employer":
            found[kind].add((space, token))
    return frozenset(found["self"]), frozenset(found["exclude"])


class DayNumbers:
    """Whose numbers and mailboxes are in tables of today, and who excludes them; any thread may ask.

    A number counts as its member's until a night has read the tables that named it, whatever later ones of
    the day name; what somebody excludes is what their tables that count say, see `standing_tables`.
    """

    def __init__(self, log: DayLog) -> None:
        """Read from a log of the day, in which other workers write too."""
        self._log, self._lock = log, threading.Lock()
        self._begin(NEVER, "")

    def _begin(self, since: datetime, log: str) -> None:
        self._read_up_to = since, log, 0
        self._own = defaultdict[str, set[ContactToken]](set)
        self._excluded: dict[str, frozenset[ContactToken]] = {}
        self._standing: dict[str, tuple[DayEvent, ...]] = {}
        self._owners = defaultdict[ContactToken, set[str]](set)
        self._excluding = defaultdict[ContactToken, set[str]](set)

    def met_by(self, user_ids: Iterable[str], since: datetime, of_night: TokenOwners) -> set[tuple[str, str]]:
        """Return the pairs of some members and others of whom the first excludes a number of the second.

        since: the time up to which the night that is served knows the day. of_night: finds who has or
        excludes a number in what that night serves.

        Raises SafetyUnavailable when the log cannot be read.
        """
        with self._lock:
            self._read(since)
            found = set[tuple[str, str]]()
            for user_id in user_ids:
                own, excluded = self._own.get(user_id, ()), self._excluded.get(user_id, ())
                excluding = {*of_night(own)[1]}.union(*(self._excluding.get(one, ()) for one in own))
                owners = {*of_night(excluded)[0]}.union(*(self._owners.get(one, ()) for one in excluded))
                found |= {(other, user_id) for other in excluding} | {(user_id, other) for other in owners}
        return {(one, other) for one, other in found if one != other}

    def _read(self, since: datetime) -> None:
        known_since, log, place = self._read_up_to
        rows = ask_safety(lambda: self._log.read((), since, after=place))
        if known_since != since or rows.log != log or rows.place < place:
            rows = ask_safety(lambda: self._log.read((), since))
            self._begin(since, rows.log)
        self._read_up_to = since, rows.log, rows.place
        for event in rows.changes:
            if event.type == TABLES_CHANGED:
                self._note(event)

    def _note(self, event: DayEvent) -> None:
        standing = standing_tables([event], self._standing.get(event.actor, ()))
        self._standing[event.actor] = standing
        own = contact_tokens_in(event)[0]
        excluded = frozenset[ContactToken]().union(*(contact_tokens_in(one)[1] for one in standing))
        for one in self._excluded.get(event.actor, frozenset()) - excluded:
            self._excluding[one].discard(event.actor)
        self._own[event.actor] |= own
        self._excluded[event.actor] = excluded
        for tokens, whose in ((own, self._owners), (excluded, self._excluding)):
            for one in tokens:
                whose[one].add(event.actor)


def is_stopped_by(event: DayEvent) -> bool:
    """Say whether a member's own tables say that somebody is out for good.

    That is a state such as `banned`, a state that is no known word, and an age of less than 18.

    >>> from datetime import UTC, datetime
    >>> def out(**row):
    ...     return is_stopped_by(DayEvent.of_tables("e", "a", {"profiles": [row]}))
    >>> out(account_state="active", age_band="25-34"), out(account_state=["active"]), out(age_band="13-17")
    (False, True, True)
    """
    return any(_is_out(row) for row in _profile_rows(event))


def is_away_by(event: DayEvent) -> bool:
    """Say whether a member's own tables say that somebody is away: paused, erasing, or without a proof."""
    return any(
        row.get(C.ACCOUNT_STATE) in _AWAY_STATES or takes_proof_back(row) for row in _profile_rows(event)
    )


def takes_proof_back(row: Mapping[str, Any]) -> bool:
    """Say whether a row of a profile names a proof, and none that proves an age."""
    proof = row.get(C.VERIFICATION)
    is_given = proof is not None and proof == proof  # noqa: PLR0124 - not a NaN
    return is_given and not (isinstance(proof, str) and proof in PROVES_AGE)


def says_active(event: DayEvent) -> bool:
    """Say whether a member's own tables say that they are active, or say nothing of their state."""
    return all(row.get(C.ACCOUNT_STATE) in (None, "active") for row in _profile_rows(event))


def _is_out(row: Mapping[str, Any]) -> bool:
    state = row.get(C.ACCOUNT_STATE)
    if state is not None and not (isinstance(state, str) and state in _OWN_STATES):
        return True
    return any(may_be_under_age(row.get(column)) for column in (C.AGE_YEARS, C.AGE_BAND))


def tables_of(event: DayEvent) -> dict[str, Any]:
    """Return the tables that an event holds, by name; none where they cannot be read."""
    try:
        tables = json.loads(event.payload or "{}")
    except (ValueError, RecursionError):
        return {}
    return tables if isinstance(tables, dict) else {}


def _profile_rows(event: DayEvent) -> list[Mapping[str, Any]]:
    return _rows_of(event, T.PROFILES)


def _rows_of(event: DayEvent, table: str) -> list[Mapping[str, Any]]:
    rows = tables_of(event).get(table)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
