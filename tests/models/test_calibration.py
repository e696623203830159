import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.models.calibration import Platt, fit_platt
from recsys.models.directed import sigmoid


def drawn(n, slope, intercept, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=1.5, size=n)
    return logits, (rng.random(n) < sigmoid(slope * logits + intercept)).astype(float)


def test_platt_recovers_the_line_of_simulated_labels():
    logits, labels = drawn(100_000, 0.6, -1.2)
    line = fit_platt(logits, labels)
    assert line.slope == pytest.approx(0.6, abs=0.03)
    assert line.intercept == pytest.approx(-1.2, abs=0.03)


def test_platt_mean_probability_equals_the_label_rate():
    logits, labels = drawn(2000, 2.0, 0.7)
    calibrated = sigmoid(fit_platt(logits, labels).logits(logits))
    assert calibrated.mean() == pytest.approx(labels.mean(), abs=2e-3)


def test_platt_weights_equal_repetitions():
    logits, labels = drawn(500, 0.6, -1.2)
    weights = np.random.default_rng(1).integers(1, 4, 500)
    repeated = fit_platt(np.repeat(logits, weights), np.repeat(labels, weights))
    weighted = fit_platt(logits, labels, weights.astype(float))
    assert weighted.slope == pytest.approx(repeated.slope, abs=1e-6)
    assert weighted.intercept == pytest.approx(repeated.intercept, abs=1e-6)


@given(
    st.lists(st.tuples(st.floats(-50, 50), st.sampled_from([0.0, 1.0])), max_size=30),
)
def test_platt_slope_is_finite_and_positive(rows):
    logits, labels = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    line = fit_platt(logits, labels)
    assert np.isfinite([line.slope, line.intercept]).all()
    assert line.slope > 0


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_platt_with_one_class_stays_finite(label):
    logits = np.linspace(-1, 1, 200)
    calibrated = sigmoid(fit_platt(logits, np.full(200, label)).logits(logits))
    assert np.abs(calibrated.mean() - label) < 0.02
    assert (np.diff(calibrated) > 0).all()


def test_platt_never_reverses_the_order():
    logits, labels = drawn(5000, -1.0, 0.0)
    line = fit_platt(logits, labels)
    assert 0 < line.slope < 0.1


def test_platt_without_labels_is_the_identity():
    assert fit_platt(np.empty(0), np.empty(0)) == Platt(1.0, 0.0)


@pytest.mark.parametrize("seed", range(3))
def test_scores_that_are_mostly_0_with_a_long_tail_are_calibrated(seed):
    """Newton's method without a search leaps from side to side here for ever and says .44 of .33."""
    rng = np.random.default_rng(seed)
    score = np.where(rng.random(2000) < 0.58, 0.0, rng.exponential(2.0, 2000))
    labels = (rng.random(2000) < sigmoid(0.15 * score - 0.85)).astype(float)
    said = sigmoid(fit_platt(score, labels).logits(score))
    assert said.mean() == pytest.approx(labels.mean(), abs=0.002)
