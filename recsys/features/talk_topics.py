"""Talk topics: what one needs to talk about meets what the other is glad to listen to."""

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import pandas as pd

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.features.base import Block, BlockRows, FittedBlock, positions, sums_by_person
from recsys.types import Float64Array

MAX_WEIGHT: Final = 3.0
"""The greatest weight a topic can be given."""
MOST_LISTENING: Final = 18.0
"""What the weights of all topics somebody listens to may sum to: six, gladly. More are scaled down to it."""


class Topics(Block):
    """What one needs to talk about, against what the other listens to; directed.

    catalogue: the topics; those of the people when None.

    >>> Topics().fit(Population.of_ids(["a"], as_of="2026-01-05")).fitted_.name
    'talk_topics'
    """

    name = "talk_topics"

    def __init__(self, *, catalogue: Catalogue | None = None, name: str = "talk_topics") -> None:
        self.name = name
        self.catalogue = catalogue

    def _learn(self, people: Population, events: Events) -> "FittedTopics":  # noqa: ARG002
        return FittedTopics(topics=tuple(sorted((self.catalogue or people.catalogue).topics)))


@dataclass(frozen=True, eq=False)
class FittedTopics(FittedBlock):
    """Shares of what I talk about, against how gladly you listen.

    The pair score is `sum_t talks_it / sum(talks_i) * listens_jt / 3`, in [0, 1] and directed: of what
    i needs to talk about, how much j is glad to hear. Unknown is 0. Somebody who listens to nearly everything
    would suit everybody: where the weights of somebody's topics sum to more than `MOST_LISTENING`, all of
    them are scaled down to it.
    """

    name: ClassVar[str] = "talk_topics"

    topics: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The topics."""
        return self.topics

    def rows(self, people: Population) -> BlockRows:
        """Return the rows of everybody."""
        listens = topic_weights(people, "listens", self.topics)
        listens *= MOST_LISTENING / np.maximum(listens.sum(axis=1, keepdims=True), MOST_LISTENING)
        listens /= MAX_WEIGHT
        return BlockRows(talk_shares(people, self.topics).astype(np.float32), listens.astype(np.float32))


def topic_weights(people: Population, role: str, topics: tuple[str, ...]) -> Float64Array:
    """Return how much each person named each topic in one role, `(n_people, n_topics)`, 0 to 3."""
    table = people.long.talk_topics
    table = table[table[C.ROLE].eq(role).to_numpy(bool)].drop_duplicates([C.ROW, C.TOPIC])
    topic = positions(table[C.TOPIC], topics)
    weight = pd.to_numeric(table[C.WEIGHT], errors="coerce").to_numpy(np.float64)
    kept = (topic >= 0) & ~np.isnan(weight)
    person = table[C.ROW].to_numpy(np.int64)[kept]
    return sums_by_person(person, topic[kept], weight[kept], np.eye(len(topics)), len(people))


def talk_shares(people: Population, topics: tuple[str, ...]) -> Float64Array:
    """Return the share of each topic in what each person needs to talk about; a row sums to 1 or 0."""
    talks = topic_weights(people, "talks", topics)
    total = talks.sum(axis=1, keepdims=True)
    return np.divide(talks, total, out=np.zeros_like(talks), where=total > 0)
