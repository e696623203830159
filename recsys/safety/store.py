"""The interface of safety stores: who may not be shown to one viewer, at this very moment.

A store holds what happened since the last night and cannot wait for the next: pairs kept apart
(blocks and reports), people under a hold, people who were erased. It is asked in every call, so one
question takes one round trip. A store that cannot answer raises; nobody guesses.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, Protocol, TypeVar, runtime_checkable

from recsys.data.unknown_words import LEAVE
from recsys.errors import InputError, SafetyUnavailable, explained
from recsys.safety.canonical import (
    canonical_person,
    distinct_pair,
    is_any_spelling,
    pairs_written_as,
    read_as,
    restricts_even_refused,
    utc_moment,
    without_mark,
    written_as,
)
from recsys.safety.day_log import MemoryDayLog
from recsys.safety.fingerprints import without_id
from recsys.safety.hold_words import OPERATOR, hold_words, words_even_refused

BLOCK: Final = "block"
REPORT: Final = "report"
DAY: Final = "day"
"""Why a pair is apart by an event of the day; nobody takes it back."""
MEMBER: Final = "member"
"""The owner of a pause: a member who takes themselves out of sight."""
LEAVER: Final = LEAVE
"""The owner of the hold of who leaves, or whose erasure was refused; no end of a pause ends it."""
REFUSED_BAN: Final = "refused"
"""The owner of the hold of a refused word for a ban, such as `BANNED`: nobody's own hold ends with it."""
PROOF: Final = "proof"
"""The owner of a hold by a proof of age or identity that was taken back: a new proof alone ends it."""
TAKEN_BACK: Final = "taken_back"
"""The reason of that hold: a hold of the same owner for another reason is somebody else's."""
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class SafetyExclusions:
    """How one viewer and some candidates stand.

    viewer_excluded: the viewer is held or erased: nobody may be shown to them.
    excluded:        those of the candidates who may not be shown to the viewer. Why is not said.

    >>> SafetyExclusions(viewer_excluded=False, excluded=frozenset({"b"})).excluded
    frozenset({'b'})
    """

    viewer_excluded: bool
    excluded: frozenset[str]


class ReadsExclusions(Protocol):
    """What says how a viewer and candidates stand."""

    def exclusions(self, viewer: str, candidates: Sequence[str]) -> SafetyExclusions:
        """Return how `viewer` and `candidates` stand."""
        ...


class SafetyStore(Protocol):
    """Reads for every call, and the few writes a backend makes; any thread may call any method.

    Every method raises SafetyUnavailable when the store cannot answer in time. What restricts two people or
    one has an owner, who alone takes it back: a block the person who made it, a hold whoever set it. Reports
    and erasures last.

    A store knows nobody, so what restricts counts for an id in every spelling: `U1` and `u1` are one here.
    A block, report or hold that is refused, such as one of an id with a blank, restricts whom it can mean all
    the same. The safety of a ranker, `Ranker.safety`, knows the people: it refuses an id that is somebody's
    but for its spelling, and means one id alone.

    A pause is a hold of its member: `hold(user_id, owner=MEMBER, reason="pause")` until
    `lift(user_id, owner=MEMBER)`.

    >>> from recsys.safety.store import MemorySafety
    >>> store: SafetyStore = MemorySafety()
    >>> store.hold("a")
    >>> store.exclusions("a", []).viewer_excluded
    True
    """

    def exclusions(self, viewer: str, candidates: Sequence[str]) -> SafetyExclusions:
        """Return how `viewer` and `candidates` stand now; ids nobody knows stand free."""
        ...

    def erased_since(self, moment: datetime | None) -> frozenset[str]:
        """Return who was erased at `moment` or later; None is everybody who ever was."""
        ...

    def block(self, actor: str, target: str, at: datetime | None = None) -> None:
        """Keep two people apart, both ways, until whoever blocked takes it back."""
        ...

    def report(self, actor: str, target: str, at: datetime | None = None) -> None:
        """Keep two people apart because one reported the other."""
        ...

    def unblock(self, actor: str, target: str) -> None:
        """Take back every block by `actor` of `target`; a block by `target`, and a report, stays."""
        ...

    def hold(
        self, user_id: str, at: datetime | None = None, *, owner: str = OPERATOR, reason: str = ""
    ) -> None:
        """Take a person out of everybody's sight until this hold and every other is lifted.

        owner, reason: short words, see `hold_words`, such as an operator's case and what it is about.
        """
        ...

    def lift(self, user_id: str, *, owner: str = OPERATOR, reason: str | None = None) -> None:
        """End the holds of one owner: of one reason, of every reason when None."""
        ...

    def erase(self, user_id: str, at: datetime | None = None) -> None:
        """Take a person out of everybody's sight for good, and drop what is held about them."""
        ...


