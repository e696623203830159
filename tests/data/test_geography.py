"""Cells, distances, the table of places, and coarsening by residents."""

import hashlib
from importlib.resources import files

import h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.geography import (
    COARSEST_RESOLUTION,
    FEWEST_RESIDENTS,
    cell_number,
    cell_text,
    centres,
    coarsen,
    distances_km,
    is_cell,
    load_places,
    pair_distances_km,
    populous_cells,
    radii_km,
    read_places,
    residents,
    resolution,
)
from recsys.errors import InputError
from recsys.mapping.places import cell_of
from tests.data import populous_cells as world

places = st.tuples(st.floats(-85, 85), st.floats(-180, 180)).map(lambda place: h3.latlng_to_cell(*place, 6))


@given(st.lists(places, min_size=2, max_size=6))
def test_distances_agree_with_h3_even_across_the_antimeridian(cells):
    vectors = centres(np.array([cell_number(cell) for cell in cells], dtype=np.uint64))
    ours = distances_km(vectors, vectors)
    points = [h3.cell_to_latlng(cell) for cell in cells]
    theirs = [[h3.great_circle_distance(a, b) for b in points] for a in points]
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(pair_distances_km(vectors, vectors[::-1]), np.diag(ours[:, ::-1]), atol=1e-9)


def test_a_short_distance_keeps_its_precision():
    tokyo = h3.latlng_to_cell(35.68, 139.76, 6)
    neighbour = next(cell for cell in h3.grid_disk(tokyo, 1) if cell != tokyo)
    vectors = centres(np.array([cell_number(tokyo), cell_number(neighbour)], dtype=np.uint64))
    expected = h3.great_circle_distance(h3.cell_to_latlng(tokyo), h3.cell_to_latlng(neighbour))
    assert abs(distances_km(vectors, vectors)[0, 1] - expected) < 1e-4 * expected


@given(places)
def test_no_corner_lies_beyond_the_radius(cell):
    number = np.array([cell_number(cell)], dtype=np.uint64)
    centre = h3.cell_to_latlng(cell)
    reach = radii_km(number)[0]
    assert all(h3.great_circle_distance(centre, corner) <= reach for corner in h3.cell_to_boundary(cell))


@given(places)
def test_cells_convert_to_numbers_and_back(cell):
    assert cell_text(cell_number(cell)) == cell
    assert is_cell(cell)
    assert resolution(cell) == 6


def test_invalid_cells_are_refused():
    assert not is_cell("")
    assert not is_cell("35.68,139.76")
    assert not is_cell("8" * 15)
    assert not is_cell("x" * 10_000_000)


def test_no_cells_give_empty_arrays():
    assert centres(np.array([], dtype=np.uint64)).shape == (0, 3)


CENSUS_TOTAL = 126_146_000  # residents of Japan on 1 October 2020
latitudes = st.floats(-89, 89)
longitudes = st.floats(-179, 179)


def cells_at(*places: tuple[float, float], level: int = 6) -> np.ndarray:
    return np.array([cell_number(h3.latlng_to_cell(*place, level)) for place in places], np.uint64)


def levels(cells: np.ndarray) -> list[int]:
    return [resolution(cell_text(cell)) for cell in cells]


def test_the_prefectures_are_those_of_the_census():
    prefectures = load_places().prefectures
    assert sorted(p.code for p in prefectures.values()) == list(range(1, 48))
    assert sum(p.population for p in prefectures.values()) == CENSUS_TOTAL


def test_every_prefecture_has_cities_and_no_more_people_than_it_has():
    places = load_places()
    assert len(places.cities) >= 100
    for prefecture in places.prefectures.values():
        own = [city for city in places.cities.values() if city.prefecture == prefecture.id]
        assert own
        assert sum(city.population for city in own) <= prefecture.population


def test_cities_stand_within_japan_and_apart_from_each_other():
    cities = load_places().cities.values()
    assert all(24 < city.latitude < 46 and 123 < city.longitude < 146 for city in cities)
    assert len({(city.latitude, city.longitude) for city in cities}) == len(cities)


def test_the_table_spreads_every_resident_once_at_each_level():
    total = sum(city.population for city in load_places().cities.values())
    for level in range(COARSEST_RESOLUTION, 7):
        people = sum(n for cell, n in residents().items() if h3.get_resolution(cell) == level)
        assert people == pytest.approx(total)


