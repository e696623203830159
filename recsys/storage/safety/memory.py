"""A safety store of one process: for tests, notebooks, and as the plain definition of the others."""

from collections.abc import Sequence
from datetime import datetime

from recsys.storage.safety.store import Standing, moment_of, two_people


class MemorySafety:
    """Holds everything in sets; another process sees none of it.

    >>> store = MemorySafety()
    >>> store.block("a", "b")
    >>> store.standing("b", ["a", "c"])
    Standing(viewer_out=False, out=frozenset({'a'}))
    """

    def __init__(self) -> None:
        self._apart: dict[str, set[str]] = {}
        self._held: set[str] = set()
        self._erased: dict[str, datetime] = {}

    def standing(self, viewer: str, candidates: Sequence[str]) -> Standing:
        """Return how `viewer` and `candidates` stand now."""
        apart = self._apart.get(viewer, set())
        out = frozenset(c for c in candidates if c in apart or self._is_out(c))
        return Standing(self._is_out(viewer), out)

    def erased_since(self, moment: datetime | None) -> frozenset[str]:
        """Return who was erased at `moment` or later."""
        return frozenset(
            user for user, at in list(self._erased.items()) if moment is None or at >= moment_of(moment)
        )

    def block(self, actor: str, target: str, at: datetime | None = None) -> None:
        """Keep two people apart for good."""
        moment_of(at)
        a, b = two_people(actor, target)
        self._apart.setdefault(a, set()).add(b)
        self._apart.setdefault(b, set()).add(a)

    def report(self, actor: str, target: str, at: datetime | None = None) -> None:
        """Keep two people apart because one reported the other."""
        self.block(actor, target, at)

    def hold(self, user_id: str, at: datetime | None = None) -> None:
        """Take a person out of everybody's sight until the hold is lifted."""
        moment_of(at)
        self._held.add(user_id)

    def lift(self, user_id: str) -> None:
        """End a hold."""
        self._held.discard(user_id)

    def erase(self, user_id: str, at: datetime | None = None) -> None:
        """Take a person out of everybody's sight for good, and drop what is held about them."""
        self._erased.setdefault(user_id, moment_of(at))
        self._held.discard(user_id)
        for other in self._apart.pop(user_id, set()):
            self._apart[other].discard(user_id)

    def _is_out(self, user_id: str) -> bool:
        return user_id in self._held or user_id in self._erased