class StoreHold(NamedTuple):
    """One hold on a person: whose it is, and why; only its owner lifts it."""

    owner: str
    reason: str


class StoreRestrictions(NamedTuple):
    """What a store holds about one person: every hold, sorted, and from whom they are kept apart."""

    holds: tuple[StoreHold, ...]
    others: frozenset[str]

    @property
    def held(self) -> bool:
        """Whether any hold is on them."""
        return bool(self.holds)


class StoreStanding(NamedTuple):
    """How many people stand at once.

    separated: from whom each of the people asked for is kept apart. out: who of everybody named is held or
    erased.
    """

    separated: Mapping[str, frozenset[str]]
    out: frozenset[str]


def standing_of(
    people: Iterable[str], others: Iterable[str], rows: Iterable[tuple[str, str | None]]
) -> StoreStanding:
    """Return how people stand by rows of a store: a person and whom they are kept from, None for a hold.

    rows: in the spelling of the store, see `recsys.safety.canonical.read_as`.
    """
    rows = list(rows)
    if not rows:
        return StoreStanding({str(one): frozenset() for one in people}, frozenset())
    named = read_as([*people, *others])
    separated: dict[str, set[str]] = {str(one): set() for one in people}
    out = set[str]()
    for person, other in rows:
        if other is None:
            out.update(named.get(person, ()))
            continue
        for one in named.get(person, ()):
            if one in separated:
                separated[one] |= {without_mark(other), *named.get(other, ())} - {one}
    return StoreStanding({one: frozenset(apart) for one, apart in separated.items()}, frozenset(out))


@runtime_checkable
class StoreForMany(Protocol):
    """A store that answers for many people in one question."""

    def standing(self, people: Sequence[str], others: Sequence[str]) -> StoreStanding:
        """Return from whom `people` are kept apart, and who of them and of `others` is held or erased."""
        ...


@runtime_checkable
class StoreWithRestrictions(Protocol):
    """A store that says what it holds about one person, so that an erasure keeps what protects others."""

    def restrictions_of(self, user_id: str) -> StoreRestrictions:
        """Return the holds on somebody, and from whom they are kept apart."""
        ...


@runtime_checkable
class StoreWithHolds(Protocol):
    """A store that says whom it holds at all."""

    def all_holds(self) -> Mapping[str, tuple[StoreHold, ...]]:
        """Return everybody who is held, ids ascending, with every hold, sorted."""
        ...


@runtime_checkable
class StoreNamingPeople(SafetyStore, Protocol):
    """A store that says whom it names, so that nobody who was erased elsewhere stays in it."""

    def named_people(self) -> frozenset[str]:
        """Return the id of everybody whom it names, but for the list of those who were erased."""
        ...


@runtime_checkable
class StoreWithNames(SafetyStore, Protocol):
    """A store that holds names which members or a backend made, and in which an erased id may stand."""

    def redact_names(self, redact: Callable[[str], str]) -> None:
        """Rewrite these names as `redact` gives them."""
        ...


@runtime_checkable
class StoreWithErasedIds(SafetyStore, Protocol):
    """A store that keeps ids of erased people until what is served was made without them."""

    def drop_erased(self, ids: Sequence[str]) -> None:
        """Forget ids of erased people, whom the list of erasures keeps out from now on."""
        ...


@runtime_checkable
class StoreInFile(StoreWithErasedIds, Protocol):
    """The same in a file of this machine."""

    @property
    def path(self) -> Path:
        """The file."""
        ...


