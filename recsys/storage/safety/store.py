"""What a safety store answers: who may not be shown to one viewer, at this very moment.

A store holds what happened since the last night and cannot wait for the next: pairs kept apart
(blocks and reports), people under a hold, people who were erased. It is asked in every call, so one
question takes one round trip. A store that cannot answer raises; nobody guesses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from recsys.errors import InputError, explained

BLOCK: Final = "block"
REPORT: Final = "report"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one viewer and some candidates stand.

    viewer_out: the viewer is held or erased: nobody may be shown to them.
    out:        those of the candidates who may not be shown to the viewer. Why is not said.

    >>> Standing(viewer_out=False, out=frozenset({"b"})).out
    frozenset({'b'})
    """

    viewer_out: bool
    out: frozenset[str]


class SafetyStore(Protocol):
    """Reads for every call, and the few writes a backend makes; any thread may call any method.

    Every method raises SafetyUnavailable when the store cannot answer in time.

    >>> from recsys.storage.safety.memory import MemorySafety
    >>> store: SafetyStore = MemorySafety()
    >>> store.hold("a")
    >>> store.standing("a", []).viewer_out
    True
    """

    def standing(self, viewer: str, candidates: Sequence[str]) -> Standing:
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


def moment_of(at: datetime | None) -> datetime:
    """Return `at` in UTC, now when None.

    Raises InputError for a time without a zone.
    """
    if at is None:
        return datetime.now(UTC)
    if at.tzinfo is None:
        raise InputError(explained("a time needs a zone", got=at.isoformat(), remedy="use UTC"))
    return at.astimezone(UTC)


def two_people(actor: str, target: str) -> tuple[str, str]:
    """Return the pair.

    Raises InputError when both are one person.
    """
    if actor == target:
        raise InputError(explained("a pair is two people", where="actor and target", remedy="name two"))
    return actor, target
