"""How much less a further look counts is found in few steps, and is what halving would find."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.pair_keys import positions_in
from recsys.data.silent_exposures import _GRID, _PRIOR_LOOKS, ExposureOrder, _last_true
from recsys.types import BoolArray, Float64Array, Int64Array


def by_halving(pair: Int64Array, looked: Float64Array, liked: BoolArray) -> float:
    """Return 1 / s by thirty halvings of 0 to 1: the likes of further looks fall with it."""
    first = np.append(True, pair[1:] != pair[:-1])
    total = np.cumsum(looked) - looked
    k = (total - np.maximum.accumulate(np.where(first, total, 0.0)))[~first]
    rate = float(liked[first].sum()) / max(float(looked[first].sum()), 1.0)
    seen = float(liked[~first].sum()) + rate * _PRIOR_LOOKS

    def likes(inverse: float) -> float:
        return rate * (float((looked[~first] / (1.0 + inverse * k)).sum()) + _PRIOR_LOOKS)

    if not len(k) or rate == 0.0 or seen >= likes(0.0):
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2.0
        low, high = (middle, high) if likes(middle) > seen else (low, middle)
    return low


@pytest.mark.parametrize("n", [1, 20, 2_000])
@pytest.mark.parametrize("seed", range(25))
def test_the_share_of_further_looks_is_that_of_halving(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pair = np.sort(rng.integers(0, max(n // (1 + seed % 5), 1), n))
    looked = rng.random(n) ** (1 + seed % 3)
    often = np.where(np.append(True, pair[1:] != pair[:-1]), 0.4, rng.random() * 0.4)
    liked = rng.random(n) < often
    expected = by_halving(pair, looked, liked)
    for near in (0.0, expected, float(rng.random())):
        found = ExposureOrder.of(pair, liked).repeated(looked, near=near)
        assert found.inverse_precision == expected


def test_some_shares_are_neither_none_nor_all() -> None:
    rng = np.random.default_rng(3)
    pair, looked = np.sort(rng.integers(0, 700, 2_000)), rng.random(2_000)
    liked = rng.random(2_000) < np.where(np.append(True, pair[1:] != pair[:-1]), 0.4, 0.3)
    found = ExposureOrder.of(pair, liked).repeated(looked)
    assert 1.0 / _GRID < found.inverse_precision < 1.0 - 1.0 / _GRID
    assert found.share.min() < 0.9
    assert found.share.max() == 1.0


@given(edge=st.integers(0, 60), near=st.integers(-5, 80), most=st.integers(1, 60))
def test_the_last_number_of_which_something_holds_is_found_from_anywhere(
    edge: int, near: int, most: int
) -> None:
    assert _last_true(lambda at: at <= edge, near, most) == min(edge, most - 1)


@given(ordered=st.lists(st.integers(0, 20)), keys=st.lists(st.integers(-2, 22)))
def test_keys_stand_where_a_search_one_by_one_finds_them(ordered: list[int], keys: list[int]) -> None:
    known, wanted = np.sort(np.array(ordered, np.int64)), np.array(keys, np.int64)
    assert positions_in(known, wanted).tolist() == np.searchsorted(known, wanted).tolist()
