"""A town founded: its people, and its past as a log of events, before any of it is a table."""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from recsys.constraints.policy import Policy
from recsys.errors import InputError, explained
from recsys.schema.build import build_population
from recsys.schema.columns import Tables as T
from recsys.schema.population import Population, as_utc
from recsys.schema.relations import Relations
from recsys.schema.tables import check_table
from recsys.simulation.arrivals import Arrivals, log_arrivals, make_arrivals, with_changes
from recsys.simulation.citizens import Citizens, make_citizens
from recsys.simulation.event_log import EventLog, seconds
from recsys.simulation.event_rows import EventRows, event_rows
from recsys.simulation.past import live_through
from recsys.simulation.pools import Pools, make_pools
from recsys.simulation.residents import Residents, make_residents
from recsys.simulation.scene import Rows
from recsys.simulation.settings import TownSettings
from recsys.simulation.trouble import log_known_blocks, make_brigades, make_harm
from recsys.simulation.truth import Truth, make_truth

_PAIRS_FOR_SCALE = 200_000
_ROWS_AT_ONCE = 1_000_000
_RULING = (T.PROFILES, T.BOUNDARIES, T.ANSWERS, T.TOKENS)
"""Tables that decide who may meet before anything has happened."""


@dataclass(frozen=True, eq=False)
class Founded:
    """A town as of one night, without broken rows.

    tables: every table but the events and the safety tables. events: of the past, and for nights
    ahead what will come of it. holds: (row, seconds, state). The rest is as in `Town`.
    """

    tables: dict[str, pd.DataFrame]
    events: EventRows
    holds: list[tuple[int, int, str]]
    as_of: pd.Timestamp
    truth: Truth
    residents: Residents
    settings: TownSettings
    arrivals: Arrivals


def found_town(
    n_people: int,
    rng: np.random.Generator,
    *,
    as_of: str | pd.Timestamp,
    settings: TownSettings | None = None,
    nights_ahead: int = 0,
) -> Founded:
    """Found a town and live through its past; see `make_town`.

    Raises InputError when there would be nobody.
    """
    if n_people < 1:
        raise InputError(explained("a town needs people", got=n_people, remedy="ask for 1 or more"))
    s = TownSettings() if settings is None else settings
    now = as_utc(as_of).floor("s")
    arrivals = make_arrivals(n_people, seconds(now), rng, s.history, nights_ahead=nights_ahead)
    n_ever = len(arrivals.joined)
    citizens = make_citizens(n_ever, arrivals, rng, s)
    residents = make_residents(
        citizens.profiles, citizens.tables[T.BOUNDARIES], make_harm(n_ever, rng, s.trouble), s.funnel
    )
    pools = _pools(citizens, now + pd.Timedelta(days=nights_ahead), rng, s)
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
    holds = past.holds
    del lived, past, pools  # large in a large town
    profiles = with_changes(citizens.profiles, arrivals, rng, s.history)
    until = None if nights_ahead else arrivals.end
    return Founded(
        tables=citizens.tables | {T.PROFILES: profiles},
        events=event_rows(log, residents.ids, model_version="town-random", until=until),
        holds=holds,
        as_of=now,
        truth=truth,
        residents=residents,
        settings=s,
        arrivals=arrivals,
    )


def _pools(citizens: Citizens, now: pd.Timestamp, rng: np.random.Generator, s: TownSettings) -> Pools:
    people = _population(citizens, now)
    return make_pools(Policy.default().compile(people), s.history.neighbourhood, rng)


def _population(citizens: Citizens, now: pd.Timestamp) -> Population:
    """Everybody as they were before anybody left, with nothing between them yet."""
    accepted = {name: _accepted(name, citizens.tables[name], now) for name in _RULING}
    people = build_population(MappingProxyType(accepted), now, source="town")
    return people.with_relations(Relations.of(len(people), suggestible=citizens.suggestible))


def _accepted(name: str, table: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Return the accepted rows of a table, checked part by part so that memory stays bounded."""
    parts = [table.iloc[start : start + _ROWS_AT_ONCE] for start in range(0, len(table), _ROWS_AT_ONCE)]
    checked = [
        check_table(name, part.reset_index(drop=True), as_of=now).accepted for part in parts or [table]
    ]
    return checked[0] if len(checked) == 1 else pd.concat(checked, ignore_index=True)


def _some_pairs(pools: Pools, rng: np.random.Generator) -> tuple[Rows, Rows]:
    n = len(pools)
    few = n <= _PAIRS_FOR_SCALE
    entries = np.arange(n) if few else np.sort(rng.choice(n, _PAIRS_FOR_SCALE, replace=False))
    return pools.pairs(entries)
