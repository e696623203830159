"""A synthetic town: tables to learn from, and people who answer the lists they are given."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from recsys.arguments import as_generator, checked_arguments
from recsys.catalogue.catalogue import Catalogue, load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.conversations import active_matches
from recsys.data.events import Events
from recsys.data.ids import IdIndex
from recsys.errors import InputError, explained
from recsys.memory import return_freed_memory
from recsys.random import KeyedGenerator
from recsys.simulation.abuse import log_brigades, safety_tables, updated_safety_tables
from recsys.simulation.arrivals import (
    Arrivals,
    departures,
    recent_events_of,
    split_due,
    with_departures,
)
from recsys.simulation.browsing import Exposures
from recsys.simulation.build import build_town
from recsys.simulation.burn_in import play_night
from recsys.simulation.corruption import (
    COPIED_TYPE,
    CorruptedRows,
    corrupted_events,
    with_broken_rows,
    with_corruption,
)
from recsys.simulation.event_log import EventLog, event_rows, seconds
from recsys.simulation.night_state import NightContext, NightState, RecentEvents, Residents
from recsys.simulation.sampling import Step
from recsys.simulation.settings import TownSettings
from recsys.simulation.truth import Truth
from recsys.types import BoolArray, Int64Array, RNGLike

DEFAULT_AS_OF: Final = "2026-01-05T03:00:00Z"
"""The night a town is handed over when no other is asked for: noon in Japan, a Monday."""


@dataclass(frozen=True, eq=False)
class Town:
    """A town as of one night.

    tables: raw tables by name, as `recsys.storage` writes and reads them. truth: the hidden taste,
    by row of `ids`; nothing that learns may see it. residents: habits, hidden too. arrivals: who is
    there when. coming: rows of tables that will be known later, of newcomers, leavers and talks.
    """

    tables: dict[str, pd.DataFrame]
    ids: IdIndex
    as_of: pd.Timestamp
    truth: Truth
    residents: Residents
    settings: TownSettings
    arrivals: Arrivals
    coming: Mapping[str, pd.DataFrame] = field(default_factory=lambda: MappingProxyType({}))
    catalogue: Catalogue = field(default_factory=load_catalogue)

    def __repr__(self) -> str:
        n_events = len(self.tables[T.EVENTS])
        return f"Town({len(self.ids):,} people, {n_events:,} events, as of {self.as_of:%Y-%m-%d %H:%M} UTC)"

    def step(
        self, lists: pd.DataFrame, rng: np.random.Generator, *, at: pd.Timestamp | None = None
    ) -> pd.DataFrame:
        """Give people their lists; return what they do about them, in time order.

        lists: viewer_id, candidate_id, rank and perhaps propensity. Not everybody opens theirs; who
        left, has not joined yet or has as many companions as they wish for does not. The
        events begin on the night `at` (the town's date) and may lie weeks later. Two calls with equal
        generators share the random numbers of every pair, whatever the lists, so policies can be compared on
        common random numbers. The town itself does not change: see `after`.

        Raises InputError for lists that cannot be shown, UnknownIdError for people unknown here.
        """
        shown, when = Exposures.of(lists, self.ids), seconds(self.as_of if at is None else at)
        random, log, s = KeyedGenerator.from_rng(rng), EventLog(), self.settings
        there = self.arrivals.there(when)
        night_state = NightState.at(
            when, len(self.ids), likes=self._likes, recent=self._recent, s=s.funnel, full=self._full
        )
        opens = np.where(there & ~night_state.full, self.residents.opens, 0.0)[shown.viewer]
        opened = random.uniform(Step.OPEN, shown.viewer, shown.viewer) < opens
        context = NightContext(self.residents, self.truth, s.funnel, s.abuse, night_state, random, log)
        play_night(context, shown.take(opened), when)
        a_night = s.abuse.brigades_per_1000 * there.sum() / 1000.0 / max(s.history.days, 1)
        log_brigades(random, there, when, log, a_night=a_night, size=s.abuse.brigade_size)
        first = len(self.tables[T.EVENTS]) + len(self.coming.get(T.EVENTS, ()))
        return event_rows(log, self.residents.ids, model_version="town-step", first=first).frame()

    def after(self, events: pd.DataFrame, as_of: pd.Timestamp) -> "Town":
        """Return the town at a later time, with the events of a step.

        What lies later than `as_of` waits in `coming` until its time has come. Newcomers appear,
        those who left turn dormant, and the safety tables know what was reported.

        Raises InputError for a time before the town's own.
        """
        if as_of < self.as_of:
            remedy = f"give a time from {self.as_of.isoformat()} on"
            raise InputError(explained("a town does not grow younger", got=as_of.isoformat(), remedy=remedy))
        tables, coming = dict(self.tables), {}
        known, arrivals = events.iloc[:0], self._arrivals_until(as_of)
        for name, rows in (
            dict(self.coming) | {T.EVENTS: _joined(self.coming.get(T.EVENTS), events)}
        ).items():
            now, later = split_due(rows, self.ids, arrivals, as_of)
            tables[name], coming[name] = _joined(tables[name], now), later
            known = now if name == T.EVENTS else known
        tables |= updated_safety_tables(
            tables, known, as_of, held_after=self.settings.abuse.held_after_reports
        )
        tables[T.PROFILES] = with_departures(tables[T.PROFILES], self.ids, self.arrivals, arrivals)
        return replace(self, tables=tables, coming=coming, as_of=as_of, arrivals=arrivals)

    def _arrivals_until(self, as_of: pd.Timestamp) -> Arrivals:
        """Return who is there when, with those who leave by a time because nobody talks with them."""
        funnel, now = self.settings.funnel, seconds(self.as_of)
        if not funnel.leaves_a_night or as_of <= self.as_of:
            return self.arrivals
        state = NightState.at(now, len(self.ids), likes=self._likes, recent=self._recent, s=funnel)
        return departures(
            self.arrivals,
            state.talking,
            self.truth.noise,
            since=now,
            until=seconds(as_of),
            leaves_a_night=funnel.leaves_a_night,
        )

    @cached_property
    def _likes(self) -> Int64Array:
        made = self._done.take(self._done.are("like"))
        return np.unique(made.actor * len(self.ids) + made.target)

    @cached_property
    def _recent(self) -> RecentEvents:
        return self._done.since(seconds(self.as_of), self.settings.funnel)

    @cached_property
    def _done(self) -> RecentEvents:
        parts = [self.tables[T.EVENTS], self.coming.get(T.EVENTS, self.tables[T.EVENTS].iloc[:0])]
        return recent_events_of(pd.concat(parts, ignore_index=True), self.ids)

    @cached_property
    def _full(self) -> BoolArray:
        wished = self.residents.wished
        return active_matches(Events.of(_checks(self.tables[T.EVENTS])), self.ids) >= wished


_ENDINGS = ("feeling_check", "meet_feedback", "block", "report", "end")


def _checks(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events that say who has a companion; broken rows say nothing."""
    found = events[events[C.TYPE].isin(_ENDINGS)]
    return found[found[C.ACTOR].notna() & found[C.TARGET].notna() & found[C.TS].notna()]


@checked_arguments
def make_town(
    n_people: int,
    rng: RNGLike,
    *,
    as_of: str | pd.Timestamp = DEFAULT_AS_OF,
    settings: TownSettings | None = None,
    nights_ahead: int = 0,
    catalogue: Catalogue | None = None,
) -> Town:
    """Make a town of `n_people` with its past up to `as_of`; equal arguments give equal towns.

    nights_ahead: how many nights will be played; so long people join and leave as they did before.
    catalogue: whose questions they answer, that of the package when None.

    Raises InputError when there would be nobody.

    >>> town = make_town(40, np.random.default_rng(7))
    >>> town
    Town(40 people, 126 events, as of 2026-01-05 03:00 UTC)
    """
    rng = as_generator(rng)
    built = build_town(
        n_people, rng, as_of=as_of, settings=settings, nights_ahead=nights_ahead, catalogue=catalogue
    )
    ids, now, s = IdIndex(built.residents.ids.tolist()), built.as_of, built.settings
    tables = built.tables | {T.EVENTS: built.events.frame()}
    coming: dict[str, pd.DataFrame] = {}
    if nights_ahead:
        for name, rows in tables.items():
            tables[name], coming[name] = split_due(rows, ids, built.arrivals, now)
    tables |= safety_tables(tables[T.EVENTS], built.holds, built.residents.ids, built.arrivals.end)
    return Town(
        tables=with_corruption(tables, s.corruption, rng),
        ids=ids,
        as_of=now,
        truth=built.truth,
        residents=built.residents,
        settings=s,
        arrivals=built.arrivals,
        coming=MappingProxyType(coming),
        catalogue=load_catalogue() if catalogue is None else catalogue,
    )


def _joined(before: pd.DataFrame | None, more: pd.DataFrame) -> pd.DataFrame:
    if before is None or before.empty:
        return more.reset_index(drop=True)
    return pd.concat([before, more], ignore_index=True) if len(more) else before


_ROWS_AT_ONCE: Final = 1 << 20
_SAFETY: Final = ("block", "report")


@dataclass(frozen=True, eq=False)
class TownParts:
    """The tables of a town, to be written once.

    tables: by name, a frame or the parts of one. n_events: rows of the events, broken ones among them.
    """

    tables: Mapping[str, pd.DataFrame | Iterable[pd.DataFrame]]
    n_people: int
    n_events: int
    as_of: pd.Timestamp


@checked_arguments
def make_town_parts(
    n_people: int,
    rng: RNGLike,
    *,
    as_of: str | pd.Timestamp = DEFAULT_AS_OF,
    settings: TownSettings | None = None,
    catalogue: Catalogue | None = None,
) -> TownParts:
    """Make the tables that `make_town` makes of equal arguments, never holding all events as a table.

    Raises InputError when there would be nobody.

    >>> parts = make_town_parts(40, np.random.default_rng(7))
    >>> parts.n_people, sum(len(part) for part in parts.tables["events"])
    (40, 126)
    """
    rng = as_generator(rng)
    town = build_town(n_people, rng, as_of=as_of, settings=settings, catalogue=catalogue)
    tables, rows, share, now = dict(town.tables), town.events, town.settings.corruption, town.as_of
    told = rows.frame(rows.are(*_SAFETY))
    safety = safety_tables(told, town.holds, town.residents.ids, town.arrivals.end)
    del town  # and with it every table once its broken rows are in it
    before = {name: with_broken_rows(name, tables.pop(name), share, rng) for name in tuple(tables)}
    corruption = CorruptedRows.drawn(len(rows), rows.are(COPIED_TYPE), share, rng)
    events = corrupted_events(rows, corruption, _ROWS_AT_ONCE)
    return_freed_memory()
    return TownParts(
        tables={**before, T.EVENTS: events, **with_corruption(safety, share, rng)},
        n_people=n_people,
        n_events=len(corruption.order),
        as_of=now,
    )
