"""Building a town: its people, their tables, the hidden truth, and the burn-in."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.catalogue import Catalogue, load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.constraints.policy import Policy
from recsys.data.build_population import build_population
from recsys.data.exclusions import Relations
from recsys.data.geography import cell_number
from recsys.data.population import Population
from recsys.data.tables import check_table
from recsys.data.times import as_utc
from recsys.errors import InputError, explained
from recsys.memory import return_freed_memory
from recsys.simulation.abuse import draw_abuse_kinds, log_known_blocks, make_brigades
from recsys.simulation.arrivals import Arrivals, log_arrivals, make_arrivals, with_changes
from recsys.simulation.burn_in import CandidatePools, make_pools, run_burn_in
from recsys.simulation.event_log import EventLog, EventRows, event_rows, seconds, utc
from recsys.simulation.interests_and_answers import (
    TRAITS_WITHOUT_SCALES,
    TopicWeights,
    make_answers,
    make_communities,
    make_interests,
    make_talk_topics,
)
from recsys.simulation.night_state import Residents, holds_words, make_residents
from recsys.simulation.profiles import (
    Homes,
    make_boundaries,
    make_homes,
    make_person_tokens,
    make_profiles,
    make_tokens,
)
from recsys.simulation.settings import TownSettings
from recsys.simulation.truth import LatentTraits, Truth, draw_latent_traits, make_truth
from recsys.types import BoolArray, Int64Array


@dataclass(frozen=True, eq=False)
class TownMembers:
    """Tables with one profile a person, in id order, beside the hidden side of the same rows.

    avoids: `(n, n_topics)` bool. cells: `(n,)` uint64 where people really live, 0 abroad.
    """

    tables: dict[str, pd.DataFrame]
    traits: LatentTraits
    talk_topics: TopicWeights
    avoids: BoolArray
    cells: npt.NDArray[np.uint64]
    suggestible: BoolArray

    @property
    def profiles(self) -> pd.DataFrame:
        """One profile a person, in id order."""
        return self.tables[T.PROFILES]


def make_members(
    n: int,
    arrivals: Arrivals,
    rng: np.random.Generator,
    s: TownSettings,
    catalogue: Catalogue,
) -> TownMembers:
    """Draw `n` people; every table but the events and the safety tables."""
    topic_names = tuple(catalogue.topics)
    ids = np.array([f"u{number:07d}" for number in range(n)], dtype=object)
    joined = utc(arrivals.joined)
    homes = make_homes(n, rng, s.people)
    traits = draw_latent_traits(n, len(catalogue.scales) or TRAITS_WITHOUT_SCALES, rng, s.content, s.taste)
    talk_topics = make_talk_topics(traits.topics, topic_names, rng, s.content)
    profiles = make_profiles(ids, homes, joined, rng, s.people)
    profiles[C.PERSON_TOKEN] = make_person_tokens(n, s.people.person_token, rng)
    boundaries = make_boundaries(profiles, talk_topics.busy, topic_names, rng, s.boundaries)
    interests = make_interests(ids, traits.hobbies, catalogue, rng, s.content)
    tables = {
        T.PROFILES: profiles,
        T.BOUNDARIES: boundaries[rng.random(n) >= s.people.no_boundaries].reset_index(drop=True),
        T.INTERESTS: interests,
        T.TALK_TOPICS: talk_topics.table(ids, topic_names),
        T.ANSWERS: make_answers(ids, joined, traits.values, catalogue=catalogue, rng=rng, s=s.content),
        T.COMMUNITIES: make_communities(
            interests, homes.prefecture, ids, catalogue=catalogue, rng=rng, s=s.content
        ),
        T.TOKENS: make_tokens(ids, homes.prefecture, rng, s.content),
    }
    return TownMembers(
        tables=tables,
        traits=traits,
        talk_topics=talk_topics,
        avoids=holds_words(boundaries[C.TOPICS_AVOID], topic_names),
        cells=_cells(homes),
        suggestible=(profiles[C.DISCRETION] == "liked_only").to_numpy(bool)
        & (rng.random(n) < s.people.suggestible),
    )


def _cells(homes: Homes) -> npt.NDArray[np.uint64]:
    return np.array([0 if cell is None else cell_number(cell) for cell in homes.cell], dtype=np.uint64)


_PAIRS_FOR_SCALE = 200_000
_ROWS_AT_ONCE = 1_000_000
_RULING = (T.PROFILES, T.BOUNDARIES, T.ANSWERS, T.TOKENS)
"""Tables that decide who may meet before anything has happened."""
_WAITING = (T.ANSWERS, T.INTERESTS, T.TALK_TOPICS)
"""Large tables of which nothing is read while the past is drawn."""


@dataclass(frozen=True, eq=False)
class BuiltTown:
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


def build_town(
    n_people: int,
    rng: np.random.Generator,
    *,
    as_of: str | pd.Timestamp,
    settings: TownSettings | None = None,
    nights_ahead: int = 0,
    catalogue: Catalogue | None = None,
) -> BuiltTown:
    """Build a town and play its burn-in; see `make_town`.

    Raises InputError when there would be nobody, or a catalogue has other words for its people.
    """
    _require_people(n_people, catalogue)
    s, now = settings or TownSettings(), as_utc(as_of).floor("s")
    arrivals = make_arrivals(n_people, seconds(now), rng, s.history, nights_ahead=nights_ahead)
    n_ever = len(arrivals.joined)
    catalogue = load_catalogue() if catalogue is None else catalogue
    members = make_members(n_ever, arrivals, rng, s, catalogue)
    residents = make_residents(
        members.profiles, members.tables[T.BOUNDARIES], draw_abuse_kinds(n_ever, rng, s.abuse), s.funnel
    )
    pools = _pools(members, now + pd.Timedelta(days=nights_ahead), rng, s, catalogue)
    truth = make_truth(
        members.traits,
        members.talk_topics,
        avoids=members.avoids,
        cells=members.cells,
        pairs=_some_pairs(pools, rng),
        rng=rng,
        s=s.taste,
        rapport_noise=s.funnel.rapport_noise,
    )
    tables, suggestible = _changed(members.tables, words_as_codes), members.suggestible
    del members  # and with them the hidden side, which the truth has taken over
    return_freed_memory()
    log = EventLog()
    log_arrivals(arrivals, tables[T.PROFILES], suggestible, log)
    known = log_known_blocks(arrivals.joined, arrivals.start, log, rng, s.abuse)
    brigades = make_brigades(arrivals.joined, arrivals.start, arrivals.end, rng, s.abuse)
    burned_in, state = run_burn_in(
        residents, truth, pools=pools, arrivals=arrivals, brigades=brigades, known_blocks=known, rng=rng, s=s
    )
    log.extend(burned_in)
    holds = state.holds
    del burned_in, state, pools  # large in a large town
    return_freed_memory()
    profiles = with_changes(tables[T.PROFILES], arrivals, rng, s.history)
    until = None if nights_ahead else arrivals.end
    events = event_rows(log, residents.ids, model_version="town-random", until=until)
    return BuiltTown(
        tables=_changed(tables, words_of_codes) | {T.PROFILES: profiles},
        events=events,
        holds=holds,
        as_of=now,
        truth=truth,
        residents=residents,
        settings=s,
        arrivals=arrivals,
    )


def _changed(
    tables: dict[str, pd.DataFrame], change: Callable[[pd.DataFrame], pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return the tables with `change` applied to those that wait."""
    return {name: change(table) if name in _WAITING else table for name, table in tables.items()}


