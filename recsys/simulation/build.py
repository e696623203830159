"""Everybody in the town: what the tables say of them, and what moves them in truth."""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.loading import load_catalogue
from recsys.constraints.policy import Policy
from recsys.data.build_population import build_population
from recsys.data.geography import cell_number
from recsys.data.population import Population, as_utc
from recsys.data.relations import Relations
from recsys.data.tables import check_table
from recsys.errors import InputError, explained
from recsys.simulation.abuse import log_known_blocks, make_brigades, make_harm
from recsys.simulation.answers import make_answers
from recsys.simulation.arrivals import Arrivals, log_arrivals, make_arrivals, with_changes
from recsys.simulation.boundaries import make_boundaries
from recsys.simulation.burn_in import Pools, live_through, make_pools
from recsys.simulation.event_log import EventLog, EventRows, event_rows, seconds, utc
from recsys.simulation.interests import Talk, make_communities, make_interests, make_talk
from recsys.simulation.latent_traits import Minds, make_minds
from recsys.simulation.night_state import Residents, make_residents
from recsys.simulation.profiles import Homes, make_homes, make_person_tokens, make_profiles, make_tokens
from recsys.simulation.settings import TownSettings
from recsys.simulation.truth import Truth, make_truth
from recsys.types import BoolArray, Int64Array


@dataclass(frozen=True, eq=False)
class Citizens:
    """Tables with one profile a person, in id order, beside the hidden side of the same rows.

    avoids: `(n, n_topics)` bool. cells: `(n,)` uint64 where people really live, 0 abroad.
    """

    tables: dict[str, pd.DataFrame]
    minds: Minds
    talk: Talk
    avoids: BoolArray
    cells: npt.NDArray[np.uint64]
    suggestible: BoolArray

    @property
    def profiles(self) -> pd.DataFrame:
        """One profile a person, in id order."""
        return self.tables[T.PROFILES]


def make_citizens(n: int, arrivals: Arrivals, rng: np.random.Generator, s: TownSettings) -> Citizens:
    """Draw `n` people; every table but the events and the safety tables."""
    catalogue = load_catalogue()
    topics = tuple(catalogue.topics)
    ids = np.array([f"u{number:07d}" for number in range(n)], dtype=object)
    joined = utc(arrivals.joined)
    homes = make_homes(n, rng, s.people)
    minds = make_minds(n, len(catalogue.scales), rng, s.content, s.taste)
    talk = make_talk(minds.topics, topics, rng, s.content)
    profiles = make_profiles(ids, homes, joined, rng, s.people)
    profiles[C.PERSON_TOKEN] = make_person_tokens(n, s.people.person_token, rng)
    boundaries = make_boundaries(profiles, talk.busy, topics, rng, s.boundaries)
    interests = make_interests(ids, minds.hobbies, catalogue, rng, s.content)
    tables = {
        T.PROFILES: profiles,
        T.BOUNDARIES: boundaries[rng.random(n) >= s.people.no_boundaries].reset_index(drop=True),
        T.INTERESTS: interests,
        T.TALK_TOPICS: talk.table(ids, topics),
        T.ANSWERS: make_answers(ids, joined, minds.values, catalogue=catalogue, rng=rng, s=s.content),
        T.COMMUNITIES: make_communities(
            interests, homes.prefecture, ids, catalogue=catalogue, rng=rng, s=s.content
        ),
        T.TOKENS: make_tokens(ids, homes.prefecture, rng, s.content),
    }
    return Citizens(
        tables=tables,
        minds=minds,
        talk=talk,
        avoids=_avoided(boundaries, topics),
        cells=_cells(homes),
        suggestible=(profiles[C.DISCRETION] == "liked_only").to_numpy(bool)
        & (rng.random(n) < s.people.suggestible),
    )


def _avoided(boundaries: pd.DataFrame, topics: tuple[str, ...]) -> BoolArray:
    return np.array(
        [[topic in (avoided or ()) for topic in topics] for avoided in boundaries[C.TOPICS_AVOID]], dtype=bool
    ).reshape(len(boundaries), len(topics))


def _cells(homes: Homes) -> npt.NDArray[np.uint64]:
    return np.array([0 if cell is None else cell_number(cell) for cell in homes.cell], dtype=np.uint64)


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


def _some_pairs(pools: Pools, rng: np.random.Generator) -> tuple[Int64Array, Int64Array]:
    n = len(pools)
    few = n <= _PAIRS_FOR_SCALE
    entries = np.arange(n) if few else np.sort(rng.choice(n, _PAIRS_FOR_SCALE, replace=False))
    return pools.pairs(entries)
