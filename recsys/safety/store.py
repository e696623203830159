"""The interface of safety stores: who may not be shown to one viewer, at this very moment.

A store holds what happened since the last night and cannot wait for the next: pairs kept apart
(blocks and reports), people under a hold, people who were erased. It is asked in every call, so one
question takes one round trip. A store that cannot answer raises; nobody guesses.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, NamedTuple, Protocol, TypeVar, runtime_checkable

from recsys.errors import InputError, SafetyUnavailable, explained

BLOCK: Final = "block"
REPORT: Final = "report"
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


class SafetyStore(Protocol):
    """Reads for every call, and the few writes a backend makes; any thread may call any method.

    Every method raises SafetyUnavailable when the store cannot answer in time.

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
        """Keep two people apart for good, whoever of them asked."""
        ...

    def report(self, actor: str, target: str, at: datetime | None = None) -> None:
        """Keep two people apart because one reported the other."""
        ...

    def hold(self, user_id: str, at: datetime | None = None) -> None:
        """Take a person out of everybody's sight until the hold is lifted."""
        ...

    def lift(self, user_id: str) -> None:
        """End a hold."""
        ...

    def erase(self, user_id: str, at: datetime | None = None) -> None:
        """Take a person out of everybody's sight for good, and drop what is held about them."""
        ...


class StoreRestrictions(NamedTuple):
    """What a store holds about one person: whether they are held, and from whom they are kept apart."""

    held: bool
    others: frozenset[str]


@runtime_checkable
class StoreWithRestrictions(Protocol):
    """A store that says what it holds about one person, so that an erasure keeps what protects others."""

    def restrictions_of(self, user_id: str) -> StoreRestrictions:
        """Return whether somebody is held, and from whom they are kept apart."""
        ...


@runtime_checkable
class CountedStore(Protocol):
    """A store that has an identity and counts its writes, so that one made anew or set back is noticed."""

    def watermark(self) -> tuple[str, int]:
        """Return the identity and how many writes were taken."""
        ...


def utc_moment(at: datetime | None) -> datetime:
    """Return `at` in UTC, now when None.

    Raises InputError for a time without a zone.
    """
    if at is None:
        return datetime.now(UTC)
    if at.tzinfo is None:
        raise InputError(explained("a time needs a zone", got=at.isoformat(), remedy="use UTC"))
    return at.astimezone(UTC)


_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def canonical_person(user_id: object) -> str:
    """Return an id that is spelled as everywhere else.

    Raises InputError, without repeating the id, for anything but a text, and for a text with blanks at its
    ends, full-width or invisible characters, or a UUID in capitals: a store would keep it and nobody would
    be separated or held by it.

    >>> canonical_person("u1")
    'u1'
    >>> canonical_person("u1 ")
    Traceback (most recent call last):
    recsys.errors.InputError: an id is not in its canonical spelling; give it as the profiles table has it
    """
    if not isinstance(user_id, str):
        raise InputError(explained("a person is named by an id", got=type(user_id).__name__, remedy="a text"))
    folded = unicodedata.normalize("NFKC", user_id).strip()
    capitals = _UUID.fullmatch(user_id) and user_id != user_id.lower()
    if not user_id or folded != user_id or not user_id.isprintable() or capitals:
        remedy = "give it as the profiles table has it"
        raise InputError(explained("an id is not in its canonical spelling", remedy=remedy))
    return user_id


def distinct_pair(actor: object, target: object) -> tuple[str, str]:
    """Return the pair.

    Raises InputError when both are one person, or one is not in canonical spelling.
    """
    a, b = canonical_person(actor), canonical_person(target)
    if a == b:
        raise InputError(explained("a pair is two people", where="actor and target", remedy="name two"))
    return a, b


def ask_safety(ask: Callable[[], Answer]) -> Answer:
    """Return what a safety store answers; whatever it raises becomes SafetyUnavailable."""
    try:
        return ask()
    except SafetyUnavailable:
        raise
    except Exception as error:  # a store of the caller's may raise anything
        what = explained("the safety store cannot answer", got=type(error).__name__)
        raise SafetyUnavailable(what) from None


