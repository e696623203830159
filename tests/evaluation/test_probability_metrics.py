import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from recsys.errors import InputError
from recsys.evaluation import auc, brier, ece, log_loss, reliability_table
from recsys.evaluation.calibration import Ece
from recsys.evaluation.probability import Auc, LogLoss

outcome = st.integers(0, 1)
coarse = st.integers(0, 4).map(lambda fourths: fourths / 4)


def auc_by_counting(truth, score):
    wins = [
        1.0 if s > t else 0.5 if s == t else 0.0
        for y, s in zip(truth, score, strict=True)
        if y
        for z, t in zip(truth, score, strict=True)
        if not z
    ]
    return np.mean(wins)


class TestAuc:
    @given(st.lists(st.tuples(outcome, coarse), min_size=2, max_size=20))
    def test_counts_wins_and_half_ties(self, pairs):
        truth, score = zip(*pairs, strict=True)
        if len(set(truth)) == 2:
            assert auc(truth, score) == pytest.approx(auc_by_counting(truth, score))

    @given(st.lists(st.tuples(outcome, coarse, st.integers(0, 3)), min_size=2, max_size=12))
    def test_times_is_the_same_as_repeating_pairs(self, pairs):
        truth, score, times = (np.array(column) for column in zip(*pairs, strict=True))
        again = np.repeat(np.arange(len(truth)), times)
        expected = Auc.of(truth[again], score[again])(
            np.ones(len(again), np.int64), np.ones(len(again), np.int64)
        )
        assert auc(truth, score, times=times) == pytest.approx(expected, nan_ok=True)

    def test_one_outcome_alone_has_no_area(self):
        assert np.isnan(auc([1, 1], [0.2, 0.3]))
        assert np.isnan(auc([], []))

    def test_minus_infinity_is_the_lowest_score(self):
        assert auc([0, 1], [-np.inf, -1e300]) == 1.0


class TestProperScores:
    @given(st.lists(st.tuples(outcome, st.floats(0.01, 0.99)), min_size=2, max_size=30))
    def test_agree_with_scikit_learn(self, pairs):
        truth, p = zip(*pairs, strict=True)
        assert log_loss(truth, p) == pytest.approx(sklearn_log_loss(truth, p, labels=[0, 1]))
        assert brier(truth, p) == pytest.approx(brier_score_loss(truth, p, labels=[0, 1]))

    def test_one_certain_mistake_stays_finite(self):
        assert 20 < log_loss([1], [0.0]) < 30

    def test_pairs_count_viewer_times_candidate(self):
        metric = LogLoss.of([1, 0], [0.9, 0.9])
        weighted = metric(np.array([3, 1]), np.array([2, 1]))
        assert weighted == pytest.approx((6 * -np.log(0.9) - np.log(0.1)) / 7)


class TestEce:
    def test_hand_worked_bins(self):
        truth = [0, 0, 0, 1, 0, 1, 1, 1]
        said = [0.1, 0.1, 0.2, 0.2, 0.6, 0.6, 0.9, 0.9]
        # four bins of two pairs: |0-.1|, |.5-.2|, |.5-.6|, |1-.9| over 4
        assert ece(truth, said, n_bins=4) == pytest.approx((0.1 + 0.3 + 0.1 + 0.1) / 4)

    def test_equal_probabilities_share_a_bin(self):
        assert ece([1, 0, 1, 0], [0.5] * 4, n_bins=4) == 0.0

    def test_bins_hold_equally_many_pairs(self):
        metric = Ece.of(np.zeros(100), np.linspace(0, 1, 100) ** 5, n_bins=10)
        assert np.bincount(metric.bins).tolist() == [10] * 10

    def test_table_agrees_with_the_number(
        self,
    ):
        rng = np.random.default_rng(0)
        p = rng.random(500)
        truth = (rng.random(500) < p**2).astype(int)
        table = reliability_table(truth, p, n_bins=7)
        gap = (table["said"] - table["happened"]).abs()
        assert (gap * table["pairs"]).sum() / 500 == pytest.approx(ece(truth, p, n_bins=7))
        assert (table["lo"] <= table["happened"]).all()
        assert (table["happened"] <= table["hi"]).all()


class TestBadInput:
    def test_outcome_that_is_not_one(self):
        with pytest.raises(InputError, match=r"neither 0 nor 1 in position 1: got '?2"):
            auc([0, 2], [0.1, 0.2])

    def test_nan_score(self):
        with pytest.raises(InputError, match="a score is missing in position 0"):
            auc([0, 1], [np.nan, 0.2])

    def test_logits_for_probabilities(self):
        with pytest.raises(InputError, match="pass probabilities, not logits"):
            log_loss([0, 1], [0.5, 1.5])

    def test_different_lengths(self):
        with pytest.raises(InputError, match="differ in number"):
            brier([0, 1], [0.5])

    def test_no_bins(self):
        with pytest.raises(InputError, match="no bin"):
            ece([0], [0.5], n_bins=0)
