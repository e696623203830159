"""Distance: near enough to meet where both would, and never nearer than either wants."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import IN_PERSON_INTENTS, RANGES
from recsys.constraints.base import CellLimit, Clause, Constraint, Gate, Refusals, wants_in_person
from recsys.data.geography import centres, distances_km, pair_distances_km, radii_km
from recsys.data.population import Population
from recsys.types import BoolArray, Float64Array, Int32Array, UInt32Array, UInt64Array


@dataclass(frozen=True)
class Distance(Constraint):
    """Within the smaller maximum when both have an in-person intent; beyond the greater minimum always.

    An unknown maximum is no; an unknown minimum is none. The maximum is measured between the centres of
    cells, which are kept no finer than privacy allows (`recsys.data.geography.coarsen`), the minimum between
    the nearest points the two cells could hold; where a cell is unknown, no minimum can be kept, so only
    pairs without one may meet. Nor can a maximum: where both have an in-person intent, they meet when both
    would online, or when neither has a maximum.
    """

    name = "distance"

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether both distances in km, held against both people's limits."""
        most = people.amounts(C.MAX_DISTANCE_KM)
        least = np.maximum(people.amounts(C.MIN_DISTANCE_KM), 0)
        centre_km, area_km = self._kilometres(people, i, j)
        in_person = wants_in_person(people)
        both = in_person[i] & in_person[j]
        known = (most[i] >= 0) & (most[j] >= 0)
        near = ~both | (centre_km <= np.minimum(most[i], most[j]))
        wants, placed = people.has_word(C.INTENTS, *IN_PERSON_INTENTS), people.known(C.CELL)
        online = people.has_word(C.MEETING_SETTINGS, "online_only")
        limited = np.minimum(most[i], most[j]) < _ANYWHERE
        far = wants[i] & wants[j] & ~(placed[i] & placed[j]) & ~(online[i] & online[j]) & limited
        return known & near & ~far & (area_km >= np.maximum(least[i], least[j]))

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return a gate on the maximum, the limits in km over a table of cells, and who has no place."""
        most, least = (np.maximum(people.amounts(c), 0) for c in (C.MAX_DISTANCE_KM, C.MIN_DISTANCE_KM))
        limit = CellLimit(
            cells=people.cells,
            max_km=most.astype(np.uint16),
            min_km=least.astype(np.uint16),
            in_person=wants_in_person(people),
        )
        return [Gate(people.known(C.MAX_DISTANCE_KM)), limit, self._without_place(people)]

    @staticmethod
    def _without_place(people: Population) -> Refusals:
        """Return who would meet in person and has no place, by online and by limit, and whom that refuses."""
        wants = people.has_word(C.INTENTS, *IN_PERSON_INTENTS)
        online = people.has_word(C.MEETING_SETTINGS, "online_only")
        limited = people.amounts(C.MAX_DISTANCE_KM) < _ANYWHERE
        kinds = [(is_online, is_limited) for is_online in (False, True) for is_limited in (False, True)]
        somewhere = wants & ~people.known(C.CELL)
        are = [somewhere & (online == a) & (limited == b) for a, b in kinds]
        refused = [wants & ~(online & a) & (limited | b) for a, b in kinds]
        return Refusals.of(np.column_stack(are), np.column_stack(refused))

    @staticmethod
    def _kilometres(
        people: Population, i: Int32Array, j: Int32Array
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


_ANYWHERE: Final = RANGES[C.MAX_DISTANCE_KM][1]
"""The greatest maximum, of whoever sets none."""
UNREACHABLE: Final = 0xFFFF
"""Stands for a distance beyond every maximum."""
_CHUNK = 256


def cell_reach(cells: UInt64Array) -> UInt32Array:
    """Return the distances of every two cells in whole km, `(n_cells, n_cells)` uint32, symmetric.

    cells: `(n_cells,)` ascending cell numbers, the last one 0 (nowhere): it is within no maximum
    and keeps no minimum. Low 16 bits: the distance of the centres, rounded up (`UNREACHABLE` for none).
    High 16 bits: that distance less both cells' radii, rounded down, which never exceeds the true distance
    between the areas. Limits are whole km, so rounding changes no comparison.

    >>> cell_reach(np.array([0], np.uint64)).tolist()
    [[65535]]
    """
    n_cells = len(cells)
    reach = np.full((n_cells, n_cells), UNREACHABLE, np.uint32)
    centre, radius = centres(cells[:-1]), radii_km(cells[:-1])
    for start in range(0, n_cells - 1, _CHUNK):
        rows = slice(start, min(start + _CHUNK, n_cells - 1))
        apart = distances_km(centre[rows], centre[start:])
        packed = packed_km(apart, apart - radius[rows, None] - radius[None, start:])
        reach[rows, start:-1] = packed
        reach[start:-1, rows] = packed.T
    return reach


def between_cells(from_cells: UInt64Array, to_cells: UInt64Array) -> UInt32Array:
    """Return the same distances from some cells to others, `(n_from, n_to)` uint32; 0 is nowhere.

    >>> between_cells(np.array([0], np.uint64), np.array([0], np.uint64)).tolist()
    [[65535]]
    """
    reach = np.full((len(from_cells), len(to_cells)), UNREACHABLE, np.uint32)
    rows, columns = np.flatnonzero(from_cells != 0), np.flatnonzero(to_cells != 0)
    if len(rows) and len(columns):
        here, there = from_cells[rows], to_cells[columns]
        apart = distances_km(centres(here), centres(there))
        reach[np.ix_(rows, columns)] = packed_km(
            apart, apart - radii_km(here)[:, None] - radii_km(there)[None, :]
        )
    return reach


def packed_km(far: Float64Array, near: Float64Array) -> UInt32Array:
    """Return two distances in km as one number each: `far` rounded up, `near` rounded down, at least 0.

    >>> packed_km(np.array([12.5]), np.array([3.9])).tolist() == [13 | 3 << 16]
    True
    """
    up, down = np.ceil(far).astype(np.uint32), np.floor(np.maximum(near, 0.0)).astype(np.uint32)
    return up | (down << np.uint32(16))
