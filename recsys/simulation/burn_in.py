"""The burn-in of the town: nights of random lists before the first night, with known propensities."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from recsys.constraints.compiled import Compiled
from recsys.parallel import map_in_threads, n_threads
from recsys.random import KeyedGenerator
from recsys.simulation.abuse import REVIEW, Brigades
from recsys.simulation.arrivals import Arrivals
from recsys.simulation.browsing import Exposures, answer_likes, browse
from recsys.simulation.conversations import (
    build_trust,
    hold_conversations,
    log_amicable_endings,
    log_bad_endings,
)
from recsys.simulation.event_log import EventLog
from recsys.simulation.night_state import DAY, NightContext, NightState, RecentEvents, Residents
from recsys.simulation.settings import TownSettings
from recsys.simulation.truth import Truth
from recsys.types import BoolArray, Int64Array

_TILE = 512
_KEYS_AT_ONCE = 1 << 22
_VIEWERS_AT_ONCE = 1 << 11
"""Viewers whose lists are drawn at once: each has a hundred entries or so."""


@dataclass(frozen=True, eq=False)
class CandidatePools:
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
        """Return the entries of the pairs that have one, in ascending order."""
        wanted = np.sort(viewer * self.n_people + candidate)
        if not len(self.keys):
            return np.empty(0, np.int64)
        at = np.searchsorted(self.keys, wanted).clip(0, len(self.keys) - 1)
        return at[self.keys[at] == wanted]


def make_pools(compiled: Compiled, neighbourhood: int, rng: np.random.Generator) -> CandidatePools:
    """Find whom each person may meet, among at most `neighbourhood` others drawn at random.

    A tile of viewers shares its neighbourhood, so that memory and time grow with the number of
    people and not with its square.
    """
    n = compiled.n_people
    viewers = rng.permutation(n)
    tiles: list[tuple[Int64Array, Int64Array]] = []
    for start in range(0, n, _TILE):
        tile = np.sort(viewers[start : start + _TILE])
        tile = tile[compiled.listed[tile]]
        if not len(tile):
            continue
        near = np.arange(n) if n <= neighbourhood else np.sort(rng.choice(n, neighbourhood, replace=False))
        tiles.append((tile, near))

    def meeting(drawn: tuple[Int64Array, Int64Array]) -> Int64Array:
        tile, near = drawn
        row, col = np.nonzero(compiled.may_meet_block(tile, near))
        return tile[row] * n + near[col]

    found = map_in_threads(meeting, tiles, n_threads(n * min(n, neighbourhood)))
    keys = np.concatenate([np.empty(0, np.int64), *found])
    del found, tiles
    keys.sort()
    indptr = np.searchsorted(keys, np.arange(n + 1) * n).astype(np.int64)
    return CandidatePools(indptr=indptr, keys=keys, waits=_waits(compiled, keys))


def _waits(compiled: Compiled, keys: Int64Array) -> BoolArray:
    waits = np.zeros(len(keys), bool)
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        part = slice(start, start + _KEYS_AT_ONCE)
        viewer, candidate = np.divmod(keys[part], compiled.n_people)
        both = compiled.liked_only[viewer] & compiled.suggestible[viewer] & compiled.suggestible[candidate]
        waits[part] = compiled.liked_only[candidate] & ~both
    return waits


def play_night(context: NightContext, shown: Exposures, at: int) -> None:
    """Log what follows from opened lists: look, like, inbox, reply, talk, meet, comfortable.

    at: the night, in seconds; what the lists lead to may lie weeks later.
    """
    likes = browse(context, shown, at)
    matches = answer_likes(context, likes, at)
    conversations = hold_conversations(context, matches)
    going_on = conversations.take(~log_bad_endings(context, conversations))
    together = build_trust(context, going_on)
    log_amicable_endings(context, going_on.take(~together))


_CLOSING_EVENTS = ("pass", "hide", "block", "report", "end", "message", "meet_feedback")
"""Whoever did one of these with another is not shown to them again, nor the other way round."""


@dataclass(eq=False)
class BurnInState:
    """The state of the burn-in between its nights.

    closed: entries of the pools that are shown no more; waits: not shown yet. away_from, away_until:
    when a person was held, `(n,)` seconds. likes: sorted keys of all likes. deeds: what was done
    lately. holds: (row, ts, state).
    """

    pools: CandidatePools
    closed: BoolArray
    waits: BoolArray
    away_from: Int64Array
    away_until: Int64Array
    likes: Int64Array
    recent: RecentEvents = field(default_factory=RecentEvents.none)
    reporters: dict[int, set[int]] = field(default_factory=dict)
    holds: list[tuple[int, int, str]] = field(default_factory=list)

    @classmethod
    def begin(cls, pools: CandidatePools) -> "BurnInState":
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


def run_burn_in(
    people: Residents,
    truth: Truth,
    *,
    pools: CandidatePools,
    arrivals: Arrivals,
    brigades: Brigades,
    known_blocks: tuple[Int64Array, Int64Array],
    rng: np.random.Generator,
    s: TownSettings,
) -> tuple[EventLog, BurnInState]:
    """Play every night of the burn-in; return the event log and the final state.

    Lists are drawn uniformly among the people who may be shown that night, so the propensity of an
    exposure is the length of the list over the number of people it was drawn from.
    """
    state, log = BurnInState.begin(pools), EventLog()
    state.close(*known_blocks)
    _log_brigades(state, brigades, log, s)
    for at in range(arrivals.start, arrivals.end - DAY + 1, DAY):
        tonight = EventLog()
        shown = _draw_lists(state, people, state.present(at, arrivals), rng, s)
        state.recent = state.recent.since(at, s.funnel)
        night_state = NightState.at(at, len(people), likes=state.likes, recent=state.recent, s=s.funnel)
        context = NightContext(
            people, truth, s.funnel, s.abuse, night_state, KeyedGenerator.from_rng(rng), tonight
        )
        play_night(context, shown, at)
        _update(state, tonight, len(people), arrivals.end, s)
        log.extend(tonight)
    return log, state


def _log_brigades(state: BurnInState, brigades: Brigades, log: EventLog, s: TownSettings) -> None:
    log.add("report", brigades.ts, brigades.actor, brigades.victim, detail="harassment")
    state.close(brigades.actor, brigades.victim)
    for victim in np.unique(brigades.victim).tolist():
        reports = np.sort(brigades.ts[brigades.victim == victim])
        if len(reports) >= s.abuse.held_after_reports:
            ts = int(reports[s.abuse.held_after_reports - 1])
            state.hold(victim, ts, ts + REVIEW)


def _draw_lists(
    state: BurnInState, people: Residents, present: BoolArray, rng: np.random.Generator, s: TownSettings
) -> Exposures:
    daily = s.history.visits_a_week / 7.0 / max(s.funnel.opens_today, 1e-9)
    visits = present & (rng.random(len(people)) < people.opens * daily)
    viewers = np.flatnonzero(visits)
    parts = range(0, max(len(viewers), 1), _VIEWERS_AT_ONCE)
    threads = n_threads(len(state.pools)) if len(parts) > 1 else 1

    def open_entries(start: int) -> tuple[Int64Array, Int64Array]:
        entry, group = state.pools.entries(viewers[start : start + _VIEWERS_AT_ONCE])
        candidate = state.pools.keys[entry] % state.pools.n_people
        open_ = ~state.closed[entry] & ~state.waits[entry] & present[candidate]
        return group[open_] + start, candidate[open_]

    found = map_in_threads(open_entries, parts, threads)
    chances = [rng.random(len(group)) for group, _ in found]

    def lists(part: tuple[tuple[Int64Array, Int64Array], npt.NDArray[np.float64]]) -> Exposures:
        (group, candidate), chance = part
        order = np.argsort(group + chance)  # group by group, each in random order
        group, candidate = group[order], candidate[order]
        size = np.bincount(group, minlength=len(viewers))
        first = np.cumsum(size) - size
        position = np.arange(len(group)) - first[group] + 1
        propensity = np.minimum(1.0, s.history.list_length / size[group])
        shown = position <= s.history.list_length
        return Exposures(viewers[group], candidate, position, propensity).take(shown)

    return Exposures.joined(map_in_threads(lists, zip(found, chances, strict=True), threads))


def _update(state: BurnInState, tonight: EventLog, n: int, end: int, s: TownSettings) -> None:
    done = tonight.pick(*_CLOSING_EVENTS)
    state.close(done["actor"].astype(np.int64), done["target"].astype(np.int64))
    state.recent = state.recent.with_events(tonight.pick(*RecentEvents.kinds()))
    liked = tonight.pick("like")
    actor, target = liked["actor"].astype(np.int64), liked["target"].astype(np.int64)
    state.closed[state.pools.find(actor, target)] = True
    state.waits[state.pools.find(target, actor)] = False
    state.likes = np.sort(np.concatenate([state.likes, actor * n + target]), kind="stable")
    reports = tonight.pick("report")
    order = np.argsort(reports["ts"], kind="stable")
    for at in order.tolist():
        ts, target_row = int(reports["ts"][at]), int(reports["target"][at])
        if ts > end:
            continue
        told = state.reporters.setdefault(target_row, set())
        told.add(int(reports["actor"][at]))
        if len(told) == s.abuse.held_after_reports:
            state.hold(target_row, ts)
