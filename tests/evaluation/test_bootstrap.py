import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import InputError
from recsys.evaluation.bootstrap import Dyads, bootstrap, of_groups, recentred
from recsys.evaluation.calibration import Ece
from recsys.evaluation.estimates import ListValue, estimate
from recsys.evaluation.probability import Auc, Brier, LogLoss
from recsys.evaluation.ranking import Ndcg, Precision, Recall, TiedRanking, log_discount
from tests.benchmarks.coverage import SCENARIOS, Market


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
    weighed = of_groups([0.4, 0.6, np.nan], rng=np.random.default_rng(0), weights=[3.0, 1.0, 9.0])
    assert weighed.value == pytest.approx(0.45)
    assert 0.3 < weighed.lo < weighed.value < weighed.hi < 0.6


RNG = np.random.default_rng


def test_influences_add_up_to_nothing_and_shares_to_all():
    market = Market.draw(SCENARIOS[2], RNG(0))
    for metric in market.metrics().values():
        if not isinstance(metric, Ece):
            found = metric.influence()
            assert found.values.sum() == pytest.approx(0.0, abs=1e-12)
            assert found.share.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("make", [Auc.of, Brier.of, LogLoss.of])
def test_an_influence_is_what_a_pair_moves_the_metric_by(make):
    market = Market.draw(SCENARIOS[2], RNG(1))
    metric = make(market.truth, market.said["all"])
    ones, n = np.ones(len(market.truth), np.int64), len(market.truth)
    found = metric.influence().values
    for pair in (0, 7, 50):
        without = ones.copy()
        without[pair] = 0
        assert metric(ones, ones) - metric(without, ones) == pytest.approx(found[pair], abs=3 / n**2)


def test_a_difference_that_is_there_is_seen_more_often_than_by_the_bootstrap():
    """The bootstrap is up to 2 times too wide: a model that knows half the taste looks no worse."""
    rng, seen = RNG(2), {"two-way": 0, "bootstrap": 0}
    for _ in range(25):
        market = Market.draw(SCENARIOS[2], rng)
        given = (market.metrics(), market.viewer, market.candidate, SCENARIOS[2].people)
        for way, found in (
            ("two-way", estimate(*given, rng=rng)),
            ("bootstrap", bootstrap(*given, rng=rng, n_resamples=100)),
        ):
            seen[way] += found.difference("all auc", "half auc").lo > 0
    assert seen["two-way"] > seen["bootstrap"] + 3


def test_the_calibration_error_of_a_calibrated_model_holds_zero_where_the_sample_shows_one():
    """Resampling people puts 0 outside the interval in most markets: what chance adds never cancels."""
    rng, held, old = RNG(3), 0, 0
    for _ in range(60):
        market = Market.draw(SCENARIOS[2], rng)
        metric = {"ece": Ece.of(market.truth, market.said["all"])}
        given = (metric, market.viewer, market.candidate, SCENARIOS[2].people)
        held += estimate(*given, rng=rng).interval("ece").lo == 0.0
        old += bootstrap(*given, rng=rng, n_resamples=40).interval("ece").lo <= 0.0
    assert held >= 53
    assert old <= 30


def test_a_model_that_says_too_much_is_not_calibrated():
    market = Market.draw(SCENARIOS[0], RNG(4))
    metric = {"ece": Ece.of(market.truth, market.said["all"] ** 2)}
    found = estimate(metric, market.viewer, market.candidate, 200, rng=RNG(0)).interval("ece")
    assert 0.05 < found.lo < found.value < found.hi


def test_two_directions_of_two_people_count_once():
    """Where nothing depends on people, only on the two of a pair, people less dyads is the plain variance."""
    a, b = np.arange(0, 400, 2), np.arange(1, 400, 2)
    values = RNG(5).normal(size=200)
    metric = ListValue(np.arange(400), np.concatenate([values, values]))
    dyads = Dyads.of(np.concatenate([a, b]), np.concatenate([b, a]), 400)
    error, _ = dyads.error(metric.influence())
    assert error == pytest.approx(values.std() / np.sqrt(200), rel=0.02)


def test_a_share_stays_a_share_and_log_odds_bend_its_interval():
    market = Market.draw(SCENARIOS[2], RNG(6))
    found = estimate(market.metrics(), market.viewer, market.candidate, 30, rng=RNG(0))
    inside = found.within("all auc", (0.0, 1.0))
    assert 0.0 < inside.lo < inside.value < inside.hi < 1.0
    assert inside.value - inside.lo > inside.hi - inside.value


