"""Talk: what one needs to talk about meets what the other is glad to listen to."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.population import Population
from recsys.features.applied.block import AppliedBlock
from recsys.features.rows import BlockRows
from recsys.features.sums import sums_by_person

MOST_WEIGHT = 3.0
"""The greatest weight a topic can be given."""


def topic_weights(people: Population, role: str, topics: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Return how much each person named each topic in one role, `(n_people, n_topics)`, 0 to 3."""
    table = people.long.talk_topics
    table = table[table[C.ROLE].eq(role).to_numpy(bool)].drop_duplicates([C.ROW, C.TOPIC])
    number = pd.Index(topics, dtype=object).get_indexer(pd.Index(table[C.TOPIC], dtype=object))
    weight = pd.to_numeric(table[C.WEIGHT], errors="coerce").to_numpy(np.float64)
    kept = (number >= 0) & ~np.isnan(weight)
    person = table[C.ROW].to_numpy(np.int64)[kept]
    return sums_by_person(person, number[kept], weight[kept], np.eye(len(topics)), len(people))


def talk_shares(people: Population, topics: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Return the share of each topic in what each person needs to talk about; a row sums to 1 or 0."""
    talks = topic_weights(people, "talks", topics)
    total = talks.sum(axis=1, keepdims=True)
    return np.divide(talks, total, out=np.zeros_like(talks), where=total > 0)


@dataclass(frozen=True, eq=False)
class AppliedTalk(AppliedBlock):
    """Shares of what I talk about, against how gladly you listen.

    The pair score is `sum_t talks_it / sum(talks_i) * listens_jt / 3`, in [0, 1] and directed: of what
    i needs to talk about, how much j is glad to hear. Unknown is 0.
    """

    name: ClassVar[str] = "talk"

    topics: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The topics."""
        return self.topics

    def rows(self, people: Population) -> BlockRows:
        """Return the rows of everybody."""
        listens = topic_weights(people, "listens", self.topics) / MOST_WEIGHT
        return BlockRows(talk_shares(people, self.topics).astype(np.float32), listens.astype(np.float32))
