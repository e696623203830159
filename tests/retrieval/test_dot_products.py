"""Products of whole numbers beside their twin, up to the largest sums that may occur."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.retrieval.dot_products import STEP, TOGETHER, multiply_llvm, multiply_numba
from tests.retrieval.plain import plain_multiply

ONES = np.ones(2, np.float32)
LARGEST = 46_340  # the largest norm whose square 31 bits hold


def found_by(
    mine: np.ndarray, theirs: np.ndarray, columns: np.ndarray, unit: np.ndarray = ONES
) -> tuple[np.ndarray, np.ndarray]:
    n, room = len(columns), len(columns) + TOGETHER
    wide = np.zeros(room, np.int32)
    wide[:n] = columns
    x, y = np.zeros((2, room), np.float32)
    multiply_llvm(mine[None], 0, theirs, wide, n, unit, x, y)
    plain = np.zeros((2, room), np.float32)
    multiply_numba(mine[None], 0, theirs, wide, n, unit, *plain)
    assert plain[:, :n].tobytes() == np.stack([x, y])[:, :n].tobytes()  # the switch changes no bit
    return x[:n], y[:n]


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 13), steps=st.integers(1, 5))
def test_products_equal_their_twin(seed: int, n: int, steps: int) -> None:
    rng = np.random.default_rng(seed)
    theirs = rng.normal(size=(20, 2, steps * STEP))
    theirs *= rng.uniform(0, LARGEST, (20, 2, 1)) / np.linalg.norm(theirs, axis=2, keepdims=True)
    whole = np.trunc(np.clip(theirs, -32_767, 32_767)).astype(np.int16).reshape(20, -1)
    columns = rng.integers(0, 20, n).astype(np.int32)
    unit = rng.uniform(1e-9, 1e-3, 2).astype(np.float32)
    found = found_by(whole[0], whole, columns, unit)
    expected = plain_multiply(whole[0], whole, columns, unit)
    assert [side.tolist() for side in found] == [side.tolist() for side in expected]


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_largest_sums_fit(sign: int) -> None:
    mine, theirs = np.zeros((2, 2 * STEP), np.int16)
    mine[[0, 1]], theirs[[STEP, STEP + 1]] = (32_767, 32_767), (sign * 32_767, sign * 32_767)
    (x, *_), (y, *_) = found_by(mine, theirs[None], np.zeros(1, np.int32))
    assert x == np.float32(sign * 2 * 32_767**2)
    assert y == 0.0
