"""The safety ledger: every separation and stop that any night or store has seen, and every lift.

It lies beside the publications and only grows, so that neither an older publication nor a store made anew
brings anybody back. People are in it as keyed fingerprints: of an id, and of a person token.
"""

import secrets
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from recsys.errors import SafetyUnavailable, explained
from recsys.safety.canonical import in_any_spelling
from recsys.safety.fingerprints import ID, PERSON, SPELLING, Fingerprints, Naming
from recsys.safety.keys import Keys, read_keys
from recsys.safety.ledger_file import (
    LedgerFile,
    LedgerWatermark,
    Position,
    Record,
    change_tags,
    numbers_in,
    pair_record,
    record_of,
    refused,
    stop_record,
)

BAN: Final = "ban"
HOLD: Final = "hold"
SUPPRESSED: Final = "suppressed"
"""The stop of somebody who was banned or held when they were erased."""
TABLES: Final = "tables"
"""The owner of what a night read in its tables."""
ACCOUNT: Final = "account"
"""The owner of the state `hold` that an account's own row of the tables says."""
STORE: Final = "store"
"""The owner of what was written through a safety store."""
TODAY: Final = "today"
"""The owner of what an account's own tables of today, or the profile it came with, say of its state."""


class Who(NamedTuple):
    """How one account is known: its id, and the token of its person where there is one."""

    user_id: str
    token: str | None = None


class LedgerTag(NamedTuple):
    """Why somebody is stopped or a pair separated, and whose word it is; only its owner lifts it.

    account: the fingerprint of the account of which it was said, or of a separation of which somebody's word
    can be taken back, that of the account that said it; 0 when of none.
    """

    why: str
    owner: str
    account: int = 0


