import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.ids import IdIndex
from recsys.errors import InputError
from recsys.models.directed import Directed, sigmoid
from recsys.models.distance_decay import DistanceDecay
from recsys.testing.people import CELLS


def some_directed(n=6, factors=3, seed=0, distance_decay=None):
    rng = np.random.default_rng(seed)
    cells = np.array([int(cell, 16) for cell in rng.choice(CELLS, n)], np.uint64)
    cells[0] = 0
    return Directed.of(
        IdIndex([f"u{k}" for k in range(n)]),
        taste=rng.normal(size=(n, factors)),
        appeal=rng.normal(size=(n, factors)),
        distance_decay=distance_decay,
        cell=cells,
    )


def all_pairs(n):
    return np.repeat(np.arange(n), n), np.tile(np.arange(n), n)


def test_logits_are_inner_products_of_taste_and_appeal():
    directed = some_directed()
    i, j = all_pairs(6)
    expected = [
        sum(float(directed.taste[a, f]) * float(directed.appeal[b, f]) for f in range(3))
        for a, b in zip(i, j, strict=True)
    ]
    np.testing.assert_allclose(directed.logits(i, j), expected, rtol=1e-12)


def test_distance_decay_is_added_and_unknown_cells_add_nothing():
    near = DistanceDecay(weight=1.5, scale_km=20.0)
    plain, with_near = some_directed(), some_directed(distance_decay=near)
    i, j = all_pairs(6)
    extra = with_near.logits(i, j) - plain.logits(i, j)
    np.testing.assert_allclose(extra, near.pairs(plain.cell[i], plain.cell[j]))
    assert (extra[(i == 0) | (j == 0)] == 0).all()
    np.testing.assert_allclose(extra[(i == j) & (i > 0)], 1.5)


@given(st.floats(0.01, 3.0), st.floats(-5.0, 5.0))
def test_scaled_applies_slope_and_intercept_to_the_logits(slope, intercept):
    directed = some_directed(distance_decay=DistanceDecay(0.7, 30.0))
    i, j = all_pairs(6)
    expected = slope * directed.logits(i, j) + intercept
    np.testing.assert_allclose(directed.scaled(slope, intercept).logits(i, j), expected, atol=1e-4)


def test_one_pair_equals_the_same_pair_in_a_batch():
    directed = some_directed(n=40, factors=33, distance_decay=DistanceDecay(1.0, 10.0))
    i, j = all_pairs(40)
    batch = directed.logits(i, j)
    assert all(directed.logits([a], [b])[0] == batch[k] for k, (a, b) in enumerate(zip(i, j, strict=True)))


@pytest.mark.parametrize("factors", [1, 150, 4000])
def test_chances_of_many_pairs_take_little_memory_beside_the_result(factors):
    directed, n = some_directed(n=40, factors=factors), 20_000
    i, j = np.random.default_rng(3).integers(0, 40, (2, n))
    tracemalloc.start()
    logits = directed.logits(i, j)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16e6
    assert logits[:40].tolist() == [directed.logits([a], [b])[0] for a, b in zip(i[:40], j[:40], strict=True)]


def test_distance_decay_of_many_pairs_is_that_of_each_and_takes_little_memory():
    near, n = DistanceDecay(weight=1.5, scale_km=20.0), 200_000
    directed = some_directed(n=40, distance_decay=near)
    i, j = np.random.default_rng(3).integers(0, 40, (2, n))
    tracemalloc.start()
    decays = directed.decays(i, j)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < decays.nbytes + 4e6
    assert decays.tolist() == near.pairs(directed.cell[i], directed.cell[j]).tolist()
    assert not some_directed(n=40).decays(i, j).any()


def test_take_keeps_the_logits():
    directed = some_directed(distance_decay=DistanceDecay(1.0, 10.0))
    kept = directed.take([4, 1])
    assert kept.ids.values.tolist() == ["u1", "u4"]
    assert kept.logits([0], [1]) == directed.logits([1], [4])


def test_an_empty_population_has_empty_matrices():
    nobody = some_directed(1).take([])
    assert len(nobody) == 0
    assert nobody.logits([], []).shape == (0,)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_factors_that_are_not_finite_are_refused(bad):
    with pytest.raises(InputError, match="finite"):
        Directed.of(IdIndex(["a"]), taste=[[bad]], appeal=[[1.0]])


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="appeal"):
        Directed.of(IdIndex(["a"]), taste=[[1.0]], appeal=[[1.0, 2.0]])
    with pytest.raises(InputError, match="taste"):
        Directed.of(IdIndex(["a", "b"]), taste=[[1.0]], appeal=[[1.0]])


def test_sigmoid_is_finite_and_symmetric():
    x = np.array([-1e308, -800.0, -1.0, 0.0, 1.0, 800.0, 1e308])
    np.testing.assert_allclose(sigmoid(x) + sigmoid(-x), 1.0)
    assert sigmoid(np.array([2.0]))[0] == pytest.approx(1 / (1 + np.exp(-2.0)))
