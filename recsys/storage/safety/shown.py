"""Whom a viewer was shown today, so that a later page of the day brings other people."""

from collections.abc import Iterable
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