def test_the_table_of_kept_cells_is_fixed():
    """A change of this digest moves members between cells: give places.yaml a new version with it."""
    kept = sorted(cell for cell, people in residents().items() if people >= FEWEST_RESIDENTS)
    assert load_places().version == "2020.2"
    assert hashlib.sha256(" ".join(kept).encode()).hexdigest()[:16] == "f62bc36215ba4902"


def test_populous_cells_are_kept_and_sparse_cells_coarsened():
    shinjuku, mountains, sea, paris = (35.694, 139.704), (43.6, 142.9), (30.0, 150.0), (48.86, 2.35)
    given_cells = cells_at(shinjuku, mountains, sea, paris)
    kept = coarsen(given_cells)
    assert kept[0] == given_cells[0]
    assert levels(kept) == [6, 4, 4, 6]


def test_the_file_of_populous_cells_is_what_the_towns_of_the_world_give():
    """A change of the towns moves members between cells: make the file anew as its source changes."""
    with np.load(world.FILE, allow_pickle=False) as file:
        source = str(file["source"])
    if source != world.SOURCE:
        pytest.skip(f"the file is of {source}, and {world.SOURCE} is installed")
    assert populous_cells().tolist() == world.populous_cells().tolist()


@given(st.tuples(latitudes, longitudes))
def test_a_place_that_a_mapping_reads_stays_where_it_is(place):
    """Seen to fail: a cell of London was read at resolution 6, and kept as its parent of resolution 4."""
    for at in (place, (51.5074, -0.1278), (37.566, 126.90), (-23.55, -46.63)):
        cell, _ = cell_of(*at)
        if cell is not None:
            assert cell_text(coarsen(np.array([cell_number(cell)], np.uint64))[0]) == cell


def test_the_outskirts_of_a_town_become_its_surroundings():
    town = h3.latlng_to_cell(39.720, 140.103, 6)
    parent = h3.cell_to_parent(town, 5)
    outskirts = next(c for c in h3.cell_to_children(parent, 6) if residents().get(c, 0) < FEWEST_RESIDENTS)
    assert cell_text(coarsen(np.array([cell_number(outskirts)], np.uint64))[0]) == parent


def test_unknown_and_coarse_cells_stay():
    coarse = cells_at((43.6, 142.9), level=3)
    assert coarsen(np.append(coarse, np.uint64(0))).tolist() == [*coarse.tolist(), 0]
    assert coarsen(np.empty(0, np.uint64)).dtype == np.uint64


@given(st.lists(st.tuples(latitudes, longitudes), min_size=1, max_size=5), st.integers(0, 9))
def test_a_cell_becomes_itself_or_a_parent_and_then_stays(places, level):
    given_cells = cells_at(*places, level=level)
    kept = coarsen(given_cells)
    for before, after in zip(given_cells, kept, strict=True):
        assert h3.cell_to_parent(cell_text(before), resolution(cell_text(after))) == cell_text(after)
    assert all(found <= 6 for found in levels(kept))
    assert coarsen(kept).tolist() == kept.tolist()


@given(st.lists(st.tuples(latitudes, longitudes), min_size=2, max_size=6), st.randoms())
def test_coarsening_is_independent_of_other_members(places, random):
    cells = cells_at(*places)
    order = list(range(len(cells)))
    random.shuffle(order)
    together = coarsen(cells)
    assert coarsen(cells[order]).tolist() == together[order].tolist()
    assert [coarsen(cells[at : at + 1])[0] for at in range(len(cells))] == together.tolist()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("prefecture: atlantis", "unknown prefecture in places.yaml: hokkaido_sapporo"),
        ("prefecture: hokkaido, latitude: 99", "'latitude' is not from -90 to 90"),
        ("prefecture: hokkaido, latitude: .nan", "'latitude' is not a number"),
        ("prefecture: hokkaido, mayor: x", "unknown field"),
    ],
)
def test_an_invalid_place_is_named(wrong, named):
    if "latitude" not in wrong:
        wrong += ", latitude: 43.1"
    text = (
        "version: x\nprefectures:\n  hokkaido: {code: 1, ja: 北海道, en: Hokkaido, population: 5225}\n"
        f"cities:\n  hokkaido_sapporo: {{ja: 札幌市, en: Sapporo, longitude: 141, population: 9, {wrong}}}\n"
    )
    with pytest.raises(InputError, match=named):
        read_places(text.encode())


def test_a_table_without_sections_is_refused():
    with pytest.raises(InputError, match="not a section of entries"):
        read_places(b"version: x\n")


def test_the_table_names_its_source():
    text = (files("recsys.catalogue") / "places.yaml").read_text(encoding="utf-8")
    assert "2020 Population Census of Japan" in text
