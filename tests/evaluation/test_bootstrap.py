import numpy as np
import pytest

from recsys.errors import InputError
from recsys.evaluation.bootstrap import bootstrap, of_groups, recentred
from recsys.evaluation.probability import Auc
from recsys.evaluation.ranking import Ndcg, TiedRanking


class MeanOf:
    def __init__(self, values):
        self.values = np.asarray(values, float)

    def __call__(self, viewer_counts, candidate_counts):
        times = viewer_counts * candidate_counts
        return float(times @ self.values / times.sum()) if times.any() else float("nan")


def crossed(n, rng, *, of_people):
    """All pairs of n viewers and n candidates whose values are the sum of two people's effects."""
    a, b = np.divmod(np.arange(n * n), n)
    viewers, candidates = rng.normal(0, of_people, n), rng.normal(0, of_people, n)
    return a, b + n, viewers[a] + candidates[b] + rng.normal(0, 0.1, n * n)


class TestBootstrap:
    def test_intervals_cover_at_their_nominal_level(self):
        rng = np.random.default_rng(5)
        covered = 0
        for _ in range(60):
            a, b, values = crossed(20, rng, of_people=1.0)
            drawn = bootstrap({"m": MeanOf(values)}, a, b, 40, rng=rng, n_resamples=200)
            interval = drawn.interval("m")
            covered += interval.lo <= 0.0 <= interval.hi
        assert covered >= 52

    def test_resampling_pairs_alone_is_far_too_narrow(self):
        rng = np.random.default_rng(6)
        a, b, values = crossed(20, rng, of_people=1.0)
        interval = bootstrap({"m": MeanOf(values)}, a, b, 40, rng=rng, n_resamples=300).interval("m")
        of_pairs = values.std() / np.sqrt(len(values))
        assert (interval.hi - interval.lo) / (2 * 1.96 * of_pairs) > 2.5

    def test_difference_is_paired(self):
        rng = np.random.default_rng(7)
        a, b, values = crossed(15, rng, of_people=1.0)
        both = {"a": MeanOf(values), "b": MeanOf(values - 0.3)}
        drawn = bootstrap(both, a, b, 30, rng=rng, n_resamples=100)
        difference = drawn.difference("a", "b")
        assert difference.lo == pytest.approx(0.3)
        assert difference.hi == pytest.approx(0.3)

    def test_draws_are_deterministic_given_the_seed(self):
        a, b, values = crossed(8, np.random.default_rng(0), of_people=1.0)
        first, second = (
            bootstrap({"m": MeanOf(values)}, a, b, 16, rng=np.random.default_rng(1), n_resamples=30).draws
            for _ in range(2)
        )
        assert np.array_equal(first, second)

    def test_interval_of_a_ranking_metric_holds_its_value(self):
        rng = np.random.default_rng(8)
        viewer, candidate = np.repeat(np.arange(60), 10), 60 + rng.integers(0, 60, 600)
        truth = (rng.random(600) < 0.2).astype(float)
        ranked = TiedRanking.of(viewer, truth, rng.random(600))
        drawn = bootstrap({"ndcg": Ndcg(ranked, 5)}, viewer, candidate, 120, rng=rng, n_resamples=200)
        interval = drawn.interval("ndcg")
        assert interval.lo < interval.value < interval.hi
        # uncentred draws sit above the value: a repeated candidate is found twice
        assert drawn.draws.mean() > interval.value + 0.01

    def test_unknown_measure_is_named(self):
        a, b, values = crossed(3, np.random.default_rng(0), of_people=1.0)
        drawn = bootstrap({"ndcg": MeanOf(values)}, a, b, 6, rng=np.random.default_rng(0), n_resamples=2)
        with pytest.raises(InputError, match="did you mean 'ndcg'"):
            drawn.interval("ndgc")

    @pytest.mark.parametrize("bad", [{"level": 0.0}, {"level": 1.5}, {"n_resamples": 0}])
    def test_impossible_settings(self, bad):
        with pytest.raises(InputError, match="no interval can be drawn"):
            bootstrap({}, np.array([0]), np.array([1]), 2, rng=np.random.default_rng(0), **bad)

    def test_auc_of_one_outcome_has_no_interval(self):
        metric = Auc.of([1, 1], [0.1, 0.2])
        drawn = bootstrap(
            {"auc": metric}, np.array([0, 1]), np.array([1, 2]), 3, rng=np.random.default_rng(0)
        )
        interval = drawn.interval("auc")
        assert np.isnan([interval.value, interval.lo, interval.hi]).all()


class TestRecentred:
    def test_moves_draws_to_the_value(self):
        assert recentred(0.0, np.array([1.0, 2.0, 3.0]), level=1.0).lo == -1.0

    def test_leaves_out_draws_that_are_not_numbers(self):
        assert recentred(1.0, np.array([0.0, np.nan, 2.0]), level=1.0).hi == 2.0


def test_groups_are_redrawn_whole():
    interval = of_groups([0.4, 0.6, np.nan], rng=np.random.default_rng(0))
    assert interval.value == pytest.approx(0.5)
    assert interval.lo == pytest.approx(0.4, abs=0.01)
    assert interval.hi == pytest.approx(0.6, abs=0.01)
