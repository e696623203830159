"""The safety ledger: every separation and stop that any night or store has seen, and every lift.

It lies beside the publications and only grows, so that neither an older publication nor a store made anew
brings anybody back. People are in it as keyed fingerprints: of an id, and of a person token.
"""

import secrets
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recsys.errors import SafetyUnavailable, explained
from recsys.safety.fingerprints import ID
from recsys.safety.keys import Keys, read_keys, require_newest
from recsys.safety.ledger_file import (
    LedgerFile,
    LedgerWatermark,
    Position,
    Record,
    pair_record,
    record_of,
    refused,
    stop_record,
)
from recsys.safety.ledger_state import (
    STOP_ROWS,
    STORE,
    SUPPRESSED,
    LedgerState,
    LedgerTag,
    Who,
    spelling_link,
)


class SafetyLedger:
    """The ledger of one folder of publications, read on whenever its file grew; any thread may ask.

    Without a key its lines are chained by plain hashes: damage and loss are noticed, a forger is not.

    >>> import tempfile
    >>> from recsys.safety.ledger_state import HOLD
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ledger = SafetyLedger(Path(folder), Keys())
    ...     ledger.stop([Who("a")], LedgerTag(HOLD, STORE))
    ...     state = ledger.now()
    ...     state.is_stopped(state.fingerprints(Who("a"))), state.is_stopped(state.fingerprints(Who("b")))
    (True, False)
    """

    def __init__(self, folder: Path, keys: Keys) -> None:
        self._file, self.keys = LedgerFile(folder, keys), keys
        self._lock = threading.RLock()
        self._seen: Any = None
        self._at, self._state = Position(), LedgerState()

    @classmethod
    def of(cls, published: str | Path) -> "SafetyLedger":
        """Return the ledger that belongs to a folder of publications, with the keys of this service."""
        return cls(Path(published).resolve(), read_keys())

    def now(self) -> LedgerState:
        """Return what the ledger says; an empty state when there is none yet.

        Raises SafetyUnavailable when it cannot be trusted: damaged, cut off, replaced, gone since it was
        read, or signed with a key that is not given; and when the first key is one that it gave up.
        """
        found = self._file.state()
        if found is None and not self._at.codes:
            return self._state
        if found != self._seen:
            with self._lock:
                found = self._file.state()  # another thread may have begun the ledger since
                if found is None:
                    raise refused("is gone")
                self._read_on()
                self._seen = found
        return self._state

    def _read_on(self) -> None:
        records, at = self._file.read(self._at)
        state = self._state if self._at.codes else LedgerState()
        try:
            for record in records:
                state.take(record, self.keys)
            require_newest(self.keys.newest_id, state.key_uses)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self._at, self._state = Position(), LedgerState()
            raise refused("is damaged", got=type(error).__name__) from None
        except SafetyUnavailable:
            self._at, self._state = Position(), LedgerState()
            raise
        self._at, self._state = at, state

    @property
    def watermark(self) -> LedgerWatermark | None:
        """Up to where the ledger goes; None when there is none."""
        state = self.now()
        return LedgerWatermark(state.identity, len(self._at.codes), self._at.code) if self._at.codes else None

    def require(self, watermark: str | None) -> None:
        """Raise SafetyUnavailable unless this ledger continues the one a publication knew.

        watermark: as its manifest holds it; None for a publication that knew of none.
        """
        if watermark is None:
            self.now()
            return
        known, state = LedgerWatermark.of_text(watermark), self.now()
        codes = self._at.codes
        if not codes:
            raise refused("is gone")
        if state.identity != known.identity:
            raise refused("is of other publications")
        if len(codes) < known.records or codes[known.records - 1] != known.code:
            raise refused("is older than the publication", got=f"{len(codes)} records")

    def require_store(self, identity: str | None, writes: int) -> None:
        """Raise SafetyUnavailable when a safety store is not the one known here, or has lost writes."""
        stores = self.now().stores
        if identity is None or not stores:
            return
        if identity not in stores:
            remedy = "restore it; where it is lost, recsys bind-store takes another one"
            raise SafetyUnavailable(explained("the safety store is another one", remedy=remedy))
        if writes < stores[identity]:
            remedy = "restore the newest copy and its write-ahead log; recsys bind-store where there is none"
            raise SafetyUnavailable(explained("the safety store is older than the ledger", remedy=remedy))

    def writes_unknown_to(self, identity: str, writes: int) -> int:
        """Return how many writes are known here that a safety store of this identity and count has not."""
        stores = self.now().stores
        return max(0, stores[identity] - writes) if identity in stores else max(stores.values(), default=0)

    def bind_store(self, identity: str | None, writes: int, *, as_it_is: bool = False) -> None:
        """Note that a safety store belongs here, and how many writes it has taken.

        as_it_is: whether it alone belongs here from now on, and fewer writes than were known are no fault.
        """
        if identity in self.now().dropped_stores and not as_it_is:
            self.require_store(identity, writes)
        if identity is not None:
            record = {"kind": "store", "store": identity, "writes": writes}
            self.append([record | ({"as_it_is": True} if as_it_is else {})])

    def stop(self, people: Iterable[Who], tag: LedgerTag, *, as_of: str = "", renew: bool = False) -> None:
        """Note that these people are shown to nobody, under any account, until the owner lifts it.

        as_of: the time of the tables that say so, ISO UTC; "" when they have none. renew: whether it takes
        the place of the earlier time of the same stop.
        """
        with self._lock, self._file.alone():
            state = self._begun()
            newest, people = state.namings[-1], list(people)
            named = [(newest.of(ID, who.user_id), state.primary(who)) for who in people]
            stopped = {(one, own) for own, person in named for one in (own, person)}
            told = {at: tag._replace(account=at[1]) for at in stopped}
            new = sorted(
                at
                for at in stopped
                if told[at] not in state.stops.get(at[0], ())
                or (renew and state.stopped_at.get((at[0], told[at]), "") < as_of)
            )
            self._link(named)
            self._link(self._spelled(who.user_id for who in people), spelled=True)
            record = stop_record("stop", tag, new)
            self._append([{**record, "as_of": as_of} if as_of else record] if new else [])

    def separate(self, pairs: Iterable[tuple[Who, Who]], tag: LedgerTag, *, directed: bool = False) -> None:
        """Note that these pairs are not shown to each other, under any accounts of the two persons.

        directed: it is the word of the first of each pair, who may take it back.
        """
        with self._lock, self._file.alone():
            state = self._begun()
            own = state.namings[-1]
            pairs = list(pairs)
            named = {
                (state.primary(a), state.primary(b), own.of(ID, a.user_id) if directed else 0)
                for a, b in pairs
            }
            ends = {who for pair in pairs for who in pair if who.token}
            self._link(self._spelled(who.user_id for pair in pairs for who in pair), spelled=True)
            self._link({(own.of(ID, who.user_id), state.primary(who)) for who in ends})
            new = sorted(
                (a, b, actor)
                for a, b, actor in named
                if a != b and tag._replace(account=actor) not in state.pairs.get(a, {}).get(b, ())
            )
            self._append([pair_record("separate", tag, new)] if new else [])

    def lift(
        self,
        tag: LedgerTag,
        *,
        people: Iterable[Who] = (),
        pairs: Iterable[tuple[Who, Who]] = (),
        directed: bool = False,
    ) -> None:
        """Note that what this owner said of these accounts or pairs no longer holds.

        directed: of the pairs, what the first of each said; else what was said in nobody's name.
        """
        with self._lock, self._file.alone():
            state = self._begun()
            stopped = {
                (one, own)
                for who in people
                for own in state.accounts(who.user_id)
                for one in (own, *state.fingerprints(who))
                if tag._replace(account=own) in state.stops.get(one, ())
            }
            ends = {
                (mine, other, actor)
                for a, b in pairs
                for mine in state.fingerprints(a)
                for other in state.fingerprints(b)
                for actor in (state.fingerprints(Who(a.user_id)) if directed else (0,))
                if tag._replace(account=actor) in state.pairs.get(mine, {}).get(other, ())
            }
            self._append([stop_record("lift", tag, sorted(stopped))] if stopped else [])
            self._append([pair_record("lift", tag, sorted(ends))] if ends else [])

    def take_back(self, tag: LedgerTag, people: Iterable[Who]) -> None:
        """Note that whatever these people said of others under a tag no longer holds."""
        with self._lock, self._file.alone():
            state = self._begun()
            _, apart = told_under(state, tag)
            said = {own for who in people for own in state.fingerprints(Who(who.user_id))} if apart else set()
            ended = [pair for pair in apart if pair[2] in said]
            self._append([pair_record("lift", tag, ended)] if ended else [])

    def inherit(self, who: Who, person: int) -> None:
        """Note that whatever restricts an account restricts its person, named by fingerprint (0: unknown)."""
        with self._lock, self._file.alone():
            state = self._begun()
            stops, pairs = [], []
            for one in state.fingerprints(who) if person else ():
                stops += list(state.stops.get(one, ()))
                pairs += list(state.pairs.get(one, ()))
            tag, known = LedgerTag(SUPPRESSED, STORE), state.pairs.get(person, {})
            if stops and tag not in state.stops.get(person, ()):
                self._append([stop_record("stop", tag, [(person, 0)])])
            new = sorted({other for other in pairs if other != person and tag not in known.get(other, ())})
            if new:
                self._append(
                    [record_of("separate", tag, pairs=[one for other in new for one in (other, person)])]
                )

    def link(self, pairs: Iterable[tuple[int, int]], *, spelled: bool = False) -> None:
        """Note that two fingerprints are of one person: what restricts either restricts both.

        spelled: because of how an id is spelled; it does not count while spelling tells people apart.
        """
        with self._lock, self._file.alone():
            self._begun()
            self._link(pairs, spelled=spelled)

    def _link(self, pairs: Iterable[tuple[int, int]], *, spelled: bool = False) -> None:
        """Note links while nobody else writes; an account is linked with its person before it is named.

        Then what is said of either holds when the account comes back with another token.
        """
        new = sorted(self._state.unnoted(pairs, spelled=spelled))
        ends = "".join(f"{one:016x}" for pair in new for one in pair)
        record = {"kind": "link", "pairs": ends} | ({"spelled": True} if spelled else {})
        self._append([record] if new else [])

    def _spelled(self, ids: Iterable[str]) -> set[tuple[int, int]]:
        """Return the links of ids with all their spellings."""
        newest = self._state.namings[-1]
        return {spelling_link(newest, one) for one in set(ids)}

    def note_spellings(self, *, told_apart: bool) -> None:
        """Note whether ids that differ in spelling alone are of different people."""
        with self._lock, self._file.alone():
            if self._begun().are_told_apart != told_apart:
                self._append([{"kind": "link", "pairs": "", "told_apart": told_apart}])

    def note_erasures(self, people: int, watermark: str) -> None:
        """Note how many people have asked to be erased, and when the latest did."""
        if (people, watermark) != self.now().erasures:
            self.append([{"kind": "erasures", "people": people, "watermark": watermark}])

    def note_stop_rows(self, rows: Sequence[int], *, once_served: bool = False) -> None:
        """Note rows of profiles that say a ban or a hold as read, by their fingerprints.

        once_served: whether they count as read only once the night is served, where one is under judgement.
        """
        del once_served  # here nothing is under judgement
        with self._lock, self._file.alone():
            known = self._begun().stop_rows
            new = sorted(set(rows) - (known or set()))
            record = {"kind": STOP_ROWS, "rows": "".join(f"{one:016x}" for one in new)}
            self._append([record] if new or known is None else [])

    def append(self, records: Sequence[Record]) -> None:
        """Append records; they are on the disk when this returns."""
        with self._lock, self._file.alone():
            self._begun()
            self._append(records)

    def begin(self) -> LedgerState:
        """Make the ledger when there is none yet, take a new key into use, and return what it says."""
        with self._lock, self._file.alone():
            return self._begun()

    def _begun(self) -> LedgerState:
        state = self.now()
        if not state.namings:
            self._append([{"kind": "begin", "ledger": secrets.token_hex(8), "key": self.keys.newest_id}])
        elif self.keys.newest_id not in {"", state.namings[-1].naming.key}:
            self._append([{"kind": "key", "key": self.keys.newest_id}])
        return self._state

    def _append(self, records: Sequence[Record]) -> None:
        if not records:
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        stamped = [{**record, "at": now} for record in records]
        self._at = self._file.append(stamped, self._at)
        for record in stamped:
            self._state.take(record, self.keys)
        self._seen = self._file.state()


def told_under(
    state: LedgerState, tag: LedgerTag
) -> tuple[list[tuple[int, int]], list[tuple[int, int, int]]]:
    """Return who is stopped under a tag, and which pairs are apart, each with the account it is told of."""
    stopped = {
        (one, told.account) for one, tags in state.stops.items() for told in tags if told[:2] == tag[:2]
    }
    apart = {
        (one, other, told.account)
        for one, others in state.pairs.items()
        for other, tags in others.items()
        for told in tags
        if one < other and told[:2] == tag[:2]
    }
    return sorted(stopped), sorted(apart)
