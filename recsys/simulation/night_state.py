"""What the funnel needs to know: habits of people, the state before a night, the context of its steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS, IN_PERSON_INTENTS
from recsys.data.pair_keys import positions_in, unordered_pair_keys
from recsys.data.shared_values import equal_sets
from recsys.random import KeyedGenerator
from recsys.simulation.event_log import TYPES, Columns, EventLog
from recsys.simulation.settings import AbuseSettings, FunnelSettings
from recsys.simulation.truth import Truth
from recsys.types import BoolArray, Int64Array, ObjectArray

NOT_ABUSIVE: Final = -1
_SPEAKS: Final = {"daily": 0.9, "few_week": 0.55, "weekly": 0.25, "less": 0.12}
"""Chance a day that someone writes, by the contact frequency they chose."""


@dataclass(frozen=True, eq=False)
class Residents:
    """Habits of `n` people, row by row.

    opens: chance to open a list of the night. speaks: chance a day to write in a talk. in_person and
    settings `(n, n_settings)`: who would meet, and where. wished: how many companions each wishes for.
    harm: -1, or which kind of bad actor.
    """

    ids: ObjectArray
    opens: npt.NDArray[np.float64]
    speaks: npt.NDArray[np.float64]
    in_person: BoolArray
    settings: BoolArray
    wished: npt.NDArray[np.int32]
    abuse_kind: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.ids)


def make_residents(
    profiles: pd.DataFrame, boundaries: pd.DataFrame, abuse_kind: npt.NDArray[np.int8], s: FunnelSettings
) -> Residents:
    """Read the habits off the profiles and boundaries (one row a person, the same order of ids)."""
    opens = {"today": s.opens_today, "week": s.opens_week, "month": s.opens_month, "dormant": 0.0}
    drawn = boundaries.set_index(C.USER).reindex(profiles[C.USER])
    places = ENUMERATIONS[C.MEETING_SETTINGS].words
    return Residents(
        ids=profiles[C.USER].to_numpy(object),
        opens=np.asarray(profiles[C.ACTIVITY].map(opens).fillna(0.0), np.float64),
        speaks=np.asarray(drawn[C.CONTACT_FREQUENCY].map(_SPEAKS).fillna(0.0), np.float64),
        in_person=np.asarray(holds_words(profiles[C.INTENTS], IN_PERSON_INTENTS).any(axis=1)),
        settings=holds_words(drawn[C.MEETING_SETTINGS], places),
        wished=profiles[C.MAX_COMPANIONS].fillna(1).to_numpy(np.int32),
        abuse_kind=abuse_kind,
    )


def holds_words(sets: pd.Series, words: tuple[str, ...]) -> BoolArray:
    """Say which words each list of a column holds, `(n, n_words)`; each different list is read once.

    >>> holds_words(pd.Series([["a"], None, ["b", "a"]], dtype=object), ("a", "b")).astype(int).tolist()
    [[1, 0], [0, 0], [1, 1]]
    """
    given = sets.to_numpy(object)
    group, first = equal_sets(given)  # -1, the last of the table, is none
    each = [[isinstance(held, list) and word in held for word in words] for held in [*given[first], None]]
    return np.array(each, dtype=bool).reshape(len(first) + 1, len(words))[group]


@dataclass(frozen=True, eq=False)
class DirectedEvents:
    """Aligned directed pairs with the time something happened, `(n_pairs,)` each."""

    actor: Int64Array
    target: Int64Array
    ts: Int64Array

    def __len__(self) -> int:
        return len(self.actor)

    def take(self, which: npt.NDArray[np.bool_] | Int64Array) -> "DirectedEvents":
        """Return some of the pairs."""
        return DirectedEvents(self.actor[which], self.target[which], self.ts[which])

    def keys(self, n: int) -> Int64Array:
        """Return one number a directed pair, among `n` people."""
        return self.actor * n + self.target

    def back(self, n: int) -> Int64Array:
        """Return the number of each pair the other way round."""
        return self.target * n + self.actor


def is_among(keys: Int64Array, ordered: Int64Array) -> npt.NDArray[np.bool_]:
    """Say which keys are in a sorted array.

    >>> is_among(np.array([1, 2, 5]), np.array([2, 3])).tolist()
    [False, True, False]
    """
    if not len(ordered):
        return np.zeros(len(keys), bool)
    at = positions_in(ordered, keys).clip(0, len(ordered) - 1)
    return ordered[at] == keys


HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True, eq=False)
class NightContext:
    """One night: the state before it, the random numbers that decide each step, the log of events."""

    people: Residents
    truth: Truth
    funnel: FunnelSettings
    abuse: AbuseSettings
    night_state: "NightState"
    random: KeyedGenerator
    log: EventLog


CONVERSATION_DAYS = 3
"""A conversation in which nobody wrote for so many days has ended."""

_TYPES = ("like", "pass", "hide", "block", "report", "end", "message")
_REFUSALS = ("pass", "hide", "block", "report", "end")


@dataclass(frozen=True, eq=False)
class RecentEvents:
    """Events between people of the last days, aligned `(n_events,)`: seconds, code of the type, rows."""

    ts: Int64Array
    kind: npt.NDArray[np.int8]
    actor: Int64Array
    target: Int64Array

    @classmethod
    def none(cls) -> "RecentEvents":
        """No event."""
        empty = np.empty(0, np.int64)
        return cls(empty, empty.astype(np.int8), empty, empty)

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        """Return the types of events that matter here."""
        return _TYPES

    def with_events(self, columns: Columns) -> "RecentEvents":
        """Return these events and those of some events of a log."""
        rows = (columns[name].astype(np.int64) for name in ("actor", "target"))
        more = (columns["ts"], columns["type"], *rows)
        mine = (self.ts, self.kind, self.actor, self.target)
        return RecentEvents(*(np.concatenate([a, b]) for a, b in zip(mine, more, strict=True)))

    def take(self, which: BoolArray) -> "RecentEvents":
        """Return some of the events."""
        return RecentEvents(self.ts[which], self.kind[which], self.actor[which], self.target[which])

    def since(self, at: int, s: FunnelSettings) -> "RecentEvents":
        """Return what can still matter on a night `at` or later."""
        return self.take(self.ts > at - max(s.inbox_days, CONVERSATION_DAYS) * DAY)

    def are(self, *kinds: str) -> BoolArray:
        """Say which events are of one of some types."""
        return np.isin(self.kind, [TYPES.index(kind) for kind in kinds])


@dataclass(frozen=True, eq=False)
class NightState:
    """The state of the town before a night.

    likes: sorted keys `actor * n + target` of all likes made. waiting: likes that lie in an inbox.
    talking: `(n,)` how many conversations each is in. full: `(n,)` bool, who wants nobody new.
    """

    likes: Int64Array
    waiting: DirectedEvents
    talking: Int64Array
    full: BoolArray

    @classmethod
    def at(
        cls,
        at: int,
        n: int,
        *,
        likes: Int64Array,
        recent: RecentEvents,
        s: FunnelSettings,
        full: BoolArray | None = None,
    ) -> "NightState":
        """Read it off the likes ever made and what was done lately; events after `at` are not known yet."""
        known, coming = recent.take(recent.ts <= at), recent.take(recent.ts > at)
        return cls(
            likes=likes,
            waiting=_waiting(known, coming, likes, after=at - s.inbox_days * DAY, n=n),
            talking=_talking(known, at, n),
            full=np.zeros(n, bool) if full is None else full,
        )


def _waiting(
    known: RecentEvents, coming: RecentEvents, likes: Int64Array, *, after: int, n: int
) -> DirectedEvents:
    lately = known.take(known.are("like") & (known.ts > after))
    sent = DirectedEvents(lately.actor, lately.target, lately.ts)
    answered = is_among(sent.back(n), likes) & ~is_among(sent.back(n), _keys(coming, n, ["like"]))
    refused = _keys(known, n, _REFUSALS)
    gone = answered | is_among(sent.back(n), refused) | is_among(sent.keys(n), refused)
    return sent.take(~gone)


def _keys(recent: RecentEvents, n: int, kinds: Sequence[str]) -> Int64Array:
    chosen = recent.are(*kinds)
    return np.sort(recent.actor[chosen] * n + recent.target[chosen])


def _talking(known: RecentEvents, at: int, n: int) -> Int64Array:
    lately = known.take(known.are("message") & (known.ts > at - CONVERSATION_DAYS * DAY))
    pairs = np.unique(unordered_pair_keys(lately.actor, lately.target, n))
    return np.bincount(np.concatenate([pairs // n, pairs % n]), minlength=n)
