"""Questions for many viewers at once: one to the safety store a chunk, one to the day log."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from recsys.ranking.snapshot import Snapshot
from recsys.safety.by_person import SafetyByPerson
from recsys.safety.day_log import DayEvent, DayLog
from recsys.safety.person_index import Accounts
from recsys.safety.store import (
    SafetyExclusions,
    SafetyStore,
    StoreForMany,
    StoreStanding,
    ask_safety,
)

CHUNK: Final = 500
"""Viewers whose questions are asked together."""


class PrefetchedStore:
    """Answers from what was asked for many people at once, and asks the store about anybody else."""

    def __init__(self, store: SafetyStore, standing: StoreStanding, asked: frozenset[str]) -> None:
        self._store, self._standing, self._asked = store, standing, asked

    def exclusions(self, viewer: str, candidates: Sequence[str]) -> SafetyExclusions:
        """Return how a viewer and candidates stand."""
        separated = self._standing.separated.get(viewer)
        if separated is None or not self._asked.issuperset(candidates):
            return self._store.exclusions(viewer, candidates)
        out = self._standing.out
        gone = frozenset(one for one in candidates if one in separated or one in out)
        return SafetyExclusions(viewer in out, gone)


def safety_for_many(
    safety: SafetyByPerson, snapshot: Snapshot, accounts: Accounts, viewers: Sequence[str]
) -> SafetyByPerson:
    """Return the safety store with everything asked that the lists of these viewers need."""
    if not isinstance(safety.store, StoreForMany):
        return safety
    mine = {account for viewer in viewers for account in accounts.of(viewer)}
    rows = {
        int(row)
        for viewer in snapshot.ids.find(viewers)
        for row in snapshot.list_of_night(viewer).rows.tolist()
    }
    listed = {account for one in snapshot.ids.at(rows) for account in accounts.of(one)}
    standing = safety.store.standing([*mine], [*listed])
    prefetched = PrefetchedStore(safety.store, standing, frozenset(mine | listed))
    return safety.with_store(prefetched)


def days_of_many(
    day: DayLog, person_of: Callable[[str], Collection[str]], viewers: Sequence[str], since: datetime
) -> Mapping[str, list[DayEvent]]:
    """Return the events of the day by account, for these viewers; person_of: all accounts of a person."""
    mine = {account for viewer in viewers for account in person_of(viewer)}
    events: dict[str, list[DayEvent]] = {account: [] for account in mine}
    for event in ask_safety(lambda: day.read([*mine], since)).pairs:
        for account in {event.actor, event.target}:
            if account in events:
                events[account].append(event)
    return events
