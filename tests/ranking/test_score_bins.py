"""The order of a list tells nearly nothing of an answer that is for matching only."""

import numpy as np
import pandas as pd
import pytest

from recsys.pipeline.arm_lists import tied_by_lot
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.ranking.score_bins import WIDTH, order_by_lot

LISTS, LONG = 60, 40
BOUND = 0.05
"""The most that may be read beyond guessing: five points of a hundred, as in the attacks of the benchmark."""


def lists(effect: float, seed: int = 7) -> tuple[RankedPairs, np.ndarray]:
    """Return lists best first and who of them gave the answer that raises the logarithm of the chance."""
    rng = np.random.default_rng(seed)
    says_yes = rng.random((LISTS, LONG)) < 0.5
    middle = -1.5 * WIDTH  # of a bin
    chance = np.exp(middle + effect * (says_yes - 0.5) + rng.uniform(-0.02, 0.02, says_yes.shape))
    candidate = np.array([rng.permutation(500)[:LONG] for _ in range(LISTS)])
    best = np.argsort(-chance, axis=1)
    chance, candidate, says_yes = (np.take_along_axis(of, best, 1) for of in (chance, candidate, says_yes))
    viewer = np.repeat(np.arange(LISTS), LONG).astype(np.int32)
    flat = chance.ravel().astype(np.float32)
    return RankedPairs(viewer, candidate.ravel().astype(np.int32), flat, flat, flat), says_yes.ravel()


def read(says_yes: np.ndarray) -> float:
    """Return how much more is read right than by guessing: yes in the upper half of each list, else no."""
    upper = np.tile(np.arange(LONG) < LONG // 2, LISTS)
    return float((upper == says_yes).mean() - max(says_yes.mean(), 1 - says_yes.mean()))


@pytest.mark.parametrize("effect", [0.05, 0.1, 0.2])
def test_the_night_puts_near_ties_in_an_order_that_tells_no_answer(effect: float) -> None:
    pairs, says_yes = lists(effect)
    assert read(says_yes) > 0.2  # the exact order tells it
    answer = dict(
        zip(zip(pairs.viewer.tolist(), pairs.candidate.tolist(), strict=True), says_yes, strict=True)
    )
    found = tied_by_lot(pairs, pd.Timestamp("2026-03-02"))
    seen = [answer[one] for one in zip(found.viewer.tolist(), found.candidate.tolist(), strict=True)]
    assert abs(read(np.array(seen))) <= BOUND


def test_a_day_has_one_lot_so_that_asking_again_tells_no_more() -> None:
    pairs, _ = lists(0.1)
    given = (pairs.viewer, pairs.candidate, pairs.p_mutual)
    first = order_by_lot(*given, day=3)
    np.testing.assert_array_equal(first, order_by_lot(*given, day=3))
    assert (first != order_by_lot(*given, day=4)).mean() > 0.9


def test_nobody_passes_another_whose_chance_differs_by_a_bin() -> None:
    rng = np.random.default_rng(7)
    viewer = np.repeat(np.arange(20), 30)
    chance = -np.sort(-rng.random((20, 30)), axis=1).ravel()
    order = order_by_lot(viewer, np.tile(np.arange(30), 20), chance, day=3)
    np.testing.assert_array_equal(viewer[order], viewer)
    logs = np.log(chance[order]).reshape(20, 30)
    passed = logs - np.minimum.accumulate(logs, axis=1)
    assert passed.max() <= WIDTH
    assert passed.max() > 0
