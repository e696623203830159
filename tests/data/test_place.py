import h3
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.geography import (
    cell_number,
    cell_text,
    centres,
    distances_km,
    is_cell,
    pair_distances_km,
    radii_km,
    resolution,
)

latitudes = st.floats(-85, 85)
longitudes = st.floats(-180, 180)
places = st.tuples(latitudes, longitudes).map(lambda place: h3.latlng_to_cell(*place, 6))


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
def test_a_cell_survives_as_a_number(cell):
    assert cell_text(cell_number(cell)) == cell
    assert is_cell(cell)
    assert resolution(cell) == 6


def test_what_is_no_cell_is_told_apart():
    assert not is_cell("")
    assert not is_cell("35.68,139.76")
    assert not is_cell("8" * 15)
    assert not is_cell("x" * 10_000_000)


def test_nobody_anywhere_is_fine():
    assert centres(np.array([], dtype=np.uint64)).shape == (0, 3)
