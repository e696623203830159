from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.retrieval.tile_order import N_FEATURES, tile_features, tile_order
from tests.retrieval.worlds import compiled_world, everybody_open


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 80), size=st.integers(1, 30))
def test_everybody_listed_stands_in_one_tile_of_at_most_size(seed: int, n: int, size: int) -> None:
    compiled = compiled_world(np.random.default_rng(seed), n)
    order, starts = tile_order(compiled, size)
    assert sorted(order.tolist()) == np.flatnonzero(compiled.listed).tolist()
    lengths = np.diff(starts)
    assert starts[0] == 0
    assert starts[-1] == len(order)
    assert ((lengths >= 1) & (lengths <= size)).all()


def test_people_who_refuse_each_other_stand_apart() -> None:
    n = 64
    traits = np.where(np.arange(n) % 2, 1, 2).astype(np.uint64)[:, None]
    compiled = everybody_open(n, traits=traits, refuses=traits ^ np.uint64(3))
    order, starts = tile_order(compiled, 4)
    for start, stop in pairwise(starts):
        assert len(np.unique(traits[order[start:stop]])) == 1


def test_within_a_class_neighbours_stand_together() -> None:
    n = 64
    cell = (np.arange(n) % 4).astype(np.int32)
    order, starts = tile_order(everybody_open(n, cell=cell), 16)
    assert [np.unique(cell[order[a:b]]).tolist() for a, b in pairwise(starts)] == [
        [0],
        [1],
        [2],
        [3],
    ]


def test_a_region_is_as_wide_as_people_travel_and_who_refuses_alike_stands_together_in_it() -> None:
    n = 64
    cell = (np.arange(n) % 4).astype(np.int32)
    town = np.array([0, 0, 1, 1])
    reach = np.where(town[:, None] == town, 0, 0xFFFF).astype(np.uint32)
    traits = (np.uint64(1) << (np.arange(n) // 4 % 2).astype(np.uint64))[:, None]
    compiled = everybody_open(n, cell=cell, cell_reach=reach, traits=traits, refuses=traits ^ np.uint64(3))
    order, starts = tile_order(compiled, 16)
    found = [order[a:b] for a, b in pairwise(starts)]
    assert [np.unique(town[cell[tile]]).tolist() for tile in found] == [[0], [0], [1], [1]]
    assert all(len(np.unique(traits[tile])) == 1 for tile in found)


def test_leanings_tell_apart_what_forbids_and_nothing_else() -> None:
    n = 600
    rng = np.random.default_rng(0)
    idle = rng.integers(0, 2, (n, 1)).astype(np.uint64) << np.uint64(9)
    gender = np.uint64(1) << rng.integers(0, 2, (n, 1)).astype(np.uint64)
    compiled = everybody_open(
        n,
        traits=gender | idle,
        refuses=gender,
        in_person=rng.random(n) < 0.5,
        max_km=np.array([10, 25, 50], np.uint16)[rng.integers(0, 3, n)],
    )
    listed = np.arange(0, n, 2, dtype=np.int32)
    found = tile_features(compiled, listed)
    assert found.shape == (300, N_FEATURES)
    kinds = np.column_stack([gender, compiled.in_person, compiled.max_km * compiled.in_person])[listed]
    _, kind = np.unique(kinds, axis=0, return_inverse=True)
    apart = np.abs(found[:, None] - found[None]).max(axis=2)
    assert (apart[kind[:, None] == kind] < 1e-6).all()
    assert len(np.unique(found.round(4), axis=0)) > 1
    assert apart[gender[listed, 0][:, None] != gender[listed, 0]].min() > 0.1
