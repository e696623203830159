"""What ties a safety store and the safety ledger: each remembers how far the other went.

One of them that is set back, or made anew, beside the newest of the other is noticed.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Final, Protocol, runtime_checkable

from recsys.errors import SafetyUnavailable
from recsys.safety.day_log import DayEvent
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_file import LedgerWatermark
from recsys.safety.ledger_state import LedgerState
from recsys.safety.person_index import ALONE, Accounts
from recsys.safety.store import CountedStore, SafetyStore, StoreInFile, StoreWithPages, ask_safety


@runtime_checkable
class StoreWithLedgerMark(Protocol):
    """A store that remembers how far safety ledgers went."""

    def ledger_mark(self, ledger: str) -> str | None:
        """Return the watermark that was noted of the ledger of an identity; None when none was."""
        ...

    def note_ledger(self, ledger: str, records: int, mark: str) -> None:
        """Note the watermark of a ledger, and of how many records it is, unless one of more was noted."""
        ...


@runtime_checkable
class RenamedStore(CountedStore, Protocol):
    """A counted store that can take another identity, so that older copies of it are other stores."""

    def renew_identity(self) -> None:
        """Take an identity that no store had."""
        ...


LOOKED_EVERY_S: Final = 5.0
"""After how long a worker looks at the latest whether its store is the one it was."""
TOLD_EVERY_S: Final = 600.0
"""After how long a worker that is asked tells the ledger of hides and passes, of which a service has many."""


def _file_of(store: SafetyStore) -> tuple[int, int] | None:
    """Return which file a store is in; None for one in no file."""
    if not isinstance(store, StoreInFile):
        return None
    found = store.path.stat()
    return found.st_dev, found.st_ino


class StoreBinding:
    """One store and one ledger that belong together; a store that keeps no count or mark notices nothing."""

    def __init__(self, store: SafetyStore, ledger: SafetyLedger) -> None:
        self._store, self._ledger = store, ledger
        self._noted: LedgerWatermark | None = None
        self._identity: str | None = None
        self._told_at: float | None = None
        self._begun = monotonic()
        self._looked: tuple[object, float] = (None, self._begun)
        self._told_pages = (ALONE, set[frozenset[str]]())

    def require(self) -> None:
        """Raise SafetyUnavailable when one of the two is older than the other knows it, or another one.

        A store that answers, and cannot be written, notes nothing.
        """
        self.compare()
        with suppress(SafetyUnavailable):
            self.note_ledger()

    def compare(self, *, or_another: bool = False) -> None:
        """Raise SafetyUnavailable as `require` does, and note nothing.

        or_another: a store that is not the one of this ledger is no fault.
        """
        store = self._store
        if isinstance(store, CountedStore) and not (or_another and self.is_another):
            self._ledger.require_store(*ask_safety(store.watermark))
        self.require_ledger()

    def require_ledger(self) -> None:
        """Raise SafetyUnavailable when the ledger is older than the store knows it."""
        store, known = self._store, self._ledger.watermark
        if isinstance(store, StoreWithLedgerMark) and known is not None:
            self._ledger.require(ask_safety(partial(store.ledger_mark, known.identity)))

    @property
    def is_another(self) -> bool:
        """Whether the ledger knows stores, and this is none of them."""
        known = self._ledger.now().stores
        return (
            bool(known)
            and isinstance(self._store, CountedStore)
            and (ask_safety(self._store.watermark)[0] not in known)
        )

    def require_known(self, state: LedgerState | None = None) -> None:
        """Raise SafetyUnavailable where another store stands in the place of this one, or it was set back.

        The store is asked for its identity where the ledger does not know it: it may have a new one; and
        where its file is another one, else once in `LOOKED_EVERY_S`.
        """
        store, state = self._store, self._ledger.now() if state is None else state
        if not isinstance(store, CountedStore):
            return
        if state.dropped_stores and self._identity not in state.stores:
            self._ledger.require_store(*ask_safety(store.watermark))
            self._identity = ask_safety(store.watermark)[0]
        file = ask_safety(partial(_file_of, store))
        before, at = self._looked
        if file not in (before, None) or monotonic() - at > LOOKED_EVERY_S:
            identity, writes = self._require_store(store, state)
            self._looked = file, monotonic()
            told = self._begun if self._told_at is None else self._told_at
            if writes > state.stores.get(identity, writes) and monotonic() - told > TOLD_EVERY_S:
                with suppress(SafetyUnavailable):
                    self.note()

    def _require_store(self, store: CountedStore, state: LedgerState) -> tuple[str, int]:
        """Return a store's identity and writes; raise where it is another one, or lacks writes of a state."""
        identity, writes = ask_safety(store.watermark)
        known = state.stores  # read before: a count that grew since is no fault
        if known and writes < known.get(identity, writes + 1):
            self._ledger.require_store(identity, writes)
        return identity, writes

    def note(self) -> None:
        """Note in each how far the other goes, after a write to both.

        Raises SafetyUnavailable when it cannot be noted.
        """
        if isinstance(store := self._store, CountedStore):
            self._ledger.bind_store(*self._require_store(store, self._ledger.now()))
            self._told_at = monotonic()
        self.note_ledger()

    def note_day(self, events: Iterable[DayEvent]) -> None:
        """Note the same of events that leave somebody out: of a worker's first at once, then now and then."""
        is_due = self._told_at is None or monotonic() - self._told_at > TOLD_EVERY_S
        if is_due and any(event.leaves_out for event in events):
            self.note()

    def tell_pages(self, known: Accounts, accounts: Sequence[str]) -> None:
        """Tell a store with pages in SQL that a person is another than the night knew.

        known: the accounts of the publication; those of another one know other persons.
        """
        store, (of, told) = self._store, self._told_pages
        if of is not known:
            told = set[frozenset[str]]()
            self._told_pages = (known, told)
        if isinstance(store, StoreWithPages) and frozenset(accounts) not in told:
            ask_safety(lambda: store.note_changed_persons(sorted(accounts)))
            told.add(frozenset(accounts))

    def note_ledger(self) -> None:
        """Tell the store how far the ledger goes, where it grew since."""
        store, known = self._store, self._ledger.watermark
        if isinstance(store, StoreWithLedgerMark) and known is not None and known != self._noted:
            ask_safety(partial(store.note_ledger, known.identity, known.records, known.text()))
            self._noted = known
