"""Reason `near`: the two live in cells that are not far apart."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.explain.strongest import Arrays, Pairs, Things
from recsys.schema.catalogue.catalogue import Catalogue
from recsys.schema.columns import Columns as C
from recsys.schema.place import centres, pair_distances_km
from recsys.schema.population import Population
from recsys.schema.vocabulary import IN_PERSON_INTENTS

NEAR_KM: Final = 25.0
"""Centre to centre; a band wider than any cell that a profile may carry at its finest."""


class Near:
    """Whether two people who both want to meet in person have cells within `NEAR_KM`.

    Cells alone are compared, so nothing finer than a cell can be learned by moving about. People who
    want to stay online are told, and show, nothing about place.
    """

    codes = ("near",)

    def __init__(self, people: Population, catalogue: Catalogue) -> None:  # noqa: ARG002
        distinct, cell = np.unique(people.cells, return_inverse=True)
        self._cell = cell.astype(np.int32)
        self._centre = np.full((len(distinct), 3), np.nan)
        self._centre[distinct != 0] = centres(distinct[distinct != 0])
        self._meets = people.has_word(C.INTENTS, *IN_PERSON_INTENTS) & (people.cells != 0)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], codes: Sequence[str]) -> "Near":  # noqa: ARG003
        """Take back what `arrays` returned."""
        kind = cls.__new__(cls)
        kind._cell, kind._centre = np.asarray(arrays["cell"]), np.asarray(arrays["centre"])
        kind._meets = np.asarray(arrays["meets"])
        return kind

    def arrays(self) -> Arrays:
        """Return what is held of people: their cells, nothing finer."""
        return {"cell": self._cell, "centre": self._centre, "meets": self._meets}

    def of(self, viewer: Pairs, candidate: Pairs, most: int) -> Things:
        """Return 0 where the two are near, -1 elsewhere, `(n_pairs, most)`."""
        found = np.full((len(viewer), most), -1, np.int16)
        both = np.flatnonzero(self._meets[viewer] & self._meets[candidate])
        a, b = self._cell[viewer[both]], self._cell[candidate[both]]
        close = pair_distances_km(self._centre[a], self._centre[b]) <= NEAR_KM
        found[both[close], 0] = 0
        return found
