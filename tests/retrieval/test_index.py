import numpy as np

from recsys.data.ids import IdIndex
from recsys.models.directed import Directed
from recsys.models.distance_decay import DistanceDecay
from recsys.retrieval.index import build_factor_store
from tests.retrieval.worlds import CELL_NUMBERS, directed_world


def test_factors_are_padded_with_zeros_and_ordered() -> None:
    directed = directed_world(np.random.default_rng(0), 6, 5)
    rows = np.array([4, 0, 2], np.int32)
    people = build_factor_store(directed, rows)
    assert people.taste.shape == people.appeal.shape == (3, 16)
    assert np.array_equal(people.taste[:, :5], directed.taste[rows])
    assert not people.appeal[:, 5:].any()
    assert people.taste.dtype == np.float32


def test_nearness_is_looked_up_by_cell_and_unknown_is_nothing() -> None:
    cell = np.r_[CELL_NUMBERS[:3], np.uint64(0)]
    ids = IdIndex(["a", "b", "c", "d"])
    near = DistanceDecay(2.0, 10.0)
    directed = Directed.of(
        ids, taste=np.zeros((4, 1)), appeal=np.zeros((4, 1)), distance_decay=near, cell=cell
    )
    rows = np.array([3, 1, 0, 2], np.int32)
    people = build_factor_store(directed, rows)
    table = people.near[people.place][:, people.place]
    assert np.array_equal(table, near.matrix(cell[rows], cell[rows]))
    assert not table[0].any()
    assert table[1, 1] == 2.0


def test_across_the_antimeridian_near_stays_near() -> None:
    import h3

    cells = [h3.latlng_to_cell(-16.8, lng, 5) for lng in (179.95, -179.95, 0.0)]
    cell = np.array([h3.str_to_int(c) for c in cells], np.uint64)
    directed = Directed.of(
        IdIndex(["a", "b", "c"]),
        taste=np.zeros((3, 1)),
        appeal=np.zeros((3, 1)),
        distance_decay=DistanceDecay(1.0, 30.0),
        cell=cell,
    )
    people = build_factor_store(directed, np.arange(3, dtype=np.int32))
    near = people.near[people.place][:, people.place]
    assert near[0, 1] > 0.3
    assert near[0, 2] < 1e-6
