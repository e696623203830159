from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.evaluation import ndcg, precision, recall
from recsys.evaluation.ranking import Ndcg, TiedRanking, log_discount
from recsys.evaluation.registry import RandomOrder

item = st.tuples(st.integers(0, 1), st.integers(0, 3))
one_list = st.lists(item, min_size=1, max_size=6)


def ndcg_by_definition(truth_in_order, k):
    gain = sum(y / np.log2(place + 2) for place, y in enumerate(truth_in_order[:k]))
    best = sum(1 / np.log2(place + 2) for place in range(min(k, sum(truth_in_order))))
    return gain / best


def all_orders(items):
    for order in permutations(range(len(items))):
        scores = [items[at][1] for at in order]
        if scores == sorted(scores, reverse=True):
            yield [items[at][0] for at in order]


class TestNdcg:
    @given(one_list, st.integers(1, 5))
    def test_is_the_mean_over_all_orders_of_equal_scores(self, items, k):
        truth, score = zip(*items, strict=True)
        if any(truth):
            expected = np.mean([ndcg_by_definition(order, k) for order in all_orders(items)])
            assert ndcg(["v"] * len(items), truth, score, k=k) == pytest.approx(expected)

    @given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=7))
    def test_a_candidate_that_counts_m_times_takes_m_places(self, items):
        truth = np.array([y for y, _ in items])
        times = np.array([m for _, m in items])
        score = -np.arange(len(items), dtype=float)
        repeated = np.repeat(truth, times)
        metric = Ndcg(TiedRanking.of(np.zeros(len(items), int), truth, score), 3)
        value = metric(np.ones(len(items), np.int64), times)
        if repeated.any():
            assert value == pytest.approx(ndcg_by_definition(repeated.tolist(), 3))
        else:
            assert np.isnan(value)

    def test_hand_worked_table(self):
        viewer = ["a", "a", "a", "b", "b", "c"]
        truth = [0, 1, 1, 1, 0, 0]
        score = [0.9, 0.8, 0.7, 0.4, 0.6, 0.5]
        a = (1 / np.log2(3) + 1 / 2) / (1 + 1 / np.log2(3))
        b = 1 / np.log2(3)
        assert ndcg(viewer, truth, score, k=3) == pytest.approx((a + b) / 2)
        assert ndcg(viewer, truth, score, k=3, min_candidates=3) == pytest.approx(a)
        assert recall(viewer, truth, score, k=2) == pytest.approx((1 / 2 + 1) / 2)
        assert precision(viewer, truth, score, k=2) == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)

    def test_not_listed_takes_no_place_but_can_be_missed(self):
        missed = ndcg(["a", "a"], [1, 1], [0.3, -np.inf], k=5)
        assert missed == pytest.approx(1 / (1 + 1 / np.log2(3)))
        assert recall(["a", "a"], [1, 1], [0.3, -np.inf], k=5) == 0.5

    def test_rows_in_any_order(self):
        rng = np.random.default_rng(3)
        viewer, truth = rng.integers(0, 9, 200), rng.integers(0, 2, 200)
        score = rng.integers(0, 5, 200)
        shuffled = rng.permutation(200)
        assert ndcg(viewer[shuffled], truth[shuffled], score[shuffled], k=4) == pytest.approx(
            ndcg(viewer, truth, score, k=4)
        )

    def test_no_viewers_give_nan(self):
        assert np.isnan(ndcg([], [], [], k=5))
        assert np.isnan(ndcg(["a"], [0], [1.0], k=5))


class TestRandomOrder:
    @given(one_list.filter(lambda items: any(y for y, _ in items)), st.integers(1, 6))
    def test_is_what_equal_scores_reach(self, items, k):
        truth = np.array([y for y, _ in items])
        n = np.array([len(truth)])
        shuffled = RandomOrder(np.array([truth.sum()]), n, n)
        same = ["v"] * len(truth), truth, np.zeros(len(truth))
        assert shuffled.ndcg(k) == pytest.approx(ndcg(*same, k=k))
        assert shuffled.recall(k) == pytest.approx(recall(*same, k=k))
        assert shuffled.precision(k) == pytest.approx(precision(*same, k=k))

    def test_short_lists_from_a_large_pool(self):
        rng = np.random.default_rng(0)
        shuffled = RandomOrder(np.array([3]), np.array([20]), np.array([4]))
        truth = np.r_[np.ones(3), np.zeros(17)]
        best = log_discount(10)[:3].sum()
        drawn = [(rng.permutation(truth)[:4] * log_discount(4)).sum() / best for _ in range(20000)]
        assert shuffled.ndcg(10) == pytest.approx(np.mean(drawn), abs=0.005)
