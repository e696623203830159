"""Scoring kernels beside their twins; bounds that may be loose but never too tight."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.models.reciprocal import COMBINERS, combine
from recsys.retrieval.index import build_factor_store
from recsys.retrieval.reproducible_math import reproducible_dot_llvm, reproducible_dot_numba
from recsys.retrieval.score_bounds import (
    COMBINER_NUMBERS,
    exact_logits,
    logit_bounds,
    lower_log_odds,
    mutual_score,
    mutual_scores,
    sigmoids,
)
from tests.retrieval.plain import plain_logits, plain_scores, plain_sigmoid, plain_sum
from tests.retrieval.worlds import directed_world

logits = st.floats(-30, 30)


@pytest.mark.parametrize("reproducible_dot", [reproducible_dot_llvm, reproducible_dot_numba])
@pytest.mark.parametrize("n", [0, 16, 32, 48, 160])
def test_sums_equal_their_twin_to_the_last_bit(n: int, reproducible_dot: Callable[..., float]) -> None:
    x, y = np.random.default_rng(n).normal(size=(2, 30, n)).astype(np.float32)
    found = [reproducible_dot(a, b) for a, b in zip(x, y, strict=True)]
    assert found == [plain_sum(a, b) for a, b in zip(x, y, strict=True)]
    if n > 16:
        assert found != [
            float(a.astype(np.float64) @ b.astype(np.float64)) for a, b in zip(x, y, strict=True)
        ]


how = st.sampled_from(sorted(COMBINERS))


def test_exact_logits_equal_their_twin_to_the_last_bit() -> None:
    directed = directed_world(np.random.default_rng(0), 20, 11)
    rows = np.random.default_rng(1).permutation(20).astype(np.int32)
    people, expected = build_factor_store(directed, rows), plain_logits(directed)
    for a in range(20):
        for b in range(20):
            near = np.float64(people.near[people.place[a], people.place[b]])
            found = reproducible_dot_llvm(people.taste[a], people.appeal[b]) + near
            assert found == expected[rows[a], rows[b]]


@settings(deadline=None)
@given(x=logits, y=logits, how=how)
def test_mutual_is_the_combiner(x: float, y: float, how: str) -> None:
    p, q = plain_sigmoid([x, y]).tolist()
    found = mutual_score(COMBINER_NUMBERS[how], x, y, p, q)
    # The cross ratio is taken from the logits, where 1 - p keeps its precision.
    tolerance = max(1e-12, 4e-16 * math.exp(max(x, y))) if how == "cross_ratio" else 1e-12
    assert found == pytest.approx(float(combine(p, q, how)), rel=tolerance)


@settings(deadline=None, max_examples=500)
@given(x=st.floats(-900, 900), y=st.floats(-900, 900), how=how)
def test_bounds_are_met_by_every_pair_that_reaches_the_score(x: float, y: float, how: str) -> None:
    number = COMBINER_NUMBERS[how]
    score = mutual_score(number, x, y, *plain_sigmoid([x, y]).tolist())
    least, total = logit_bounds(number, score)
    assert min(x, y) >= least
    assert x + y >= total


@pytest.mark.parametrize("how", sorted(COMBINERS))
def test_bounds_skip_something(how: str) -> None:
    number = COMBINER_NUMBERS[how]
    least, total = logit_bounds(number, mutual_score(number, 2.0, 1.0, *plain_sigmoid([2.0, 1.0]).tolist()))
    assert total > -1.0
    assert (least > -2.0) == (how != "cross_ratio")
    assert logit_bounds(number, 0.0) == (-math.inf, -math.inf)


@pytest.mark.parametrize("how", sorted(COMBINERS))
def test_pairs_scored_together_equal_their_twin_to_the_last_bit(how: str) -> None:
    directed = directed_world(np.random.default_rng(4), 50, 21)
    rows = np.random.default_rng(5).permutation(50).astype(np.int32)
    people, everybody = build_factor_store(directed, rows), np.arange(50, dtype=np.int32)
    x, y, *found = np.empty((5, 50))
    factors = people.taste[7], people.appeal[7], people.near[people.place[7]]
    exact_logits(*factors, people.taste, people.appeal, people.place, everybody, x, y)
    mutual_scores(COMBINER_NUMBERS[how], x, y, found[0])
    sigmoids(x, found[1])
    sigmoids(y, found[2])
    expected = [part[rows[7], rows] for part in plain_scores(directed, how)]
    assert np.array(found).tolist() == np.array(expected).tolist()


@settings(deadline=None, max_examples=500)
@given(x=logits, y=logits, m=st.floats(0, 3), towards=st.tuples(st.floats(-1, 1), st.floats(-1, 1)), how=how)
def test_wrong_logits_make_the_log_odds_wrong_by_no_more_than_twice_as_much(
    x: float, y: float, m: float, towards: tuple[float, float], how: str
) -> None:
    def score(x: float, y: float) -> float:
        return mutual_score(COMBINER_NUMBERS[how], x, y, *plain_sigmoid([x, y]).tolist())

    right, wrong = score(x, y), score(x + m * towards[0], y + m * towards[1])
    assert lower_log_odds(wrong, 2 * m) <= right
    assert lower_log_odds(right, 2 * m) <= wrong


def test_lower_by_takes_log_odds_away() -> None:
    assert lower_log_odds(0.5, 0.0) == pytest.approx(0.5, rel=1e-11)
    assert lower_log_odds(plain_sigmoid(3.0), 2.0) == pytest.approx(plain_sigmoid(1.0), rel=1e-9)
    assert lower_log_odds(1.0, 1e4) == 0.0
