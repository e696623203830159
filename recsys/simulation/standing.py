"""What stands on the evening of a night: likes made, likes not answered yet, talks going on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.simulation.directed import Directed, is_among
from recsys.simulation.event_log import TYPES, Columns, Seconds
from recsys.simulation.scene import DAY, Rows
from recsys.simulation.settings import FunnelSettings

Mask = npt.NDArray[np.bool_]

TALK_DAYS = 3
"""A talk in which nobody wrote for so many days has ended."""

_KINDS = ("like", "pass", "hide", "block", "report", "end", "message")
_REFUSES = ("pass", "hide", "block", "report", "end")


@dataclass(frozen=True, eq=False)
class Deeds:
    """What people did to each other lately, aligned `(n_deeds,)`: seconds, code of the type, rows."""

    ts: Seconds
    kind: npt.NDArray[np.int8]
    actor: Rows
    target: Rows

    @classmethod
    def none(cls) -> "Deeds":
        """Nobody did anything."""
        empty = np.empty(0, np.int64)
        return cls(empty, empty.astype(np.int8), empty, empty)

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        """Return the types of events that matter here."""
        return _KINDS

    def and_also(self, columns: Columns) -> "Deeds":
        """Return these deeds and those of some events of a log."""
        rows = (columns[name].astype(np.int64) for name in ("actor", "target"))
        more = (columns["ts"], columns["type"], *rows)
        mine = (self.ts, self.kind, self.actor, self.target)
        return Deeds(*(np.concatenate([a, b]) for a, b in zip(mine, more, strict=True)))

    def take(self, which: Mask) -> "Deeds":
        """Return some of the deeds."""
        return Deeds(self.ts[which], self.kind[which], self.actor[which], self.target[which])

    def since(self, at: int, s: FunnelSettings) -> "Deeds":
        """Return what can still matter on a night `at` or later."""
        return self.take(self.ts > at - max(s.inbox_days, TALK_DAYS) * DAY)

    def are(self, *kinds: str) -> Mask:
        """Say which deeds are of one of some types."""
        return np.isin(self.kind, [TYPES.index(kind) for kind in kinds])


@dataclass(frozen=True, eq=False)
class Standing:
    """What people bring to a night.

    likes: sorted keys `actor * n + target` of all likes made. waiting: likes that lie in an inbox.
    talking: `(n,)` how many talks each is in. full: `(n,)` bool, who wants nobody new.
    """

    likes: Rows
    waiting: Directed
    talking: Rows
    full: Mask

    @classmethod
    def at(
        cls, at: int, n: int, *, likes: Rows, deeds: Deeds, s: FunnelSettings, full: Mask | None = None
    ) -> "Standing":
        """Read it off the likes ever made and what was done lately; deeds after `at` are not known yet."""
        known, coming = deeds.take(deeds.ts <= at), deeds.take(deeds.ts > at)
        return cls(
            likes=likes,
            waiting=_waiting(known, coming, likes, after=at - s.inbox_days * DAY, n=n),
            talking=_talking(known, at, n),
            full=np.zeros(n, bool) if full is None else full,
        )


def _waiting(known: Deeds, coming: Deeds, likes: Rows, *, after: int, n: int) -> Directed:
    lately = known.take(known.are("like") & (known.ts > after))
    sent = Directed(lately.actor, lately.target, lately.ts)
    answered = is_among(sent.back(n), likes) & ~is_among(sent.back(n), _keys(coming, n, ["like"]))
    refused = _keys(known, n, _REFUSES)
    gone = answered | is_among(sent.back(n), refused) | is_among(sent.keys(n), refused)
    return sent.take(~gone)


def _keys(deeds: Deeds, n: int, kinds: Sequence[str]) -> Rows:
    chosen = deeds.are(*kinds)
    return np.sort(deeds.actor[chosen] * n + deeds.target[chosen])


def _talking(known: Deeds, at: int, n: int) -> Rows:
    lately = known.take(known.are("message") & (known.ts > at - TALK_DAYS * DAY))
    low, high = np.minimum(lately.actor, lately.target), np.maximum(lately.actor, lately.target)
    pairs = np.unique(low * n + high)
    return np.bincount(np.concatenate([pairs // n, pairs % n]), minlength=n)
