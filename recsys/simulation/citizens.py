"""Everybody in the town: what the tables say of them, and what moves them in truth."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.schema.catalogue import load_catalogue
from recsys.schema.columns import Columns as C
from recsys.schema.columns import Tables as T
from recsys.schema.place import cell_number
from recsys.simulation.answers import make_answers
from recsys.simulation.arrivals import Arrivals
from recsys.simulation.boundaries import make_boundaries
from recsys.simulation.communities import make_communities
from recsys.simulation.contacts import make_person_tokens, make_tokens
from recsys.simulation.draws import Mask
from recsys.simulation.event_log import utc
from recsys.simulation.homes import Homes, make_homes
from recsys.simulation.interests import make_interests
from recsys.simulation.minds import Minds, make_minds
from recsys.simulation.profiles import make_profiles
from recsys.simulation.settings import TownSettings
from recsys.simulation.talk_topics import Talk, make_talk


@dataclass(frozen=True, eq=False)
class Citizens:
    """Tables with one profile a person, in id order, beside the hidden side of the same rows.

    avoids: `(n, n_topics)` bool. cells: `(n,)` uint64 where people really live, 0 abroad.
    """

    tables: dict[str, pd.DataFrame]
    minds: Minds
    talk: Talk
    avoids: Mask
    cells: npt.NDArray[np.uint64]
    suggestible: Mask

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


def _avoided(boundaries: pd.DataFrame, topics: tuple[str, ...]) -> Mask:
    return np.array(
        [[topic in (avoided or ()) for topic in topics] for avoided in boundaries[C.TOPICS_AVOID]], dtype=bool
    ).reshape(len(boundaries), len(topics))


def _cells(homes: Homes) -> npt.NDArray[np.uint64]:
    return np.array([0 if cell is None else cell_number(cell) for cell in homes.cell], dtype=np.uint64)
