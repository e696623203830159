"""Scoring kernels beside their twins; bounds that may be loose but never too tight."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.models.reciprocal import COMBINERS, combine
from recsys.retrieval.best import (
    COMBINER_NUMBERS,
    bounds,
    exact_logit,
    keep_best,
    margin_of,
    mutual,
    nobody_yet,
    sigmoid,
)
from recsys.retrieval.people import people_of
from tests.retrieval.plain import plain_logits, plain_scores, plain_sigmoid
from tests.retrieval.worlds import directed_world

logits = st.floats(-30, 30)
how = st.sampled_from(sorted(COMBINERS))


def test_exact_logits_equal_their_twin_to_the_last_bit() -> None:
    directed = directed_world(np.random.default_rng(0), 20, 11)
    rows = np.random.default_rng(1).permutation(20).astype(np.int32)
    people, expected = people_of(directed, rows), plain_logits(directed)
    for a in range(20):
        for b in range(20):
            near = np.float64(people.near[people.place[a], people.place[b]])
            found = exact_logit(people.taste, a, people.appeal, b, near)
            assert found == expected[rows[a], rows[b]]


@given(st.floats(-1000, 1000))
def test_sigmoid_equals_its_twin(x: float) -> None:
    assert sigmoid(x) == plain_sigmoid(x)


@given(x=logits, y=logits, how=how)
def test_mutual_is_the_combiner(x: float, y: float, how: str) -> None:
    p, q = plain_sigmoid(x), plain_sigmoid(y)
    found = mutual(COMBINER_NUMBERS[how], x, y, p, q)
    # The cross ratio is taken from the logits, where 1 - p keeps its precision.
    tolerance = 1e-3 if how == "cross_ratio" and max(x, y) > 20 else 1e-12
    assert found == pytest.approx(float(combine(p, q, how)), rel=tolerance)


@settings(max_examples=500)
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
    margin = margin_of(taste, appeal, near)
    assert (wrong <= margin[:, None]).all()
    assert (wrong <= margin[None, :]).all()
    assert wrong.max() > 0


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1), n=st.integers(2, 30), k=st.integers(1, 10), how=how, ties=st.booleans()
)
def test_kept_in_any_number_of_blocks_equals_sorting(seed: int, n: int, k: int, how: str, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    directed = directed_world(rng, n, 6, ties=ties)
    order = rng.permutation(n).astype(np.int32)
    people = people_of(directed, order)
    viewers = np.arange(min(n, 3), dtype=np.int32)
    mask = rng.random((len(viewers), n)) < 0.7
    best = nobody_yet(len(viewers), k)
    for columns in np.array_split(rng.permutation(n).astype(np.int32), 3):
        x = people.taste[viewers] @ people.appeal[columns].T
        y = people.appeal[viewers] @ people.taste[columns].T
        part = np.ascontiguousarray(mask[:, columns])
        keep_best(best, viewers, columns, part, x, y, people, COMBINER_NUMBERS[how])
    score = plain_scores(directed, how)[0]
    for r, viewer in enumerate(viewers):
        open_rows = order[mask[r]]
        expected = sorted(open_rows.tolist(), key=lambda row: (-score[order[viewer], row], row))[:k]
        assert order[best.position[r, : best.length[r]]].tolist() == expected


def test_few_pairs_are_scored_exactly() -> None:
    directed = directed_world(np.random.default_rng(2), 3000, 16, near=False)
    people = people_of(directed, np.arange(3000, dtype=np.int32))
    viewers, columns = np.arange(10, dtype=np.int32), np.arange(3000, dtype=np.int32)
    x, y = people.taste[viewers] @ people.appeal.T, people.appeal[viewers] @ people.taste.T
    for name, number in COMBINER_NUMBERS.items():
        best = nobody_yet(10, 5)
        n_scored = keep_best(best, viewers, columns, np.ones((10, 3000), bool), x, y, people, number)
        assert 50 <= n_scored < 10 * 3000 * 0.1, name
