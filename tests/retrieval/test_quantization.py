"""Whole factors: they fit, and logits from them are within the margin."""

import numpy as np
import pytest

from recsys.retrieval.quantization import largest_of, margin_of, norms, quantized, step_of
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