@runtime_checkable
class StoreWithPages(Protocol):
    """A store beside which a database answers pages of its own, by the persons that a night knew."""

    def note_separated(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Note pairs that are apart for good by something other than a block or a report, as a ledger has it.

        Nobody takes them back.
        """
        ...

    def note_changed_persons(self, accounts: Sequence[str]) -> None:
        """Note accounts that came to have another account of their person by day, or that are out by it.

        Until what is served is exported anew they have no page, and stand on none.
        """
        ...


def holds_by_person(rows: Iterable[tuple[str, str, str]]) -> dict[str, tuple[StoreHold, ...]]:
    """Return who is held by rows of a store: person, owner, reason.

    >>> holds_by_person([("b", "case-1", ""), ("a", "operator", ""), ("b", "case-0", "")])["b"][0].owner
    'case-0'
    """
    found: dict[str, list[StoreHold]] = {}
    for person, owner, reason in sorted(rows):
        if is_any_spelling(person):  # beside the row of the id itself
            continue
        found.setdefault(person, []).append(StoreHold(owner, reason))
    return {person: tuple(holds) for person, holds in found.items()}


@runtime_checkable
class CountedStore(Protocol):
    """A store that has an identity and counts its writes, so that one made anew or set back is noticed."""

    def watermark(self) -> tuple[str, int]:
        """Return the identity and how many writes were taken."""
        ...


def ask_safety(ask: Callable[[], Answer]) -> Answer:
    """Return what a safety store answers; whatever it raises becomes SafetyUnavailable."""
    try:
        return ask()
    except SafetyUnavailable:
        raise
    except Exception as error:  # a store of the caller's may raise anything
        what = explained("the safety store cannot answer", got=type(error).__name__)
        raise SafetyUnavailable(what) from None


def ask_safety_or_input(ask: Callable[[], Answer]) -> Answer:
    """Return the same; an error of input stays one."""
    try:
        return ask_safety(lambda: _input_kept(ask))
    except _InputGivenError as given:
        raise given.error from None


class _InputGivenError(SafetyUnavailable):
    """Carries an error of input through what makes every other one unavailable."""

    def __init__(self, error: InputError) -> None:
        super().__init__("")
        self.error = error


def _input_kept(ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    except InputError as error:
        raise _InputGivenError(error) from None


class RestrictingStore(ABC):
    """What every store of the package restricts, whom it can mean also where a call is refused."""

    def block(self, actor: str, target: str, at: datetime | None = None) -> None:
        """Keep two people apart, both ways, until whoever blocked takes it back."""
        with restricts_even_refused(partial(self._separate, BLOCK), actor, target):
            self._separate(BLOCK, actor, target, at)

    def report(self, actor: str, target: str, at: datetime | None = None) -> None:
        """Keep two people apart because one reported the other."""
        with restricts_even_refused(partial(self._separate, REPORT), actor, target):
            self._separate(REPORT, actor, target, at)

    def hold(
        self, user_id: str, at: datetime | None = None, *, owner: str = OPERATOR, reason: str = ""
    ) -> None:
        """Take a person out of everybody's sight until this hold and every other is lifted."""
        with restricts_even_refused(partial(self._hold, *words_even_refused(owner, reason)), user_id):
            self._hold(owner, reason, user_id, at)

    def erase(self, user_id: str, at: datetime | None = None) -> None:
        """Take a person out of everybody's sight for good, and drop what is held about them."""
        with restricts_even_refused(partial(self._hold, LEAVER, ""), user_id):
            self._erase(user_id, at)

    @abstractmethod
    def _separate(self, kind: str, actor: str, target: str, at: datetime | None = None) -> None: ...

    @abstractmethod
    def _hold(self, owner: str, reason: str, user_id: str, at: datetime | None = None) -> None: ...

    @abstractmethod
    def _erase(self, user_id: str, at: datetime | None) -> None: ...


class MemorySafety(RestrictingStore):
    """Holds everything in sets; another process sees none of it.

    >>> store = MemorySafety()
    >>> store.block("a", "b")
    >>> store.exclusions("b", ["a", "c"])
    SafetyExclusions(viewer_excluded=False, excluded=frozenset({'a'}))
    """

    def __init__(self) -> None:
        self._separated: dict[str, dict[str, set[tuple[str, str]]]] = {}  # by person and other: kind, actor
        self._holds: dict[str, set[tuple[str, str]]] = {}
        self._erased: dict[str, datetime] = {}
        self._erased_in_any_spelling: set[str] = set()
        self._lock = threading.Lock()
        self._day = MemoryDayLog()

    @property
    def day(self) -> MemoryDayLog:
        """What happens between two nights."""
        return self._day

    def exclusions(self, viewer: str, candidates: Sequence[str]) -> SafetyExclusions:
        """Return how `viewer` and `candidates` stand now."""
        standing = self.standing([viewer], candidates)
        gone = standing.separated[viewer] | standing.out
        excluded = frozenset(c for c in candidates if c in gone and c != viewer)
        return SafetyExclusions(viewer in standing.out, excluded)

    def erased_since(self, moment: datetime | None) -> frozenset[str]:
        """Return who was erased at `moment` or later."""
        return frozenset(
            user for user, at in list(self._erased.items()) if moment is None or at >= utc_moment(moment)
        )

    def standing(self, people: Sequence[str], others: Sequence[str]) -> StoreStanding:
        """Return from whom people are kept apart, and who is held or erased."""
        pairs = [(one, other) for one in read_as(people) for other in list(self._separated.get(one, ()))]
        stopped = [(one, None) for one in read_as([*people, *others]) if self._is_excluded(one)]
        return standing_of(people, others, [*pairs, *stopped])

    def restrictions_of(self, user_id: str) -> StoreRestrictions:
        """Return the holds on somebody, and from whom they are kept apart."""
        texts = read_as([user_id])
        holds = {StoreHold(*words) for one in texts for words in self._holds.get(one, ())}
        others = {without_mark(other) for one in texts for other in self._separated.get(one, ())}
        return StoreRestrictions(tuple(sorted(holds)), frozenset(others))

    def all_holds(self) -> dict[str, tuple[StoreHold, ...]]:
        """Return everybody who is held, with every hold."""
        return holds_by_person((person, *words) for person, held in self._holds.items() for words in held)

    def unblock(self, actor: str, target: str) -> None:
        """Take back every block by `actor` of `target`."""
        a, b = distinct_pair(actor, target)
        with self._lock:
            for low, high in pairs_written_as(a, b, checked=False):
                for one, other in ((low, high), (high, low)):
                    left = self._separated.get(one, {}).get(other, set()) - {(BLOCK, a)}
                    of_one = {**self._separated.get(one, {}), other: left}
                    self._separated[one] = {person: why for person, why in of_one.items() if why}

    def _hold(self, owner: str, reason: str, user_id: str, at: datetime | None = None) -> None:
        utc_moment(at)
        held, words = canonical_person(user_id), hold_words(owner, reason)
        with self._lock:
            for one in written_as(held):
                self._holds[one] = self._holds.get(one, set()) | {words}

    def lift(self, user_id: str, *, owner: str = OPERATOR, reason: str | None = None) -> None:
        """End the holds of one owner."""
        held, words = canonical_person(user_id), hold_words(owner, reason or "")
        with self._lock:
            for one in read_as([held]):
                left = {
                    (whose, why)
                    for whose, why in self._holds.get(one, ())
                    if whose != words[0] or reason not in {None, why}
                }
                self._holds = {**self._holds, one: left}
                if not left:
                    del self._holds[one]

    def _erase(self, user_id: str, at: datetime | None) -> None:
        user_id = canonical_person(user_id)
        with self._lock:
            self._erased.setdefault(str(user_id), utc_moment(at))
            self._erased_in_any_spelling.update(written_as(user_id)[1:])
            for one in read_as([user_id]):
                self._holds.pop(one, None)
                for other in self._separated.pop(one, {}):
                    self._separated[other].pop(one, None)
            self._holds = {
                one: {(without_id(whose, user_id), without_id(why, user_id)) for whose, why in words}
                for one, words in self._holds.items()
            }
        self._day.erase(user_id)

    def drop_erased(self, ids: Sequence[str]) -> None:
        """Forget ids of people who were erased."""
        for text in read_as(ids):
            self._erased.pop(text, None)
            self._erased_in_any_spelling.discard(text)

    def _separate(self, kind: str, actor: str, target: str, at: datetime | None = None) -> None:
        utc_moment(at)
        a, b = distinct_pair(actor, target)
        with self._lock:
            for low, high in pairs_written_as(a, b):
                for one, other in ((low, high), (high, low)):
                    self._separated.setdefault(one, {}).setdefault(other, set()).add((kind, a))

    def _is_excluded(self, user_id: str) -> bool:
        return user_id in self._holds or user_id in self._erased or user_id in self._erased_in_any_spelling
