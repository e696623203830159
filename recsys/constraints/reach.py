"""Which distance classes hold between populated cells, computed once in float64."""

import numpy as np
import numpy.typing as npt

from recsys.schema.columns import Columns as C
from recsys.schema.place import Cells, centres, distances_km, radii_km
from recsys.schema.vocabulary import AMOUNTS

UNREACHABLE = 15
_CHUNK = 256


def cell_reach(cells: Cells) -> npt.NDArray[np.uint8]:
    """Return the distance classes of every two cells, `(n_cells, n_cells)` uint8, symmetric.

    cells: `(n_cells,)` ascending cell numbers, the last one 0 (nowhere): it is within no maximum
    and keeps no minimum. Low 4 bits: position of the least maximum that centre distance is within
    (15 when beyond all). High 4 bits: position of the greatest minimum kept by centre distance
    less both cells' radii, which never exceeds the true distance between the areas.

    >>> cell_reach(np.array([0], np.uint64)).tolist()
    [[15]]
    """
    n_cells = len(cells)
    reach = np.full((n_cells, n_cells), UNREACHABLE, np.uint8)
    centre, radius = centres(cells[:-1]), radii_km(cells[:-1])
    for start in range(0, n_cells - 1, _CHUNK):
        rows = slice(start, min(start + _CHUNK, n_cells - 1))
        apart = distances_km(centre[rows], centre[start:])
        least = apart - radius[rows, None] - radius[None, start:]
        classes = _largest(apart) | (_smallest(least) << 4)
        reach[rows, start:-1] = classes
        reach[start:-1, rows] = classes.T
    return reach


def between_cells(from_cells: Cells, to_cells: Cells) -> npt.NDArray[np.uint8]:
    """Return the same classes from some cells to others, `(n_from, n_to)` uint8; 0 is nowhere.

    >>> between_cells(np.array([0], np.uint64), np.array([0], np.uint64)).tolist()
    [[15]]
    """
    reach = np.full((len(from_cells), len(to_cells)), UNREACHABLE, np.uint8)
    rows, columns = np.flatnonzero(from_cells != 0), np.flatnonzero(to_cells != 0)
    if len(rows) and len(columns):
        here, there = from_cells[rows], to_cells[columns]
        apart = distances_km(centres(here), centres(there))
        least = apart - radii_km(here)[:, None] - radii_km(there)[None, :]
        reach[np.ix_(rows, columns)] = _largest(apart) | (_smallest(least) << 4)
    return reach


def _largest(km: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """Return the least allowed maximum each distance is within; 15 beyond the greatest."""
    within = np.zeros(km.shape, np.uint8)
    limits = AMOUNTS[C.MAX_DISTANCE_KM]
    for limit in limits:
        within += km > limit
    within[within == len(limits)] = UNREACHABLE
    return within


def _smallest(km: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """Return the greatest allowed minimum each distance keeps; the least of them (0) always holds."""
    kept = np.zeros(km.shape, np.uint8)
    for limit in AMOUNTS[C.MIN_DISTANCE_KM][1:]:
        kept += km >= limit
    return kept
