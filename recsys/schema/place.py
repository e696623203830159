"""Places are H3 cells, never coordinates; distances between cells are computed in float64.

A profile may carry a cell of resolution 6 (about 6 km across) or coarser. Distance between two
cells is great-circle distance between their centres; the least distance between their areas is
bounded from below, so a minimum distance fails closed.
"""

from typing import Final

import h3
import numpy as np
import numpy.typing as npt

FINEST_RESOLUTION: Final = 6
EARTH_RADIUS_KM: Final = 6371.0088

Cells = npt.NDArray[np.uint64]
Km = npt.NDArray[np.float64]


def is_cell(text: str) -> bool:
    """Say whether `text` is an H3 cell of any resolution."""
    return len(text) == 15 and h3.is_valid_cell(text)


def resolution(text: str) -> int:
    """Return the resolution of a valid cell, 0 (coarsest) to 15."""
    return h3.get_resolution(text)


def cell_number(text: str) -> int:
    """Return a cell as the 64-bit number that stands for it; 0 is never a cell."""
    return h3.str_to_int(text)


def cell_text(number: int) -> str:
    """Return the hexadecimal form of a cell number."""
    return h3.int_to_str(int(number))


def centres(cells: Cells) -> npt.NDArray[np.float64]:
    """Return the centre of each cell as a unit vector, `(n_cells, 3)` float64."""
    if len(cells) == 0:
        return np.empty((0, 3))
    degrees = np.array([h3.cell_to_latlng(cell_text(cell)) for cell in cells])
    latitude, longitude = np.radians(degrees).T
    return np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )


def radii_km(cells: Cells) -> Km:
    """Return, for each cell, the distance from its centre to its farthest corner, `(n_cells,)`."""
    reach = np.empty(len(cells))
    for at, cell in enumerate(cells):
        text = cell_text(cell)
        centre = h3.cell_to_latlng(text)
        reach[at] = max(h3.great_circle_distance(centre, corner) for corner in h3.cell_to_boundary(text))
    return reach


def distances_km(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> Km:
    """Return great-circle distances between unit vectors: `(n, 3)` and `(m, 3)` to `(n, m)` km.

    Uses the chord, which keeps full precision at short range where the arc cosine loses it.
    """
    chord = np.sqrt(np.maximum(((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2), 0.0))
    return 2.0 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2.0, 1.0))


def pair_distances_km(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> Km:
    """Return the distance of each aligned pair of unit vectors: `(n, 3)` and `(n, 3)` to `(n,)` km."""
    chord = np.sqrt(((a - b) ** 2).sum(axis=1))
    return 2.0 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2.0, 1.0))
