"""Where people live: in cities as large as the real ones, and around them."""

from dataclasses import dataclass
from typing import Final

import h3
import numpy as np
import numpy.typing as npt

from recsys.schema.places import load_places
from recsys.simulation.draws import Mask, Objects
from recsys.simulation.settings import PeopleSettings

ZONES_ABROAD: Final = ("Asia/Seoul", "Asia/Taipei", "Asia/Singapore", "Asia/Bangkok", "Pacific/Honolulu")
"""Zones without daylight saving, so that a pair's common hours hold all year."""

_KM_A_DEGREE = 111.195


@dataclass(frozen=True, eq=False)
class Homes:
    """Homes of `n` people: cell (None abroad), zone, prefecture id, and who lives abroad."""

    cell: Objects
    tz: Objects
    prefecture: Objects
    abroad: Mask


def make_homes(n: int, rng: np.random.Generator, s: PeopleSettings) -> Homes:
    """Draw homes: a prefecture by its residents, then a city of it or the country around one.

    Within a city homes scatter over the disc its residents fill; the rest of the prefecture lies
    around its cities, `countryside_km` wide.
    """
    places = load_places()
    cities = list(places.cities.values())
    weight = _weights(s.prefectures)
    city = rng.choice(len(weight), n, p=weight / weight.sum())
    in_country = city >= len(cities)
    city %= len(cities)
    radius = np.array([c.radius_km for c in cities])[city] / 2.0
    km = rng.standard_normal((n, 2)) * np.where(in_country, s.countryside_km, radius)[:, None]
    latitude = np.array([c.latitude for c in cities])[city] + km[:, 0] / _KM_A_DEGREE
    longitude = np.array([c.longitude for c in cities])[city]
    longitude = longitude + km[:, 1] / (_KM_A_DEGREE * np.cos(np.radians(latitude)))
    abroad = rng.random(n) < s.abroad
    cell = np.array(
        [
            h3.latlng_to_cell(at, along, s.cell_resolution)
            for at, along in zip(latitude.tolist(), longitude.tolist(), strict=True)
        ],
        dtype=object,
    )
    cell[abroad] = None
    prefecture = np.array([c.prefecture for c in cities], dtype=object)[city]
    prefecture[abroad] = "abroad"
    tz = np.full(n, "Asia/Tokyo", dtype=object)
    tz[abroad] = np.array(ZONES_ABROAD, dtype=object)[rng.integers(0, len(ZONES_ABROAD), int(abroad.sum()))]
    return Homes(cell=cell, tz=tz, prefecture=prefecture, abroad=abroad)


def _weights(prefectures: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Residents of each city, then of the country around each city, `(2 * n_cities,)`; 0 outside."""
    places = load_places()
    own = np.array([c.population for c in places.cities.values()], dtype=np.float64)
    prefecture = np.array([c.prefecture for c in places.cities.values()], dtype=object)
    around = np.zeros(len(own))
    for name, whole in places.prefectures.items():
        inside = prefecture == name
        if inside.any():
            left = max(whole.population - own[inside].sum(), 0.0)
            around[inside] = left * own[inside] / own[inside].sum()
    if prefectures:
        inside = np.isin(prefecture, list(prefectures))
        own, around = own * inside, around * inside
    return np.concatenate([own, around])
