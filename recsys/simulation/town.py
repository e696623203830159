"""A synthetic town: tables to learn from, and people who answer the lists they are given."""

from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from recsys.constraints.policy import Policy
from recsys.errors import InputError, explained
from recsys.schema.build import build_population
from recsys.schema.columns import Columns as C
from recsys.schema.columns import Tables as T
from recsys.schema.ids import IdIndex
from recsys.schema.population import Population, as_utc
from recsys.schema.relations import Relations
from recsys.schema.tables import check_table
from recsys.simulation.arrivals import log_arrivals, make_arrivals, with_changes
from recsys.simulation.chance import Chance, Step
from recsys.simulation.citizens import Citizens, make_citizens
from recsys.simulation.dirt import with_dirt
from recsys.simulation.event_log import EventLog, seconds
from recsys.simulation.night import play
from recsys.simulation.past import live_through
from recsys.simulation.pools import Pools, make_pools
from recsys.simulation.residents import Residents, make_residents
from recsys.simulation.safety import safety_tables
from recsys.simulation.scene import Rows, Scene
from recsys.simulation.settings import TownSettings
from recsys.simulation.shown import Shown
from recsys.simulation.trouble import log_known_blocks, make_brigades, make_harm
from recsys.simulation.truth import Truth, make_truth

DEFAULT_AS_OF: Final = "2026-01-05T03:00:00Z"
"""The night a town is handed over when no other is asked for: noon in Japan, a Monday."""

_PAIRS_FOR_SCALE = 200_000
_RULING = (T.PROFILES, T.BOUNDARIES, T.ANSWERS, T.TOKENS)
"""Tables that decide who may meet before anything has happened."""


@dataclass(frozen=True, eq=False)
class Town:
    """A town as of one night.

    tables: raw tables by name, as `recsys.storage` writes and reads them. truth: the hidden taste,
    by row of `ids`; nothing that learns may see it. residents: habits, hidden too.
    """

    tables: dict[str, pd.DataFrame]
    ids: IdIndex
    as_of: pd.Timestamp
    truth: Truth
    residents: Residents
    settings: TownSettings

    def __repr__(self) -> str:
        n_events = len(self.tables[T.EVENTS])
        return f"Town({len(self.ids):,} people, {n_events:,} events, as of {self.as_of:%Y-%m-%d %H:%M} UTC)"

    def step(
        self, lists: pd.DataFrame, rng: np.random.Generator, *, at: pd.Timestamp | None = None
    ) -> pd.DataFrame:
        """Give people their lists; return what they do about them, in time order.

        lists: viewer_id, candidate_id, rank and perhaps propensity. Not everybody opens theirs. The
        events begin on the night `at` (the town's date) and may lie weeks later. Two calls with equal
        generators share the luck of every pair, whatever the lists, so policies can be compared on
        common random numbers. The town itself does not change: see `after`.

        Raises InputError for lists that cannot be shown, UnknownIdError for people unknown here.
        """
        shown = Shown.of(lists, self.ids)
        chance, log = Chance.drawn(rng), EventLog()
        opened = chance.uniform(Step.OPEN, shown.viewer, shown.viewer) < self.residents.opens[shown.viewer]
        scene = Scene(self.residents, self.truth, self.settings.funnel, self.settings.trouble, chance, log)
        play(scene, shown.take(opened), self._likes, seconds(self.as_of if at is None else at))
        first = len(self.tables[T.EVENTS])
        return log.frame(self.residents.ids, model_version="town-step", first=first)

    def after(self, events: pd.DataFrame, as_of: pd.Timestamp) -> "Town":
        """Return the town at a later time, with the events of a step up to then."""
        if as_of < self.as_of:
            remedy = f"give a time from {self.as_of.isoformat()} on"
            raise InputError(explained("a town does not grow younger", got=as_of.isoformat(), remedy=remedy))
        known = events[events[C.TS] <= as_of]
        grown = pd.concat([self.tables[T.EVENTS], known], ignore_index=True)
        return replace(self, tables=self.tables | {T.EVENTS: grown}, as_of=as_of)

    @cached_property
    def _likes(self) -> Rows:
        events = self.tables[T.EVENTS]
        liked = events[events[C.TYPE] == "like"]
        actor, target = (self.ids.find(liked[c]).astype(np.int64) for c in (C.ACTOR, C.TARGET))
        known = (actor >= 0) & (target >= 0)
        return np.unique(actor[known] * len(self.ids) + target[known])


