"""Whom an id means in a call: somebody of the publication, or who came by day, in whatever spelling."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from recsys.data.id_spellings import name_of_erased
from recsys.safety.canonical import CheckedId, canonical_person, distinct_pair, not_canonical
from recsys.safety.day_log import (
    LONGEST_EVENT_ID,
    TABLES_CHANGED,
    DayEvent,
    DayLog,
    ids_in_payload,
    payload_without,
    renamed_payload,
)
from recsys.safety.day_tables import note_tokens
from recsys.safety.erasure_list import ErasedPeople, ErasureList
from recsys.safety.fingerprints import Fingerprints, name_without_ids, without_ids
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import LedgerState
from recsys.safety.person_index import ALONE
from recsys.safety.store import ask_safety

_UUID: Final = re.compile(r"(?:[a-z]+:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""The name of an event that is a UUID, also behind a word that says who gave it."""
EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


class PersonNames:
    """The accounts that are known, by every name that a call may give them."""

    def __init__(self, ledger: SafetyLedger, day: DayLog | None, erasures: ErasureList) -> None:
        """Know nobody yet; day: the log in which people come by day."""
        self.ledger, self.day, self.erasures = ledger, day, erasures
        self.accounts = ALONE
        self._read = ("", 0)

    def read_day(self) -> None:
        """Note the person tokens of tables of today that came since."""
        day, (log, place) = self.day, self._read
        if day is None or self.accounts is ALONE:
            return
        rows = ask_safety(lambda: day.read((), EVER, after=place))
        if rows.log != log or rows.place < place:
            rows = ask_safety(lambda: day.read((), EVER))
        self._read = rows.log, rows.place
        note_tokens(self.accounts, rows.changes)

    def meant(self, user_id: str) -> str:
        """Return the id that is meant, for whoever may not learn from a refusal that somebody is here.

        Raises InputError for what can be no id, also where somebody is meant: a call that takes it restricts
        them and is refused, whoever is here.
        """
        self._read_newcomers(user_id)
        if not self.accounts.may_be_id(user_id):
            raise not_canonical()
        return self.accounts.known(user_id) or self._person(user_id)

    def person_of(self, user_id: str) -> tuple[str, ...]:
        """Return every account of somebody's person, their own first, those too that the ledger links."""
        return self.accounts.linked(user_id, ask_safety(self.ledger.now))

    def whom(self, given: object) -> str | None:
        """Return whom an id means in whatever spelling: somebody known, else the id; None for nobody."""
        self._read_newcomers(given)
        return self.accounts.known(given) or self.accounts.id_in(given)

    def is_other_spelling(self, user_id: str) -> bool:
        """Say whether an id that nobody has is, but for its spelling, that of somebody known."""
        self._read_newcomers(user_id)
        return self.accounts.is_other_spelling(user_id)

    def kept_id(self, user_id: str) -> str:
        """Return the id under which a store keeps somebody: a keyed fingerprint of who was erased.

        They are shown to nobody, and what restricts their person stands in the ledger. A client that has not
        heard of the erasure is answered as of anybody, and no store names them again.
        """
        state = self.ledger.now()
        return self._kept_id(user_id, state, self.erasures.now(state))

    def kept_events(self, events: Sequence[DayEvent]) -> list[DayEvent]:
        """Return events as a log keeps them, without the ids of people who were erased, see `kept_id`.

        The same id in another spelling is theirs too, unless an account that came since has it, or comes with
        tables among these events.
        """
        state = self.ledger.now()
        erased = self.erasures.now(state)
        coming = {event.actor for event in events if event.type == TABLES_CHANGED}
        return (
            [self._kept_event(event, state, erased, coming) for event in events] if len(erased) else [*events]
        )

    def _kept_event(
        self, event: DayEvent, state: LedgerState, erased: ErasedPeople, coming: Collection[str]
    ) -> DayEvent:
        payload = event.payload
        named = {event.actor, event.target or event.actor, *(ids_in_payload(payload) if payload else ())}
        kept = {one: self._kept_id(one, state, erased, coming) for one in named}
        gone = {one for one in named if kept[one] != one}
        event_id = event.event_id

        def is_erased(part: str) -> bool:
            return part in gone or self._erased_id(part, erased, coming) is not None

        # a part of a UUID names nobody
        if _UUID.fullmatch(event_id) is None or is_erased(event_id.rpartition(":")[2]):
            event_id = without_ids(event_id, self._naming(state), is_erased, longest=LONGEST_EVENT_ID)
        for one in gone if payload else ():
            payload = payload_without(str(payload), one)
        if payload:
            naming = self._naming(state)
            payload = renamed_payload(payload, lambda name: name_without_ids(name, naming, is_erased))
        return replace(
            event,
            event_id=event_id,
            actor=kept[event.actor],
            target=kept[event.target] if event.target else None,
            payload="{}" if payload and event.actor in gone else payload,
        )

    def _kept_id(
        self, user_id: str, state: LedgerState, erased: ErasedPeople, coming: Collection[str] = ()
    ) -> str:
        gone = self._erased_id(user_id, erased, coming)
        return user_id if gone is None else self._fingerprint(gone, state)

    def _erased_id(self, given: str, erased: ErasedPeople, coming: Collection[str]) -> str | None:
        """Return the id of somebody erased that one is, in the spelling that is known; None for others'.

        coming: ids in another spelling that are those of accounts of their own.
        """
        if erased.moment_of(given) is not None:
            return given
        if given in coming or not erased.has_spelling(given):
            return None
        self._read_newcomers(given)
        meant = self.accounts.known(given)
        return given if meant is None else meant if erased.moment_of(meant) is not None else None

    def _fingerprint(self, user_id: str, state: LedgerState) -> str:
        return CheckedId(name_of_erased(self._naming(state).text(user_id)))

    def _naming(self, state: LedgerState) -> Fingerprints:
        return (state.namings or self.ledger.begin().namings)[-1]

    def _read_newcomers(self, given: object) -> None:
        """Read who came by day, where an id is not one of the publication."""
        if not isinstance(given, str) or not self.accounts.is_published(given):
            self.read_day()

    def _person(self, user_id: str) -> str:
        """Return an id; raise InputError for one that a store would keep and that would stop nobody."""
        one = canonical_person(user_id)
        if self.is_other_spelling(one) or not self.accounts.may_be_id(one):
            raise not_canonical()
        return one if self.accounts is ALONE else CheckedId(one)  # where nobody is known, in any spelling

    def _pair(self, actor: str, target: str) -> tuple[str, str]:
        a, b = distinct_pair(actor, target)
        return self._person(a), self._person(b)