def test_a_metric_without_influences_is_bootstrapped_and_not_compared_with_one_that_has():
    market = Market.draw(SCENARIOS[2], RNG(7))
    ranked = TiedRanking.of(market.viewer, market.truth, market.said["all"])
    smooth = Ndcg(ranked, 5)
    metrics = {"own": lambda v, c: 2.0 * smooth(v, c), "ndcg": smooth, "also": Precision(ranked, 5)}
    found = estimate(metrics, market.viewer, market.candidate, 30, rng=RNG(0), n_resamples=30)
    assert found.interval("own").lo < found.interval("own").hi
    with pytest.raises(InputError, match="no interval of this difference"):
        found.difference("own", "ndcg")
    with pytest.raises(InputError, match="did you mean 'ndcg'"):
        found.interval("ndgc")


def test_recall_of_lists_that_find_everybody_is_known():
    metric = Recall(TiedRanking.of([0, 0, 1, 1], [1, 0, 1, 0], [2, 1, 2, 1]), 2)
    found = estimate({"recall": metric}, np.array([0, 0, 1, 1]), np.array([2, 3, 2, 3]), 4, rng=RNG(0))
    assert (found.interval("recall").lo, found.interval("recall").hi) == (1.0, 1.0)


def test_no_choice_of_people_moves_what_is_the_same_for_every_order():
    people = np.array([pair for pair in np.ndindex(10, 10) if pair[0] != pair[1]])
    viewer, candidate = people.T
    score = np.arange(len(viewer), dtype=float)
    metrics = {
        name: Ndcg(TiedRanking.of(viewer, np.ones(len(viewer)), by), 5)
        for name, by in (("a", score), ("b", -score))
    }
    found = estimate(metrics, viewer, candidate, 10, rng=RNG(0))
    for one in (found.interval("a"), found.difference("a", "b")):
        assert one.hi - one.lo == pytest.approx(0.0, abs=1e-9)


PLACES_OF_ONE_VIEWER = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([-np.inf, 0.0, 1.0, 2.0, 3.0])), min_size=2, max_size=9
)


@given(rows=PLACES_OF_ONE_VIEWER, k=st.integers(1, 5))
def test_a_value_without_a_candidate_is_that_of_the_list_without_it(rows, k):
    truth, score = (np.array(column, float) for column in zip(*rows, strict=True))
    for metric in (Ndcg, Precision, Recall):
        ranked = TiedRanking.of(np.zeros(len(rows), int), truth, score)
        discount = log_discount(k) if metric is Ndcg else np.ones(k)
        found = ranked.without_each(discount)
        for at, pair in enumerate(ranked.order):
            kept = np.arange(len(rows)) != pair
            smaller = TiedRanking.of(np.zeros(len(rows) - 1, int), truth[kept], score[kept])
            gain, relevant = smaller.gains(np.ones(len(rows) - 1, np.int64), discount)
            assert found.without[at] == pytest.approx(gain[0])
            assert found.relevant_without[at] == relevant[0]


def test_intervals_of_ranking_metrics_are_as_wide_as_fresh_markets_differ():
    """Where some are far more popular, sums of what stands in first places were 2 to 4 times as wide."""
    values, widths = [], []
    for seed in range(40):
        rng = RNG([seed, 3])
        popular = 1.5 * rng.normal(size=80)
        viewer = np.repeat(np.arange(80), 20)
        candidate = np.concatenate(
            [rng.choice(np.delete(np.arange(80), i), 20, replace=False) for i in range(80)]
        )
        truth = rng.random(len(viewer)) < 1.0 / (1.0 + np.exp(1.0 - popular[candidate]))
        ranked = TiedRanking.of(viewer, truth, popular[candidate] + rng.normal(size=len(viewer)))
        metrics = {"ndcg": Ndcg(ranked, 5), "recall": Recall(ranked, 5), "precision": Precision(ranked, 5)}
        found = estimate(metrics, viewer, candidate, 80, rng=rng)
        intervals = [found.interval(name) for name in metrics]
        values.append([one.value for one in intervals])
        widths.append([one.hi - one.lo for one in intervals])
    ratio = np.mean(widths, axis=0) / (3.92 * np.std(values, axis=0, ddof=1))
    assert ((ratio > 0.75) & (ratio < 1.6)).all()
