"""Reason `interest:<tag>`: both have the interest on their profile."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.explain.strongest import Arrays, Pairs, Strength, Things, strongest, table_of
from recsys.schema.catalogue.catalogue import Catalogue
from recsys.schema.columns import Columns as C
from recsys.schema.population import Population


class SharedInterests:
    """Interests of the catalogue that both have, strongest first; free text is never shown.

    Strength is the lower of the two levels: an interest is shared as far as both hold it.
    """

    def __init__(self, people: Population, catalogue: Catalogue) -> None:
        table = people.long.interests
        self._tags = sorted(set(table[C.TAG].unique()) & set(catalogue.interests))
        self._level = table_of(len(people), self._tags, table[C.ROW], table[C.TAG], table[C.LEVEL])
        self.codes = [f"interest:{tag}" for tag in self._tags]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], codes: Sequence[str]) -> "SharedInterests":
        """Take back what `arrays` returned."""
        kind = cls.__new__(cls)
        kind.codes = list(codes)
        kind._tags = [code.partition(":")[2] for code in codes]
        kind._level = np.asarray(arrays["level"])
        return kind

    def arrays(self) -> Arrays:
        """Return what is held of people."""
        return {"level": self._level}

    def of(self, viewer: Pairs, candidate: Pairs, most: int) -> Things:
        """Return positions in `codes`, `(n_pairs, most)`, -1 for none."""

        def both(i: Pairs, j: Pairs) -> Strength:
            return np.minimum(self._level[i], self._level[j])

        return strongest(len(self._tags), viewer, candidate, both, most=most)