def words_as_codes(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its texts, but for ids, as categories, which take a third of the room."""
    texts = [name for name in table if isinstance(table[name].dtype, pd.StringDtype) and name != C.USER]
    return table.astype(dict.fromkeys(texts, "category"))


def words_of_codes(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of which `words_as_codes` made one of categories."""
    coded = [name for name in table if isinstance(table[name].dtype, pd.CategoricalDtype)]
    found = table.copy(deep=False)
    for name in coded:
        words = table[name].cat
        found[name] = words.categories.array.take(words.codes.to_numpy(), allow_fill=True)
    return found


def _require_people(n_people: int, catalogue: Catalogue | None) -> None:
    """Raise InputError when there would be nobody, or a catalogue has other words for its people."""
    if n_people < 1:
        raise InputError(explained("a town needs people", got=n_people, remedy="ask for 1 or more"))
    if catalogue is not None and catalogue.own_words:
        what, remedy = "a town speaks the words of the package", "leave `words` out of its catalogue"
        raise InputError(explained(what, got=list(catalogue.own_words), remedy=remedy))


def _pools(
    members: TownMembers,
    now: pd.Timestamp,
    rng: np.random.Generator,
    s: TownSettings,
    catalogue: Catalogue,
) -> CandidatePools:
    return_freed_memory()  # what making the tables took
    compiled = Policy.default().compile(_population(members, now, catalogue))
    return_freed_memory()
    pools = make_pools(compiled, s.history.neighbourhood, rng)
    del compiled
    return_freed_memory()
    return pools


def _population(members: TownMembers, now: pd.Timestamp, catalogue: Catalogue) -> Population:
    """Everybody as they were before anybody left, with nothing between them yet."""
    accepted = {name: _accepted(name, members.tables[name], now, catalogue) for name in _RULING}
    people = build_population(MappingProxyType(accepted), now, source="town", catalogue=catalogue)
    return people.with_relations(Relations.of(len(people), suggestible=members.suggestible))


def _accepted(name: str, table: pd.DataFrame, now: pd.Timestamp, catalogue: Catalogue) -> pd.DataFrame:
    """Return the accepted rows of a table, checked part by part so that memory stays bounded."""
    parts = [table.iloc[start : start + _ROWS_AT_ONCE] for start in range(0, len(table), _ROWS_AT_ONCE)]
    checked = [
        check_table(name, part.reset_index(drop=True), as_of=now, catalogue=catalogue).accepted
        for part in parts or [table]
    ]
    return checked[0] if len(checked) == 1 else pd.concat(checked, ignore_index=True)


def _some_pairs(pools: CandidatePools, rng: np.random.Generator) -> tuple[Int64Array, Int64Array]:
    n = len(pools)
    few = n <= _PAIRS_FOR_SCALE
    entries = np.arange(n) if few else np.sort(rng.choice(n, _PAIRS_FOR_SCALE, replace=False))
    return pools.pairs(entries)
