"""Distance: near enough to meet where both would, and never nearer than either wants."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.constraints.clauses import CellLimit, Clause, Gate, Mask
from recsys.constraints.constraint import Constraint
from recsys.constraints.said import wants_in_person
from recsys.schema.columns import Columns as C
from recsys.schema.ids import Rows
from recsys.schema.place import centres, pair_distances_km, radii_km
from recsys.schema.population import Population
from recsys.schema.vocabulary import AMOUNTS


@dataclass(frozen=True)
class Distance(Constraint):
    """Within the smaller maximum when both have an in-person intent; beyond the greater minimum always.

    An unknown maximum is no; an unknown minimum is none. The maximum is measured between cell
    centres, the minimum between the nearest points the two cells could hold; where a cell is
    unknown, no minimum can be kept, so only pairs without one may meet.
    """

    name = "distance"

    def allows(self, people: Population, i: Rows, j: Rows) -> Mask:
        """Say whether both distances in km, held against both people's limits."""
        most = people.amounts(C.MAX_DISTANCE_KM)
        least = np.maximum(people.amounts(C.MIN_DISTANCE_KM), 0)
        centre_km, area_km = self._kilometres(people, i, j)
        in_person = wants_in_person(people)
        both = in_person[i] & in_person[j]
        known = (most[i] >= 0) & (most[j] >= 0)
        near = ~both | (centre_km <= np.minimum(most[i], most[j]))
        return known & near & (area_km >= np.maximum(least[i], least[j]))

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate on the maximum and the limits as classes over a table of cells."""
        most, least = people.amounts(C.MAX_DISTANCE_KM), people.amounts(C.MIN_DISTANCE_KM)
        limit = CellLimit(
            cells=people.cells,
            max_class=np.searchsorted(AMOUNTS[C.MAX_DISTANCE_KM], most).astype(np.uint8),
            min_class=np.searchsorted(AMOUNTS[C.MIN_DISTANCE_KM], least).astype(np.uint8),
            in_person=wants_in_person(people),
        )
        return [Gate(people.known(C.MAX_DISTANCE_KM)), limit]

    @staticmethod
    def _kilometres(
        people: Population, i: Rows, j: Rows
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the distance of centres and the least distance of areas; nowhere is (far, 0)."""
        cells, place = np.unique(people.cells, return_inverse=True)
        a, b = place[i], place[j]
        known = (cells[a] != 0) & (cells[b] != 0)
        centre, radius = np.zeros((len(cells), 3)), np.zeros(len(cells))
        centre[cells != 0], radius[cells != 0] = centres(cells[cells != 0]), radii_km(cells[cells != 0])
        between = pair_distances_km(centre[a], centre[b])
        apart = np.maximum(between - radius[a] - radius[b], 0.0)
        return np.where(known, between, np.inf), np.where(known, apart, 0.0)