class MemorySafety:
    """Holds everything in sets; another process sees none of it.

    >>> store = MemorySafety()
    >>> store.block("a", "b")
    >>> store.exclusions("b", ["a", "c"])
    SafetyExclusions(viewer_excluded=False, excluded=frozenset({'a'}))
    """

    def __init__(self) -> None:
        self._separated: dict[str, set[str]] = {}
        self._on_hold: set[str] = set()
        self._erased: dict[str, datetime] = {}

    def exclusions(self, viewer: str, candidates: Sequence[str]) -> SafetyExclusions:
        """Return how `viewer` and `candidates` stand now."""
        separated = self._separated.get(viewer, set())
        excluded = frozenset(c for c in candidates if c in separated or self._is_excluded(c))
        return SafetyExclusions(self._is_excluded(viewer), excluded)

    def erased_since(self, moment: datetime | None) -> frozenset[str]:
        """Return who was erased at `moment` or later."""
        return frozenset(
            user for user, at in list(self._erased.items()) if moment is None or at >= utc_moment(moment)
        )

    def restrictions_of(self, user_id: str) -> StoreRestrictions:
        """Return whether somebody is held, and from whom they are kept apart."""
        return StoreRestrictions(user_id in self._on_hold, frozenset(self._separated.get(user_id, ())))

    def block(self, actor: str, target: str, at: datetime | None = None) -> None:
        """Keep two people apart for good."""
        utc_moment(at)
        a, b = distinct_pair(actor, target)
        self._separated.setdefault(a, set()).add(b)
        self._separated.setdefault(b, set()).add(a)

    def report(self, actor: str, target: str, at: datetime | None = None) -> None:
        """Keep two people apart because one reported the other."""
        self.block(actor, target, at)

    def hold(self, user_id: str, at: datetime | None = None) -> None:
        """Take a person out of everybody's sight until the hold is lifted."""
        utc_moment(at)
        self._on_hold.add(canonical_person(user_id))

    def lift(self, user_id: str) -> None:
        """End a hold."""
        self._on_hold.discard(canonical_person(user_id))

    def erase(self, user_id: str, at: datetime | None = None) -> None:
        """Take a person out of everybody's sight for good, and drop what is held about them."""
        user_id = canonical_person(user_id)
        self._erased.setdefault(user_id, utc_moment(at))
        self._on_hold.discard(user_id)
        for other in self._separated.pop(user_id, set()):
            self._separated[other].discard(user_id)

    def _is_excluded(self, user_id: str) -> bool:
        return user_id in self._on_hold or user_id in self._erased


_DAYS_KEPT: Final = 2


@runtime_checkable
class ShownLog(Protocol):
    """Remembers who was shown to whom on a day; any thread may call it.

    >>> isinstance(MemoryShown(), ShownLog)
    True
    """

    def shown(self, viewer: str, day: date) -> frozenset[str]:
        """Return the people the viewer was shown on that day."""
        ...

    def remember(self, viewer: str, day: date, candidates: Iterable[str]) -> None:
        """Note that the viewer was shown these people on that day."""
        ...


class MemoryShown:
    """Remembers in this process alone, for today and yesterday.

    >>> log, today = MemoryShown(), date(2026, 1, 5)
    >>> log.remember("a", today, ["b"])
    >>> log.shown("a", today), log.shown("b", today)
    (frozenset({'b'}), frozenset())
    """

    def __init__(self) -> None:
        self._days: dict[date, dict[str, frozenset[str]]] = {}

    def shown(self, viewer: str, day: date) -> frozenset[str]:
        """Return the people the viewer was shown on that day."""
        return self._days.get(day, {}).get(viewer, frozenset())

    def remember(self, viewer: str, day: date, candidates: Iterable[str]) -> None:
        """Note that the viewer was shown these people on that day."""
        of_day = self._days.setdefault(day, {})
        of_day[viewer] = of_day.get(viewer, frozenset()) | frozenset(candidates)
        for old in sorted(self._days)[:-_DAYS_KEPT]:
            self._days.pop(old, None)
