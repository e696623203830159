"""Reason `listens:<topic>`: the candidate is glad to listen to what the viewer wants to talk about."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.explain.strongest import Arrays, Pairs, Strength, Things, strongest, table_of
from recsys.schema.catalogue.catalogue import Catalogue
from recsys.schema.columns import Columns as C
from recsys.schema.population import Population


class Listening:
    """Topics the viewer talks about and the candidate listens to.

    What the candidate wants to talk about is read nowhere here, so it can never show.
    Strength is the product of the two weights, 1 to 9.
    """

    def __init__(self, people: Population, catalogue: Catalogue) -> None:
        table = people.long.talk_topics
        self._topics = sorted(catalogue.topics)
        self._talks, self._listens = (
            table_of(len(people), self._topics, said[C.ROW], said[C.TOPIC], said[C.WEIGHT])
            for said in (table[table[C.ROLE] == "talks"], table[table[C.ROLE] == "listens"])
        )
        self.codes = [f"listens:{topic}" for topic in self._topics]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], codes: Sequence[str]) -> "Listening":
        """Take back what `arrays` returned."""
        kind = cls.__new__(cls)
        kind.codes = list(codes)
        kind._topics = [code.partition(":")[2] for code in codes]
        kind._talks, kind._listens = np.asarray(arrays["talks"]), np.asarray(arrays["listens"])
        return kind

    def arrays(self) -> Arrays:
        """Return what is held of people."""
        return {"talks": self._talks, "listens": self._listens}

    def of(self, viewer: Pairs, candidate: Pairs, most: int) -> Things:
        """Return positions in `codes`, `(n_pairs, most)`, -1 for none."""

        def heard(i: Pairs, j: Pairs) -> Strength:
            return self._talks[i] * self._listens[j]

        return strongest(len(self._topics), viewer, candidate, heard, most=most)
