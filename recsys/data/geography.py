"""Places are H3 cells, never coordinates; distances between cells are computed in float64.

A profile may carry a cell of resolution 6 (about 6 km across) or coarser. Distance between two
cells is great-circle distance between their centres; the least distance between their areas is
bounded from below, so a minimum distance fails closed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final

import h3
import numpy as np
import numpy.typing as npt

from recsys.catalogue.entries import Label, read_label
from recsys.errors import InputError, did_you_mean, explained
from recsys.strict_yaml import YamlFile
from recsys.types import Float64Array, UInt64Array

FINEST_RESOLUTION: Final = 6
EARTH_RADIUS_KM: Final = 6371.0088


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


def centres(cells: UInt64Array) -> npt.NDArray[np.float64]:
    """Return the centre of each cell as a unit vector, `(n_cells, 3)` float64."""
    if len(cells) == 0:
        return np.empty((0, 3))
    degrees = np.array([h3.cell_to_latlng(cell_text(cell)) for cell in cells])
    latitude, longitude = np.radians(degrees).T
    return np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )


def radii_km(cells: UInt64Array) -> Float64Array:
    """Return, for each cell, the distance from its centre to its farthest corner, `(n_cells,)`."""
    reach = np.empty(len(cells))
    for at, cell in enumerate(cells):
        text = cell_text(cell)
        centre = h3.cell_to_latlng(text)
        reach[at] = max(h3.great_circle_distance(centre, corner) for corner in h3.cell_to_boundary(text))
    return reach


def distances_km(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> Float64Array:
    """Return great-circle distances between unit vectors: `(n, 3)` and `(m, 3)` to `(n, m)` km.

    Uses the chord, which keeps full precision at short range where the arc cosine loses it.
    """
    chord = np.sqrt(np.maximum(((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2), 0.0))
    return 2.0 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2.0, 1.0))


def pair_distances_km(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> Float64Array:
    """Return the distance of each aligned pair of unit vectors: `(n, 3)` and `(n, 3)` to `(n,)` km."""
    chord = np.sqrt(((a - b) ** 2).sum(axis=1))
    return 2.0 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2.0, 1.0))


COARSEST_RESOLUTION: Final = 4
"""About 45 km across: what remains of a place that the table does not call populous."""

FEWEST_RESIDENTS: Final = 50_000
"""A cell is kept when at least so many people live in it."""

RESIDENTS_A_KM2: Final = 5_000
"""The density at which the table spreads a city around its office."""

_STEP_KM: Final = 4.5  # less than the distance between neighbouring centres at resolution 6


@dataclass(frozen=True, slots=True)
class Prefecture:
    """A prefecture; `code` is its JIS number, `population` its residents."""

    id: str
    code: int
    label: Label
    population: int


@dataclass(frozen=True, slots=True)
class City:
    """A city or a ward of Tokyo; the place is its office in degrees, `population` its residents.

    added: the version of the table that it came with, "" for the first one.
    """

    id: str
    label: Label
    prefecture: str
    latitude: float
    longitude: float
    population: int
    added: str = ""

    @property
    def radius_km(self) -> float:
        """The radius of the disc that holds all residents at the table's density."""
        return math.sqrt(self.population / RESIDENTS_A_KM2 / math.pi)


@dataclass(frozen=True, eq=False)
class Places:
    """The table of places, by id; `version` changes whenever a figure does."""

    version: str
    prefectures: Mapping[str, Prefecture]
    cities: Mapping[str, City]


@lru_cache(maxsize=1)
def load_places() -> Places:
    """Return the places that come with the package, read once.

    >>> places = load_places()
    >>> places.prefectures["osaka"].label.ja, places.cities["osaka_sakai"].label.ja
    ('大阪府', '堺市')
    """
    return read_places((files("recsys.catalogue") / "places.yaml").read_bytes())


def read_places(content: bytes) -> Places:
    """Read the table of places from YAML.

    Raises InputError naming the key of a place that is not whole or lies nowhere.
    """
    file = YamlFile("places", content)
    sections = file.mapping("places", file.content, ("version", "prefectures", "cities"))
    prefectures = {
        key: Prefecture(
            id=key,
            code=int(file.number(key, raw, "code", 1, 47)),
            label=read_label(file, key, raw),
            population=round(1000 * file.number(key, raw, "population", 1, 1e6)),
        )
        for key, raw in file.section(sections, "prefectures", ("code", "ja", "en", "population")).items()
    }
    fields = ("ja", "en", "prefecture", "latitude", "longitude", "population", "added")
    cities = {
        key: City(
            id=key,
            label=read_label(file, key, raw),
            prefecture=raw["prefecture"],
            latitude=file.number(key, raw, "latitude", -90, 90),
            longitude=file.number(key, raw, "longitude", -180, 180),
            population=round(1000 * file.number(key, raw, "population", 1, 1e6)),
            added=str(raw.get("added", "")),
        )
        for key, raw in file.section(sections, "cities", fields).items()
    }
    for city in cities.values():
        if city.prefecture not in prefectures:
            remedy = did_you_mean(str(city.prefecture), prefectures)
            where = f"{file.name}: {city.id}"
            raise InputError(explained("unknown prefecture", where=where, got=city.prefecture, remedy=remedy))
    return Places(version=str(sections.get("version")), prefectures=prefectures, cities=cities)


