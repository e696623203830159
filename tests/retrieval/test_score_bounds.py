"""Scoring kernels beside their twins; bounds that may be loose but never too tight."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.models.reciprocal import COMBINERS, combine
from recsys.retrieval.index import build_factor_store
from recsys.retrieval.reproducible_math import reproducible_dots_llvm, reproducible_dots_numba
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


@pytest.mark.parametrize("reproducible_dots", [reproducible_dots_llvm, reproducible_dots_numba])
@pytest.mark.parametrize("n", [0, 16, 32, 48, 160])
def test_sums_equal_their_twin_to_the_last_bit(n: int, reproducible_dots: Callable[..., None]) -> None:
    x, y, a, b = np.random.default_rng(n).normal(size=(4, 30, n)).astype(np.float32)
    for r in range(30):
        sums, c, d = np.empty(8), (r * 7) % 30, (r * 11 + 3) % 30
        reproducible_dots(x, y, r, a, b, c, d, sums)
        pairs = [(x[r], b[c]), (y[r], a[c]), (x[r], b[d]), (y[r], a[d])]
        assert sums[:4].tolist() == [plain_sum(*pair) for pair in pairs]
    if n > 16:
        assert [plain_sum(*pair) for pair in zip(x, y, strict=True)] != [
            float(each.astype(np.float64) @ other.astype(np.float64))
            for each, other in zip(x, y, strict=True)
        ]


how = st.sampled_from(sorted(COMBINERS))


@pytest.mark.parametrize("n", [0, 1, 2, 7, 20])
def test_exact_logits_equal_their_twin_to_the_last_bit(n: int) -> None:
    directed = directed_world(np.random.default_rng(0), 20, 11)
    rows = np.random.default_rng(1).permutation(20).astype(np.int32)
    people, expected = build_factor_store(directed, rows), plain_logits(directed)
    others, (x, y) = np.arange(20, dtype=np.int32)[::-1].copy(), np.full((2, 30), np.nan)
    for r in range(20):
        factors = people.taste, people.appeal, people.place
        near = people.near, people.place[r]
        exact_logits(people.taste, people.appeal, r, *near, *factors, others, 20 - n, 20, x, y, 5)
        seen = rows[others[20 - n :]]
        assert x[5 : 5 + n].tolist() == expected[rows[r], seen].tolist()
        assert y[5 : 5 + n].tolist() == expected[seen, rows[r]].tolist()
        assert np.isnan(np.concatenate([x[:5], x[5 + n :], y[:5], y[5 + n :]])).all()


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
    factors = people.taste, people.appeal, people.place
    near = people.near, people.place[7]
    exact_logits(people.taste, people.appeal, 7, *near, *factors, everybody, 0, 50, x, y, 0)
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
