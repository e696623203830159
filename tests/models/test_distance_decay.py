import h3
import numpy as np
import pytest

from recsys.errors import SettingsError
from recsys.models.distance_decay import DistanceDecay
from recsys.testing.people import CELLS

NUMBERS = np.array([int(cell, 16) for cell in CELLS] + [0], np.uint64)


def test_matrix_is_the_exponential_of_the_distance():
    near = DistanceDecay(weight=-2.0, scale_km=25.0)
    matrix = near.matrix(NUMBERS, NUMBERS[:4])
    for at, a in enumerate(CELLS):
        for to, b in enumerate(CELLS[:4]):
            km = h3.great_circle_distance(h3.cell_to_latlng(a), h3.cell_to_latlng(b))
            assert matrix[at, to] == pytest.approx(-2.0 * np.exp(-km / 25.0), abs=1e-4)
    assert (matrix[-1] == 0).all()


def test_pairs_equal_the_entries_of_the_matrix():
    near = DistanceDecay(weight=1.0, scale_km=25.0)
    i, j = np.repeat(np.arange(12), 12) % len(NUMBERS), np.tile(np.arange(12), 12) % len(NUMBERS)
    np.testing.assert_allclose(
        near.pairs(NUMBERS[i], NUMBERS[j]), near.matrix(NUMBERS, NUMBERS)[i, j], atol=1e-6
    )


@pytest.mark.parametrize(
    ("weight", "scale"), [(np.nan, 1.0), (np.inf, 1.0), (1.0, 0.0), (1.0, -1.0), (1.0, np.nan)]
)
def test_invalid_weight_or_scale_is_refused(weight, scale):
    with pytest.raises(SettingsError):
        DistanceDecay(weight, scale)
