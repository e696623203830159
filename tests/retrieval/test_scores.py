"""Scoring kernels beside their twins; bounds that may be loose but never too tight."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.models.reciprocal import COMBINERS, combine
from recsys.retrieval.exact_sum import exact_sum, plain_sum
from recsys.retrieval.people import people_of
from recsys.retrieval.scores import (
    COMBINER_NUMBERS,
    QUICK,
    bounds,
    exact_pairs,
    largest_of,
    lower_by,
    margin_of,
    mutual,
    quick_exp,
    quick_scores,
    sigmoid,
    viewers_at,
)
from tests.retrieval.plain import plain_logits, plain_scores, plain_sigmoid
from tests.retrieval.worlds import directed_world

logits = st.floats(-30, 30)


@pytest.mark.parametrize("n", [0, 16, 32, 48, 160])
def test_sums_equal_their_twin_to_the_last_bit(n: int) -> None:
    x, y = np.random.default_rng(n).normal(size=(2, 30, n)).astype(np.float32)
    found = [exact_sum(a, b) for a, b in zip(x, y, strict=True)]
    assert found == [plain_sum(a, b) for a, b in zip(x, y, strict=True)]
    if n > 16:
        assert found != [
            float(a.astype(np.float64) @ b.astype(np.float64)) for a, b in zip(x, y, strict=True)
        ]


how = st.sampled_from(sorted(COMBINERS))


def test_exact_logits_equal_their_twin_to_the_last_bit() -> None:
    directed = directed_world(np.random.default_rng(0), 20, 11)
    rows = np.random.default_rng(1).permutation(20).astype(np.int32)
    people, expected = people_of(directed, rows), plain_logits(directed)
    for a in range(20):
        for b in range(20):
            near = np.float64(people.near[people.place[a], people.place[b]])
            found = exact_sum(people.taste[a], people.appeal[b]) + near
            assert found == expected[rows[a], rows[b]]


@settings(deadline=None)
@given(st.floats(-1000, 1000))
def test_sigmoid_equals_its_twin(x: float) -> None:
    assert sigmoid(x) == plain_sigmoid(x)


@settings(deadline=None)
@given(x=logits, y=logits, how=how)
def test_mutual_is_the_combiner(x: float, y: float, how: str) -> None:
    p, q = plain_sigmoid(x), plain_sigmoid(y)
    found = mutual(COMBINER_NUMBERS[how], x, y, p, q)
    # The cross ratio is taken from the logits, where 1 - p keeps its precision.
    tolerance = max(1e-12, 4e-16 * math.exp(max(x, y))) if how == "cross_ratio" else 1e-12
    assert found == pytest.approx(float(combine(p, q, how)), rel=tolerance)


@settings(deadline=None, max_examples=500)
@given(x=st.floats(-900, 900), y=st.floats(-900, 900), how=how)
def test_bounds_are_met_by_every_pair_that_reaches_the_score(x: float, y: float, how: str) -> None:
    number = COMBINER_NUMBERS[how]
    score = mutual(number, x, y, plain_sigmoid(x), plain_sigmoid(y))
    least, total = bounds(number, score)
    assert min(x, y) >= least
    assert x + y >= total


@pytest.mark.parametrize("how", sorted(COMBINERS))
def test_bounds_skip_something(how: str) -> None:
    number = COMBINER_NUMBERS[how]
    least, total = bounds(number, mutual(number, 2.0, 1.0, plain_sigmoid(2.0), plain_sigmoid(1.0)))
    assert total > -1.0
    assert (least > -2.0) == (how != "cross_ratio")
    assert bounds(number, 0.0) == (-math.inf, -math.inf)


@pytest.mark.parametrize("n_factors", [1, 5, 64, 500])
def test_margin_covers_float32_products(n_factors: int) -> None:
    rng = np.random.default_rng(n_factors)
    size = np.exp(3 * rng.normal(size=(60, 1)))
    taste, appeal = ((rng.normal(size=(60, n_factors)) * size).astype(np.float32) for _ in range(2))
    near = np.zeros((1, 1), np.float32)
    true = taste.astype(np.float64) @ appeal.T.astype(np.float64)
    wrong = np.abs(taste @ appeal.T - true)
    margin = margin_of(taste, appeal, largest_of(taste, appeal, near))
    assert (wrong <= margin[:, None]).all()
    assert (wrong <= margin[None, :]).all()
    assert wrong.max() > 0


@pytest.mark.parametrize("how", sorted(COMBINERS))
def test_pairs_scored_together_equal_their_twin_to_the_last_bit(how: str) -> None:
    directed = directed_world(np.random.default_rng(4), 50, 21)
    rows = np.random.default_rng(5).permutation(50).astype(np.int32)
    people, found = people_of(directed, rows), np.empty((3, 50))
    everybody = np.arange(50, dtype=np.int32)
    exact_pairs(viewers_at(people, everybody), 7, people, everybody, COMBINER_NUMBERS[how], *found)
    expected = [part[rows[7], rows] for part in plain_scores(directed, how)]
    assert found.tolist() == np.array(expected).tolist()


@settings(deadline=None, max_examples=500)
@given(x=logits, y=logits, m=st.floats(0, 3), towards=st.tuples(st.floats(-1, 1), st.floats(-1, 1)), how=how)
def test_wrong_logits_make_the_log_odds_wrong_by_no_more_than_twice_as_much(
    x: float, y: float, m: float, towards: tuple[float, float], how: str
) -> None:
    def score(x: float, y: float) -> float:
        return mutual(COMBINER_NUMBERS[how], x, y, plain_sigmoid(x), plain_sigmoid(y))

    right, wrong = score(x, y), score(x + m * towards[0], y + m * towards[1])
    assert lower_by(wrong, 2 * m) <= right
    assert lower_by(right, 2 * m) <= wrong


@settings(deadline=None, max_examples=500)
@given(st.floats(-700, 0))
def test_quick_exponentials_are_close_enough(z: float) -> None:
    assert abs(quick_exp(z) / math.exp(z) - 1.0) < QUICK


@settings(deadline=None, max_examples=300)
@given(x=st.floats(-300, 40, width=32), y=st.floats(-300, 40, width=32), how=how)
def test_quick_scores_are_those_of_logits_that_are_hardly_wrong(x: float, y: float, how: str) -> None:
    number, found = COMBINER_NUMBERS[how], np.empty(1)
    quick_scores(number, np.array([x], np.float32), np.array([y], np.float32), found)
    right = mutual(number, x, y, plain_sigmoid(x), plain_sigmoid(y))
    assert lower_by(found[0], 2 * QUICK) <= right
    assert lower_by(right, 2 * QUICK) <= found[0]


def test_lower_by_takes_log_odds_away() -> None:
    assert lower_by(0.5, 0.0) == pytest.approx(0.5, rel=1e-11)
    assert lower_by(plain_sigmoid(3.0), 2.0) == pytest.approx(plain_sigmoid(1.0), rel=1e-9)
    assert lower_by(1.0, 1e4) == 0.0
