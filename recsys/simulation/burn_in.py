"""Who may be shown to whom, as one list a person, found tile by tile."""

from dataclasses import dataclass, field

import numpy as np

from recsys.constraints.compiled import Compiled
from recsys.random import KeyedGenerator
from recsys.simulation.abuse import REVIEW, Brigades
from recsys.simulation.arrivals import Arrivals
from recsys.simulation.browsing import Shown, answer_likes, look
from recsys.simulation.conversations import break_off, say_goodbye, talk
from recsys.simulation.event_log import EventLog
from recsys.simulation.night_state import DAY, Deeds, Residents, Scene, Standing
from recsys.simulation.settings import TownSettings
from recsys.simulation.trust import build_trust
from recsys.simulation.truth import Truth
from recsys.types import BoolArray, Int64Array

_TILE = 512
_KEYS_AT_ONCE = 1 << 22


@dataclass(frozen=True, eq=False)
class Pools:
    """The people each viewer may meet, of a neighbourhood drawn at random.

    keys: `(n_entries,)` ascending, the viewer times the number of people plus the candidate; viewer v
    has the entries `indptr[v]:indptr[v + 1]`. `waits` marks candidates who are shown only to people
    they liked.
    """

    indptr: Int64Array
    keys: Int64Array
    waits: BoolArray

    @property
    def n_people(self) -> int:
        """How many viewers there are."""
        return len(self.indptr) - 1

    def __len__(self) -> int:
        """How many entries there are."""
        return len(self.keys)

    def pairs(self, entries: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Return the viewer and the candidate of some entries."""
        viewer, candidate = np.divmod(self.keys[entries], self.n_people)
        return viewer, candidate

    def entries(self, viewers: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Return the entries of some viewers, and which of the viewers each belongs to."""
        lengths = self.indptr[viewers + 1] - self.indptr[viewers]
        group = np.repeat(np.arange(len(viewers)), lengths)
        within = np.arange(len(group)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return self.indptr[viewers][group] + within, group

    def find(self, viewer: Int64Array, candidate: Int64Array) -> Int64Array:
        """Return the entries of the pairs that have one."""
        wanted = viewer * self.n_people + candidate
        if not len(self.keys):
            return np.empty(0, np.int64)
        at = np.searchsorted(self.keys, wanted).clip(0, len(self.keys) - 1)
        return at[self.keys[at] == wanted]


def make_pools(compiled: Compiled, neighbourhood: int, rng: np.random.Generator) -> Pools:
    """Find whom each person may meet, among at most `neighbourhood` others drawn at random.

    A tile of viewers shares its neighbourhood, so that memory and time grow with the number of
    people and not with its square.
    """
    n = compiled.n_people
    viewers = rng.permutation(n)
    found: list[Int64Array] = [np.empty(0, np.int64)]
    for start in range(0, n, _TILE):
        tile = np.sort(viewers[start : start + _TILE])
        tile = tile[compiled.listed[tile]]
        if not len(tile):
            continue
        near = np.arange(n) if n <= neighbourhood else np.sort(rng.choice(n, neighbourhood, replace=False))
        row, col = np.nonzero(compiled.may_meet_block(tile, near))
        found.append(tile[row] * n + near[col])
    keys = np.concatenate(found)
    del found
    keys.sort()
    indptr = np.searchsorted(keys, np.arange(n + 1) * n).astype(np.int64)
    return Pools(indptr=indptr, keys=keys, waits=_waits(compiled, keys))


def _waits(compiled: Compiled, keys: Int64Array) -> BoolArray:
    waits = np.zeros(len(keys), bool)
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        part = slice(start, start + _KEYS_AT_ONCE)
        viewer, candidate = np.divmod(keys[part], compiled.n_people)
        both = compiled.liked_only[viewer] & compiled.suggestible[viewer] & compiled.suggestible[candidate]
        waits[part] = compiled.liked_only[candidate] & ~both
    return waits


def play(scene: Scene, shown: Shown, at: int) -> None:
    """Log what follows from opened lists: look, like, inbox, reply, talk, meet, comfortable.

    at: the night, in seconds; what the lists lead to may lie weeks later.
    """
    likes = look(scene, shown, at)
    matches = answer_likes(scene, likes, at)
    talks = talk(scene, matches)
    going_on = talks.take(~break_off(scene, talks))
    together = build_trust(scene, going_on)
    say_goodbye(scene, going_on.take(~together))


_ENDS_IT = ("pass", "hide", "block", "report", "end", "message", "meet_feedback")
"""Whoever did one of these with another is not shown to them again, nor the other way round."""


@dataclass(eq=False)
class Past:
    """The state of the past while it is lived through.

    closed: entries of the pools that are shown no more; waits: not shown yet. away_from, away_until:
    when a person was held, `(n,)` seconds. likes: sorted keys of all likes. deeds: what was done
    lately. holds: (row, ts, state).
    """

    pools: Pools
    closed: BoolArray
    waits: BoolArray
    away_from: Int64Array
    away_until: Int64Array
    likes: Int64Array
    deeds: Deeds = field(default_factory=Deeds.none)
    reporters: dict[int, set[int]] = field(default_factory=dict)
    holds: list[tuple[int, int, str]] = field(default_factory=list)

    @classmethod
    def begin(cls, pools: Pools) -> "Past":
        """Nothing has happened yet."""
        n = pools.n_people
        never = np.full(n, np.iinfo(np.int64).max)
        return cls(
            pools=pools,
            closed=np.zeros(len(pools), bool),
            waits=pools.waits.copy(),
            away_from=never,
            away_until=never.copy(),
            likes=np.empty(0, np.int64),
        )

    def close(self, a: Int64Array, b: Int64Array) -> None:
        """Show these pairs no more, in either direction."""
        self.closed[self.pools.find(a, b)] = True
        self.closed[self.pools.find(b, a)] = True

    def hold(self, row: int, ts: int, until: int | None = None) -> None:
        """Take a person off all lists from `ts`, perhaps until a later time."""
        self.away_from[row] = ts
        self.holds.append((row, ts, "active"))
        if until is not None:
            self.away_until[row] = until
            self.holds.append((row, until, "lifted"))

    def present(self, at: int, arrivals: Arrivals) -> BoolArray:
        """Say who can see and be seen for a whole night from `at`, `(n,)` bool."""
        held = (self.away_from < at + DAY) & (self.away_until > at)
        return (arrivals.joined <= at) & (arrivals.left >= at + DAY) & ~held


def live_through(
    people: Residents,
    truth: Truth,
    *,
    pools: Pools,
    arrivals: Arrivals,
    brigades: Brigades,
    known_blocks: tuple[Int64Array, Int64Array],
    rng: np.random.Generator,
    s: TownSettings,
) -> tuple[EventLog, Past]:
    """Let every night of the past happen; return the log and what it led to.

    Lists are drawn uniformly among the people who may be shown that night, so the propensity of an
    exposure is the length of the list over the number of people it was drawn from.
    """
    past, log = Past.begin(pools), EventLog()
    past.close(*known_blocks)
    _gang_up(past, brigades, log, s)
    for at in range(arrivals.start, arrivals.end - DAY + 1, DAY):
        tonight = EventLog()
        shown = _draw_lists(past, people, past.present(at, arrivals), rng, s)
        past.deeds = past.deeds.since(at, s.funnel)
        standing = Standing.at(at, len(people), likes=past.likes, deeds=past.deeds, s=s.funnel)
        scene = Scene(people, truth, s.funnel, s.trouble, standing, KeyedGenerator.from_rng(rng), tonight)
        play(scene, shown, at)
        _remember(past, tonight, len(people), arrivals.end, s)
        log.extend(tonight)
    return log, past


def _gang_up(past: Past, brigades: Brigades, log: EventLog, s: TownSettings) -> None:
    log.add("report", brigades.ts, brigades.actor, brigades.victim, detail="harassment")
    past.close(brigades.actor, brigades.victim)
    for victim in np.unique(brigades.victim).tolist():
        reports = np.sort(brigades.ts[brigades.victim == victim])
        if len(reports) >= s.trouble.held_after_reports:
            ts = int(reports[s.trouble.held_after_reports - 1])
            past.hold(victim, ts, ts + REVIEW)


def _draw_lists(
    past: Past, people: Residents, present: BoolArray, rng: np.random.Generator, s: TownSettings
) -> Shown:
    daily = s.history.visits_a_week / 7.0 / max(s.funnel.opens_today, 1e-9)
    visits = present & (rng.random(len(people)) < people.opens * daily)
    viewers = np.flatnonzero(visits)
    entry, group = past.pools.entries(viewers)
    _, candidate = past.pools.pairs(entry)
    open_ = ~past.closed[entry] & ~past.waits[entry] & present[candidate]
    group, candidate = group[open_], candidate[open_]
    order = np.argsort(group + rng.random(len(group)))  # group by group, each in random order
    group, candidate = group[order], candidate[order]
    first = np.searchsorted(group, np.arange(len(viewers)))
    position = np.arange(len(group)) - first[group] + 1
    shown = position <= s.history.list_length
    size = np.bincount(group, minlength=len(viewers))[group]
    propensity = np.minimum(1.0, s.history.list_length / np.maximum(size, 1))
    return Shown(viewers[group], candidate, position, propensity).take(shown)


def _remember(past: Past, tonight: EventLog, n: int, end: int, s: TownSettings) -> None:
    done = tonight.pick(*_ENDS_IT)
    past.close(done["actor"].astype(np.int64), done["target"].astype(np.int64))
    past.deeds = past.deeds.and_also(tonight.pick(*Deeds.kinds()))
    liked = tonight.pick("like")
    actor, target = liked["actor"].astype(np.int64), liked["target"].astype(np.int64)
    past.closed[past.pools.find(actor, target)] = True
    past.waits[past.pools.find(target, actor)] = False
    past.likes = np.sort(np.concatenate([past.likes, actor * n + target]), kind="stable")
    reports = tonight.pick("report")
    order = np.argsort(reports["ts"], kind="stable")
    for at in order.tolist():
        ts, target_row = int(reports["ts"][at]), int(reports["target"][at])
        if ts > end:
            continue
        told = past.reporters.setdefault(target_row, set())
        told.add(int(reports["actor"][at]))
        if len(told) == s.trouble.held_after_reports:
            past.hold(target_row, ts)
