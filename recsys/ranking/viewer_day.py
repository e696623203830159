"""A viewer's day: what the day log says of one person, folded to whom they liked, saw or left."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from recsys.safety.day_log import UNDO, DayEvent

_DECISIONS: Final = {"like": 0, UNDO: 1, "pass": 2, "hide": 3}
"""By strength: at the same instant the stronger one holds."""


@dataclass(frozen=True)
class ViewerDay:
    """What happened to one viewer since the night.

    seen:      whom they were shown. decided: their latest decision about others, `like`, `pass`, `hide` or
               `undo`. received: the latest decision of others about them.
    apart:     whom they or the other left: neither is shown to the other. likers: the accounts that like this
               one. checked: about whom they answered a feeling check.

    >>> from datetime import UTC
    >>> at = datetime(2026, 3, 2, tzinfo=UTC)
    >>> day = ViewerDay.of([DayEvent("1", at, "a", "b", "like"), DayEvent("2", at, "c", "a", "pass")], "a")
    >>> sorted(day.away), sorted(day.apart)
    (['b', 'c'], ['c'])
    """

    seen: frozenset[str]
    decided: Mapping[str, str]
    received: Mapping[str, str]
    apart: frozenset[str]
    likers: frozenset[str]
    checked: frozenset[str]

    @classmethod
    def of(
        cls,
        events: Iterable[DayEvent],
        viewer_id: str,
        person_of: Callable[[str], Collection[str]] = lambda user_id: (user_id,),
    ) -> "ViewerDay":
        """Fold the events of a day in which the viewer's person takes part.

        person_of: every account of somebody's person; what restricts one restricts all of them. A like is of
        the one account that was liked.
        """
        events = tuple(events)
        if not events:
            return cls(frozenset(), {}, {}, frozenset(), frozenset(), frozenset())
        accounts = frozenset(person_of(viewer_id))
        seen, apart, likers, checked = set[str](), set[str](), set[str](), set[str]()
        decided: dict[str, tuple[datetime, int, str]] = {}
        received: dict[str, tuple[datetime, int, str]] = {}
        for event in events:
            mine = event.actor in accounts
            other = event.target if mine else event.actor
            if other is None or other in accounts:
                continue
            if event.type == "impression":
                seen.add(other)
            elif event.type in _DECISIONS:
                if event.type == "like" and not mine:
                    if event.target != viewer_id:
                        continue
                    likers.add(other)
                decision = (event.at, _DECISIONS[event.type], event.type)
                of_side = decided if mine else received
                for account in person_of(other):
                    of_side[account] = max(decision, of_side.get(account, decision))
            elif event.separates:
                apart.update(person_of(other))
            elif event.type == "feeling_check" and mine:
                checked.update(person_of(other))
        for of_side in (decided, received):
            apart.update(other for other, (_, _, kind) in of_side.items() if kind in ("pass", "hide"))
        return cls(
            frozenset(seen),
            {other: kind for other, (_, _, kind) in decided.items()},
            {other: kind for other, (_, _, kind) in received.items()},
            frozenset(apart),
            frozenset(likers),
            frozenset(checked),
        )

    @property
    def liked(self) -> frozenset[str]:
        """Whom the viewer likes since the night."""
        return frozenset(other for other, kind in self.decided.items() if kind == "like")

    @property
    def liked_by(self) -> frozenset[str]:
        """Who likes the viewer since the night."""
        return frozenset(other for other in self.likers if self.received[other] == "like")

    @cached_property
    def away(self) -> frozenset[str]:
        """Who is not offered to the viewer until a night has read the day."""
        return self.seen | self.apart | self.liked

    @property
    def answers(self) -> dict[str, bool]:
        """The viewer's likes (True) and passes (False): what moves their taste."""
        said = {"like": True, "pass": False, "hide": False}
        return {other: said[kind] for other, kind in self.decided.items() if kind in said}


NO_DAY: Final = ViewerDay.of((), "")