def make_town(
    n_people: int,
    rng: np.random.Generator,
    *,
    as_of: str | pd.Timestamp = DEFAULT_AS_OF,
    settings: TownSettings | None = None,
) -> Town:
    """Make a town of `n_people` with its past up to `as_of`; equal arguments give equal towns.

    Raises InputError when there would be nobody.
    """
    if n_people < 1:
        raise InputError(explained("a town needs people", got=n_people, remedy="ask for 1 or more"))
    s = TownSettings() if settings is None else settings
    now = as_utc(as_of).floor("s")
    arrivals = make_arrivals(n_people, seconds(now), rng, s.history)
    citizens = make_citizens(n_people, arrivals, rng, s)
    residents = make_residents(
        citizens.profiles, citizens.tables[T.BOUNDARIES], make_harm(n_people, rng, s.trouble), s.funnel
    )
    pools = _pools(citizens, now, rng, s)
    truth = make_truth(
        citizens.minds,
        citizens.talk,
        avoids=citizens.avoids,
        cells=citizens.cells,
        pairs=_some_pairs(pools, rng),
        rng=rng,
        s=s.taste,
        rapport_luck=s.funnel.rapport_luck,
    )
    log = EventLog()
    log_arrivals(arrivals, citizens.profiles, citizens.suggestible, log)
    known = log_known_blocks(arrivals.joined, arrivals.start, log, rng, s.trouble)
    brigades = make_brigades(arrivals.joined, arrivals.start, arrivals.end, rng, s.trouble)
    lived, past = live_through(
        residents, truth, pools=pools, arrivals=arrivals, brigades=brigades, known_blocks=known, rng=rng, s=s
    )
    log.extend(lived)
    events = log.frame(residents.ids, model_version="town-random", until=arrivals.end)
    tables = citizens.tables | {
        T.PROFILES: with_changes(citizens.profiles, arrivals, rng, s.history),
        T.EVENTS: events,
        **safety_tables(events, past.holds, residents.ids, arrivals.end),
    }
    return Town(
        tables=with_dirt(tables, s.dirt, rng),
        ids=IdIndex(residents.ids.tolist()),
        as_of=now,
        truth=truth,
        residents=residents,
        settings=s,
    )


def _pools(citizens: Citizens, now: pd.Timestamp, rng: np.random.Generator, s: TownSettings) -> Pools:
    people = _population(citizens, now)
    return make_pools(Policy.default().compile(people), s.history.neighbourhood, rng)


def _population(citizens: Citizens, now: pd.Timestamp) -> Population:
    """Everybody as they were before anybody left, with nothing between them yet."""
    tables = ((name, citizens.tables[name]) for name in _RULING)
    accepted = {name: check_table(name, table, as_of=now).accepted for name, table in tables}
    people = build_population(MappingProxyType(accepted), now, source="town")
    return people.with_relations(Relations.of(len(people), suggestible=citizens.suggestible))


def _some_pairs(pools: Pools, rng: np.random.Generator) -> tuple[Rows, Rows]:
    entries = np.arange(len(pools.candidate))
    if len(entries) > _PAIRS_FOR_SCALE:
        entries = np.sort(rng.choice(len(entries), _PAIRS_FOR_SCALE, replace=False))
    return pools.viewer[entries], pools.candidate[entries]
