"""Whole factors: they fit, and logits from them are within the margin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.retrieval.quantization import (
    STEP,
    TOGETHER,
    largest_of,
    margin_of,
    multiply_llvm,
    multiply_numba,
    norms,
    quantized,
    step_of,
)
from recsys.retrieval.score_bounds import unit_of
from tests.retrieval.plain import plain_multiply

NOTHING_NEAR = np.zeros((1, 1), np.float32)


def factors(n_factors: int, spread: float, *, alone: bool = False) -> list[np.ndarray]:
    """Random tastes and appeals of sixty people, of very different size or most of it in one factor."""
    rng = np.random.default_rng(n_factors)
    size = np.exp(spread * rng.normal(size=(60, 1)))
    found = [(rng.normal(size=(60, n_factors)) * size).astype(np.float32) for _ in range(2)]
    if alone:
        found[0][:, 1:] *= 1e-3
    return found


@pytest.mark.parametrize("n_factors", [1, 5, 64, 500])
@pytest.mark.parametrize("spread", [0.0, 3.0])
@pytest.mark.parametrize("alone", [False, True])
def test_margin_covers_products_of_whole_numbers(n_factors: int, spread: float, alone: bool) -> None:
    taste, appeal = factors(n_factors, spread, alone=alone)
    steps = np.array([step_of(taste), step_of(appeal)])
    whole, unit = quantized(taste, appeal, steps), unit_of(steps, steps)
    margin = margin_of(taste, appeal, steps, largest_of(taste, appeal, NOTHING_NEAR), steps)
    true = taste.astype(np.float64) @ appeal.T.astype(np.float64)
    everybody = np.arange(60, dtype=np.int32)
    found = np.array([plain_multiply(whole[r], whole, everybody, unit) for r in range(60)])
    wrong = np.abs(found - np.stack([true, true.T], axis=1))
    assert (wrong <= margin[:, None, None]).all()
    assert (wrong <= margin).all()
    assert wrong.max() > 0.01 * margin.max() if n_factors < 500 else wrong.max() > 0


@pytest.mark.parametrize("alone", [False, True])
def test_numbers_and_norms_fit(alone: bool) -> None:
    taste, appeal = factors(40, 2.0, alone=alone)
    steps = np.array([step_of(taste), step_of(appeal)])
    halves = np.split(quantized(taste, appeal, steps).astype(np.float64), 2, axis=1)
    assert max(np.abs(half).max() for half in halves) <= 32_767
    assert max(np.linalg.norm(half, axis=1).max() for half in halves) < 46_340
    assert max(np.abs(half).max() for half in halves) > 10_000


def test_nothing_is_nothing() -> None:
    zeros = np.zeros((3, 16), np.float32)
    steps = np.array([step_of(zeros), step_of(zeros)])
    assert not quantized(zeros, zeros, steps).any()
    assert margin_of(zeros, zeros, steps, largest_of(zeros, zeros, NOTHING_NEAR), steps).max() < 1e-20
    assert norms(zeros).tolist() == [0.0] * 3


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
