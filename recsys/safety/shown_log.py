"""Whom each viewer was shown on a day, so that limits by day hold for all workers of a service."""

import threading
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Final, Protocol, runtime_checkable

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

    def remember_at_most(
        self, viewer: str, day: date, candidates: Sequence[str], most: int
    ) -> frozenset[str]:
        """Note those of these people, in order, for whom there is room among `most` of the day.

        Returns those of them who are noted now, earlier ones too. It is one step: all workers of a store
        together note no more.
        """
        ...


def fitting(candidates: Sequence[str], noted: Collection[str], most: int) -> list[str]:
    """Return those of some people who are not noted and for whom there is room among `most`.

    >>> fitting(["a", "b", "c"], {"b", "x"}, 3)
    ['a']
    """
    fresh = [one for one in dict.fromkeys(candidates) if one not in noted]
    return fresh[: max(0, most - len(noted))]


class MemoryShown:
    """Remembers in this process alone, for today and yesterday.

    >>> log, today = MemoryShown(), date(2026, 1, 5)
    >>> log.remember("a", today, ["b"])
    >>> log.shown("a", today), log.shown("b", today)
    (frozenset({'b'}), frozenset())
    """

    def __init__(self) -> None:
        self._days: dict[date, dict[str, frozenset[str]]] = {}
        self._lock = threading.Lock()

    def shown(self, viewer: str, day: date) -> frozenset[str]:
        """Return the people the viewer was shown on that day."""
        return self._days.get(day, {}).get(viewer, frozenset())

    def remember(self, viewer: str, day: date, candidates: Iterable[str]) -> None:
        """Note that the viewer was shown these people on that day."""
        with self._lock:
            self._remember(viewer, day, candidates)

    def remember_at_most(
        self, viewer: str, day: date, candidates: Sequence[str], most: int
    ) -> frozenset[str]:
        """Note those of these people for whom there is room among `most` of the day."""
        with self._lock:
            noted = self.shown(viewer, day)
            fresh = fitting(candidates, noted, most)
            self._remember(viewer, day, fresh)
        return frozenset(candidates) & noted.union(fresh)

    def _remember(self, viewer: str, day: date, candidates: Iterable[str]) -> None:
        of_day = self._days.setdefault(day, {})
        of_day[viewer] = of_day.get(viewer, frozenset()) | frozenset(candidates)
        for old in sorted(self._days)[:-_DAYS_KEPT]:
            self._days.pop(old, None)