def nearest_city(cell: str, *, within_km: float) -> City | None:
    """Return the place of the table nearest to the middle of a cell; None where none is near.

    >>> import h3
    >>> sakai = load_places().cities["osaka_sakai"]
    >>> nearest_city(h3.latlng_to_cell(sakai.latitude, sakai.longitude, 7), within_km=20).id
    'osaka_sakai'
    >>> nearest_city(h3.latlng_to_cell(51.5, 0.0, 5), within_km=60) is None
    True
    """
    middle = h3.cell_to_latlng(cell)
    away = {
        city: h3.great_circle_distance(middle, (city.latitude, city.longitude))
        for city in load_places().cities.values()
    }
    nearest = min(away, key=lambda city: away[city])
    return nearest if away[nearest] <= within_km else None


def spread(latitude: float, longitude: float, population: int) -> Mapping[str, float]:
    """Return the residents of a city by cell of the finest resolution, over a disc around its office."""
    office, radius_km = (latitude, longitude), math.sqrt(population / RESIDENTS_A_KM2 / math.pi)
    home = h3.latlng_to_cell(*office, FINEST_RESOLUTION)
    inside = [
        cell
        for cell in h3.grid_disk(home, int(radius_km / _STEP_KM) + 1)
        if cell == home or h3.great_circle_distance(h3.cell_to_latlng(cell), office) <= radius_km
    ]
    return {cell: population / len(inside) for cell in inside}


@lru_cache(maxsize=1)
def residents() -> Mapping[str, float]:
    """Return how many people the table places in each cell, at resolutions 6, 5 and 4.

    >>> residents()[h3.latlng_to_cell(35.69, 139.70, 6)] > FEWEST_RESIDENTS
    True
    """
    found: dict[str, float] = {}
    for city in load_places().cities.values():
        for cell, people in spread(city.latitude, city.longitude, city.population).items():
            for level in range(COARSEST_RESOLUTION, FINEST_RESOLUTION + 1):
                parent = h3.cell_to_parent(cell, level)
                found[parent] = found.get(parent, 0.0) + people
    return found


@lru_cache(maxsize=1)
def populous_cells() -> UInt64Array:
    """Return the cells outside Japan with enough people, of resolutions 6 and 5, ascending.

    Counted from the towns of GeoNames (CC BY 4.0) with 15,000 people or more, in the way of `residents`.
    """
    with (files("recsys.data") / "populous_cells.npz").open("rb") as file:
        return np.cumsum(np.load(file, allow_pickle=False)["steps"], dtype=np.uint64)


def _holds_enough(cell: str) -> bool:
    if residents().get(cell, 0.0) >= FEWEST_RESIDENTS:
        return True
    known, number = populous_cells(), np.uint64(cell_number(cell))
    at = int(np.searchsorted(known, number))
    return at < len(known) and bool(known[at] == number)


@lru_cache(maxsize=1 << 16)
def coarse_cell(cell: str) -> str:
    """Return what `coarsen` makes of one cell, as text.

    >>> resolution(coarse_cell(h3.latlng_to_cell(51.5074, -0.1278, 6)))
    6
    """
    for level in range(min(resolution(cell), FINEST_RESOLUTION), COARSEST_RESOLUTION, -1):
        if _holds_enough(parent := h3.cell_to_parent(cell, level)):
            return str(parent)
    return str(h3.cell_to_parent(cell, min(resolution(cell), COARSEST_RESOLUTION)))


def coarsen(cells: UInt64Array) -> UInt64Array:
    """Return each cell, or the nearest parent in which the table counts enough people.

    `cells` is `(n_people,)` uint64, 0 unknown and kept. A cell of resolution 6 or 5 stays where at
    least `FEWEST_RESIDENTS` live in it, by the table of Japan or by `populous_cells`; otherwise it
    becomes its parent at 5 or 4. Where no town was counted (the countryside) the answer is resolution
    4, whoever lives there: a place nobody counted is taken to be small. A coarser cell stays as it is.

    >>> tokyo = cell_number(h3.latlng_to_cell(35.69, 139.70, 6))
    >>> village = cell_number(h3.latlng_to_cell(43.80, 143.00, 6))
    >>> kept = coarsen(np.array([tokyo, village, 0], np.uint64))
    >>> kept[0] == tokyo, resolution(cell_text(kept[1])), int(kept[2])
    (np.True_, 4, 0)
    """
    distinct, position = np.unique(np.asarray(cells, np.uint64), return_inverse=True)
    kept = [cell_number(coarse_cell(cell_text(cell))) if cell else 0 for cell in distinct]
    return np.array(kept, np.uint64)[position]