@dataclass(eq=False)
class LedgerState:
    """What the records say together; see `SafetyLedger.now`.

    links: fingerprints of one person, such as those of a token that was replaced by another.
    erasures: how many people had asked to be erased, with the time of the latest. stores: how many writes
    each safety store had taken when the ledger last heard of it. stopped_at: by fingerprint and tag, the time
    as of which a night first read a stop, ISO UTC; a stop without such a time is lacking.
    """

    identity: str = ""
    namings: list[Fingerprints] = field(default_factory=list)
    stops: dict[int, set[LedgerTag]] = field(default_factory=dict)
    stopped_at: dict[tuple[int, LedgerTag], str] = field(default_factory=dict)
    pairs: dict[int, dict[int, set[LedgerTag]]] = field(default_factory=dict)
    links: dict[int, set[int]] = field(default_factory=dict)
    erasures: tuple[int, str] = (0, "")
    stores: dict[str, int] = field(default_factory=dict)
    _persons: dict[int, frozenset[int]] = field(default_factory=dict, init=False, repr=False)

    @property
    def restricts(self) -> bool:
        """Whether anybody is stopped or kept apart at all."""
        return bool(self.stops or self.pairs)

    def fingerprints(self, who: Who) -> tuple[int, ...]:
        """Return every fingerprint under which somebody may stand here."""
        named = [(ID, who.user_id), (PERSON, who.token)] if who.token else [(ID, who.user_id)]
        return tuple([naming.of(kind, text) for naming in self.namings for kind, text in named])

    def fingerprints_of_ids(self, ids: Sequence[str]) -> list[list[int]]:
        """Return, for each naming, the fingerprints of accounts of which the id alone is known."""
        return [naming.of_ids(ids) for naming in self.namings]

    def primary(self, who: Who) -> int:
        """Return the fingerprint under which somebody is written: of the person where that is known."""
        newest = self.namings[-1]
        return newest.of(PERSON, who.token) if who.token else newest.of(ID, who.user_id)

    def linked(self, fingerprints: Iterable[int]) -> set[int]:
        """Return every fingerprint of the persons of these."""
        found = set(fingerprints)
        for one in self.links.keys() & found:
            found |= self._persons.get(one) or self._person(one)
        return found

    def _person(self, fingerprint: int) -> frozenset[int]:
        """Return every fingerprint linked with one, and remember it for each of them."""
        known, found, fresh = self._persons, {fingerprint}, {fingerprint}
        while fresh:
            fresh = set[int]().union(*(self.links[one] for one in fresh)) - found
            found |= fresh
        person = frozenset(found)
        known.update(dict.fromkeys(person, person))
        return person

    def is_stopped(self, fingerprints: Iterable[int]) -> bool:
        """Say whether the person of one of these stands stopped."""
        return not self.stops.keys().isdisjoint(self.linked(fingerprints))

    def links_of_spelling(self, user_id: str) -> tuple[int, int] | None:
        """Return the link of an account to what is known here of its id in any spelling; None for nothing."""
        known = (_spelled(naming, user_id) for naming in self.namings)
        return next((link for link in known if link[1] in self.links), None)

    def accounts(self, user_id: str) -> set[int]:
        """Return the fingerprints of an account, and of the same id in other spellings linked with it."""
        found = set(self.fingerprints(Who(user_id)))
        if self.links.keys().isdisjoint(found):
            return found
        for naming in self.namings:
            own, spelled = _spelled(naming, user_id)
            if own in self.links.get(spelled, ()):
                found |= self.links[spelled]
        return found

    def stop_of_account(self, user_id: str, tag: LedgerTag) -> str | None:
        """Return the time as of which a stop of an account was read, "" when it has none, None without it."""
        found = [
            self.stopped_at.get((one, tag._replace(account=one)), "")
            for one in self.accounts(user_id)
            if tag._replace(account=one) in self.stops.get(one, ())
        ]
        return max(found, default=None)

    def separated_from(self, fingerprints: Iterable[int]) -> frozenset[int]:
        """Return the fingerprints of persons who are kept apart from those of any of these."""
        others = (other for one in self.linked(fingerprints) for other in self.pairs.get(one, ()))
        return frozenset(self.linked(others))

    def take(self, record: Record, keys: Keys) -> None:
        """Take one more record in."""
        kind = record["kind"]
        if kind in {"begin", "key"}:
            self.identity = record.get("ledger", self.identity)
            self.namings.append(Fingerprints(Naming(record["key"]), keys))
        elif kind == "erasures":
            self.erasures = (int(record["people"]), str(record["watermark"]))
        elif kind == "store":
            self.stores[record["store"]] = max(self.stores.get(record["store"], 0), int(record["writes"]))
        elif kind == "link":
            ends = numbers_in(record["pairs"])
            for a, b in zip(ends[::2], ends[1::2], strict=True):
                self.links.setdefault(a, set()).add(b)
                self.links.setdefault(b, set()).add(a)
            self._persons = {}  # not cleared: another thread may still write what it found before
        elif kind in {"stop", "separate", "lift"}:
            self._restrict(record, LedgerTag(record["why"], record["owner"]), lifts=kind == "lift")
        else:
            raise refused("holds a record this version does not know", got=kind)

    def _restrict(self, record: Record, tag: LedgerTag, *, lifts: bool) -> None:
        people, accounts = numbers_in(record.get("people", "")), numbers_in(record.get("accounts", ""))
        for one, account in zip(people, accounts, strict=True):
            told = tag._replace(account=account)
            change_tags(self.stops, one, told, lifts=lifts)
            self.stopped_at.pop((one, told), None)
            if not lifts and record.get("as_of"):
                self.stopped_at[one, told] = str(record["as_of"])
        ends = numbers_in(record.get("pairs", ""))
        actors = numbers_in(record.get("actors", "")) or [0] * (len(ends) // 2)
        for one, other, actor in zip(ends[::2], ends[1::2], actors, strict=True):
            for a, b in ((one, other), (other, one)):
                of_one = self.pairs.setdefault(a, {})
                change_tags(of_one, b, tag._replace(account=actor), lifts=lifts)
                if not of_one:
                    del self.pairs[a]


class SafetyLedger:
    """The ledger of one folder of publications, read on whenever its file grew; any thread may ask.

    Without a key its lines are chained by plain hashes: damage and loss are noticed, a forger is not.

    >>> import tempfile
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
        read, or signed with a key that is not given.
        """
        found = self._file.state()
        if found is None and not self._at.codes:
            return self._state
        if found != self._seen:
            with self._lock:
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
            remedy = "restore the store; bind_store takes another one on purpose"
            raise SafetyUnavailable(explained("the safety store is another one", remedy=remedy))
        if writes < stores[identity]:
            remedy = "restore the newest copy of it, its write-ahead log too"
            raise SafetyUnavailable(explained("the safety store is older than the ledger", remedy=remedy))

    def bind_store(self, identity: str | None, writes: int) -> None:
        """Note that a safety store belongs here, and how many writes it has taken."""
        if identity is not None:
            self.append([{"kind": "store", "store": identity, "writes": writes}])

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
            self._link({*named, *(_spelled(newest, who.user_id) for who in people)})
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
            spelled = {_spelled(own, one) for one in {who.user_id for pair in pairs for who in pair}}
            self._link(spelled | {(own.of(ID, who.user_id), state.primary(who)) for who in ends})
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

    def link(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Note that two fingerprints are of one person: what restricts either restricts both."""
        with self._lock, self._file.alone():
            self._begun()
            self._link(pairs)

    def _link(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Note links while nobody else writes; an account is linked with its person before it is named.

        Then what is said of either holds when the account comes back with another token.
        """
        known = self._state.links
        new = sorted({(a, b) for a, b in pairs if a and b and a != b and b not in known.get(a, ())})
        ends = "".join(f"{one:016x}" for pair in new for one in pair)
        self._append([{"kind": "link", "pairs": ends}] if new else [])

    def note_erasures(self, people: int, watermark: str) -> None:
        """Note how many people have asked to be erased, and when the latest did."""
        if (people, watermark) != self.now().erasures:
            self.append([{"kind": "erasures", "people": people, "watermark": watermark}])

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


def _spelled(naming: Fingerprints, user_id: str) -> tuple[int, int]:
    """Return the fingerprints of an id and of all its spellings together."""
    return naming.of(ID, user_id), naming.of(SPELLING, in_any_spelling(user_id))
