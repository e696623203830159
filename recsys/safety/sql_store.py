"""What the safety stores in a database have alike, whichever it is; each brings its own statements."""

import secrets
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from recsys.safety.canonical import is_any_spelling, read_as, without_mark
from recsys.safety.day_log import ids_in_payload
from recsys.safety.fingerprints import without_id
from recsys.safety.shown_log import fitting
from recsys.safety.store import (
    RestrictingStore,
    SafetyExclusions,
    StoreHold,
    StoreRestrictions,
    StoreStanding,
    holds_by_person,
    standing_of,
)


@dataclass(frozen=True, slots=True)
class SqlQuestions:
    """The questions of a store as statements of its database; each reads one state.

    exclusions: whom of the second texts a viewer, under the first, may not be shown; one column. standing:
    from whom each of the first texts is kept apart, and null for each of the second that is out; two columns.
    holds: owner and reason of each hold on the first texts. apart: from whom they are kept apart. all_holds:
    person, owner, reason of every hold. named: everybody named but for who was erased; one column. payloads:
    the tables of the day; one column. watermark: identity and count of writes. has_ledger_marks: a row
    where the store has the table of marks. ledger_mark: how far the ledger of an identity was known to go.
    """

    exclusions: str
    standing: str
    holds: str
    apart: str
    all_holds: str
    named: str
    payloads: str
    watermark: str
    has_ledger_marks: str
    ledger_mark: str


class SqlStore(RestrictingStore):
    """A store that asks and writes by statements; `_ask` gives a statement its lists of texts in order."""

    questions: ClassVar[SqlQuestions]

    @abstractmethod
    def _ask(self, question: str, *texts: Iterable[str]) -> list[Any]: ...

    @abstractmethod
    def _connection(self) -> AbstractContextManager[Any]: ...

    @abstractmethod
    def _transact(self, work: Callable[[Any], int]) -> int: ...

    def _read(self, statement: str, values: Any) -> list[Any]:
        with self._connection() as connection:
            return list(connection.execute(statement, values).fetchall())

    def _write(self, statements: Sequence[tuple[str, Any]]) -> None:
        def work(connection: Any) -> int:
            for statement, values in statements:
                connection.execute(statement, values)
            return len(statements)

        self._transact(work)

    @abstractmethod
    def _shown_within(self, connection: Any, viewer: str, day: date) -> list[str]:
        """Return whom a viewer was shown on a day, so that no other writer notes more meanwhile."""

    @abstractmethod
    def _remember_within(self, connection: Any, viewer: str, day: date, candidates: Iterable[str]) -> int: ...

    @abstractmethod
    def shown(self, viewer: str, day: date) -> frozenset[str]:
        """Return the people the viewer was shown on that day."""

    def exclusions(self, viewer: str, candidates: Sequence[str]) -> SafetyExclusions:
        """Return how `viewer` and `candidates` stand now."""
        named = read_as([viewer, *candidates])
        rows = self._ask(self.questions.exclusions, read_as([viewer]), named)
        found = {one for (text,) in rows for one in named[text]}
        return SafetyExclusions(viewer in found, frozenset(found - {viewer}))

    def standing(self, people: Sequence[str], others: Sequence[str]) -> StoreStanding:
        """Return from whom people are kept apart, and who is held or erased."""
        rows = self._ask(self.questions.standing, read_as(people), read_as([*people, *others]))
        return standing_of(people, others, rows)

    def restrictions_of(self, user_id: str) -> StoreRestrictions:
        """Return the holds on somebody, and from whom they are kept apart."""
        texts = read_as([user_id])
        holds = sorted(StoreHold(*row) for row in self._ask(self.questions.holds, texts))
        others = self._ask(self.questions.apart, texts)
        return StoreRestrictions(tuple(holds), frozenset(without_mark(other) for (other,) in others))

    def all_holds(self) -> dict[str, tuple[StoreHold, ...]]:
        """Return everybody who is held, with every hold."""
        return holds_by_person(self._ask(self.questions.all_holds))

    def named_people(self) -> frozenset[str]:
        """Return the id of everybody whom it names, but for the list of those who were erased."""
        named = {str(one) for (one,) in self._ask(self.questions.named)}
        for (payload,) in self._ask(self.questions.payloads):
            named |= ids_in_payload(payload)
        return frozenset(one for one in named if not is_any_spelling(one))

    def watermark(self) -> tuple[str, int]:
        """Return the identity of the store and how many writes about safety it has taken."""
        ((identity, writes),) = self._ask(self.questions.watermark)
        return str(identity), int(writes)

    def renew_identity(self) -> None:
        """Take another identity: copies of this store with the one before are other stores from now on."""
        self._set_identity(secrets.token_hex(8))

    def _erase_in_words(self, user_id: str) -> None:
        """Put a hash in the place of an id in the owners and reasons of holds of others."""
        words = {(str(owner), str(reason)) for _, owner, reason in self._ask(self.questions.all_holds)}
        for before in sorted(words):
            after = tuple(without_id(word, user_id) for word in before)
            if after != before:
                self._rename_holds(before, after)

    @abstractmethod
    def _rename_holds(self, before: tuple[str, ...], after: tuple[str, ...]) -> None: ...

    @abstractmethod
    def _set_identity(self, identity: str) -> None: ...

    def ledger_mark(self, ledger: str) -> str | None:
        """Return how far the safety ledger of an identity was known to go; None for one never noted here."""
        if not self._ask(self.questions.has_ledger_marks):  # a store of an earlier version
            return None
        return next((str(mark) for (mark,) in self._ask(self.questions.ledger_mark, [ledger])), None)

    def note_ledger(self, ledger: str, records: int, mark: str) -> None:
        """Note how far a safety ledger goes, unless it was known to go further."""
        if self._can_make_ledger_marks or self._ask(self.questions.has_ledger_marks):
            self._note_ledger(ledger, records, mark)

    _can_make_ledger_marks = False
    """Whether noting makes the table of marks in a store of an earlier version."""

    @abstractmethod
    def _note_ledger(self, ledger: str, records: int, mark: str) -> None: ...

    def remember(self, viewer: str, day: date, candidates: Iterable[str]) -> None:
        """Note that the viewer was shown these people on that day; rows before yesterday are dropped."""
        self._transact(lambda connection: self._remember_within(connection, viewer, day, candidates))

    def remember_at_most(
        self, viewer: str, day: date, candidates: Sequence[str], most: int
    ) -> frozenset[str]:
        """Note those of these people for whom there is room among `most` of the day."""
        known = set(self.shown(viewer, day))  # a question holds up no other writer
        if known.issuperset(candidates) or len(known) >= most:
            return frozenset(candidates) & known

        def work(connection: Any) -> int:
            known.clear()
            known.update(self._shown_within(connection, viewer, day))
            fresh = fitting(candidates, known, most)
            known.update(fresh)
            return self._remember_within(connection, viewer, day, fresh) if fresh else 0

        self._transact(work)
        return frozenset(candidates) & known
