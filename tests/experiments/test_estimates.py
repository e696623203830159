"""Estimates: known effects are found, intervals hold at every look, harm ends an arm."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from recsys.experiments import always_valid_interval, compare_pairs, compare_units, harm_test
from recsys.experiments.estimates import Estimate


def test_units_of_one_size_give_welchs_test() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.0, 1.0, 12), rng.normal(0.7, 2.0, 17)
    found = compare_units(np.r_[a, b], np.ones(29), np.arange(29) >= 12)
    known = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert found.interval() == pytest.approx((known.low, known.high), rel=0.02)


def test_what_was_there_before_is_taken_out() -> None:
    rng = np.random.default_rng(1)
    plain, adjusted = [], []
    for _ in range(40):
        own = rng.normal(0.0, 2.0, 60)
        treated = rng.permutation(60) < 30
        value = own + 0.5 * treated + rng.normal(0.0, 0.5, 60)
        plain.append(compare_units(value, np.ones(60), treated))
        adjusted.append(compare_units(value, np.ones(60), treated, own + rng.normal(0.0, 0.5, 60)))
    errors = [np.std([one.effect for one in found]) for found in (plain, adjusted)]
    assert errors[1] < 0.5 * errors[0]
    assert np.mean([one.effect for one in adjusted]) == pytest.approx(0.5, abs=0.1)
    assert np.mean([one.error for one in adjusted]) == pytest.approx(errors[1], rel=0.3)


def test_scaling_and_swapping_arms() -> None:
    rng = np.random.default_rng(2)
    value, size, treated = rng.random(20), rng.integers(1, 9, 20).astype(float), rng.random(20) < 0.5
    found = compare_units(value, size, treated, rng.random(20))
    rng = np.random.default_rng(2)
    value, size, _ = rng.random(20), rng.integers(1, 9, 20).astype(float), rng.random(20)
    other = compare_units(3.0 * value, size, ~treated, rng.random(20))
    assert other.effect == pytest.approx(-3.0 * found.effect)
    assert other.error == pytest.approx(3.0 * found.error)


def test_too_few_units_say_nothing() -> None:
    found = compare_units([1.0, 2.0, 3.0], np.ones(3), np.array([True, False, False]))
    assert np.isnan([found.effect, *found.interval()]).all()


def test_both_sides_tell_direct_effects_from_spillovers() -> None:
    """Rates by cell: 1 of neither, .8 with the viewer treated, .9 with the candidate, 1.3 with both."""
    n, rng = 400, np.random.default_rng(3)
    sides = rng.permutation(n) < n // 2, rng.permutation(n) < n // 2
    viewer, candidate = np.divmod(np.arange(n * n), n)
    rate = np.array([[1.0, 0.9], [0.8, 1.3]])
    of_pair = rate[sides[0][viewer].astype(int), sides[1][candidate].astype(int)]
    value = rng.poisson(of_pair * 4.0 / n)
    kept = value > 0
    found = compare_pairs(viewer[kept], candidate[kept], value[kept].astype(float), sides, 4)
    for estimate, true in (
        (found.direct, 2.0 * 0.6),
        (found.by_viewer, 2.0 * -0.2),
        (found.by_candidate, 2.0 * -0.1),
        (found.total, 2.0 * (0.6 - 0.4 - 0.2)),
        (found.plain, 2.0 * 0.3),
    ):
        assert abs(estimate.effect - true) < 4.0 * estimate.error
        assert estimate.error < 0.5


def test_an_always_valid_interval_holds_at_every_look() -> None:
    """Ten thousand Brownian paths looked at fifty times; the usual interval fails on the same ones."""
    rng = np.random.default_rng(4)
    looks = np.arange(1, 51)
    sums = rng.normal(size=(10_000, 50)).cumsum(axis=1)
    effect, error = sums / looks, 1.0 / np.sqrt(looks)
    ratio = (0.4 / error) ** 2
    half = error * np.sqrt(2.0 * (1.0 + ratio) / ratio * np.log(np.sqrt(1.0 + ratio) / 0.05))
    lo, hi = always_valid_interval(Estimate(0.0, 0.0, 0.0, float(error[9]), 1e9, 99), scale=0.4)
    assert hi == pytest.approx(half[9], rel=1e-6)
    assert lo == -hi
    assert (np.abs(effect) > half).any(axis=1).mean() < 0.05
    assert (np.abs(effect) > 1.96 * error).any(axis=1).mean() > 0.25


def test_harm_ends_an_arm_and_chance_does_not() -> None:
    rng = np.random.default_rng(5)

    def ended(rate: float) -> float:
        counts = rng.random((400, 60)) < rate / (1.0 + rate)
        paths = counts.cumsum(axis=1)
        return float(
            np.mean(
                [
                    any(harm_test(int(k), at + 1 - int(k), 0.5).stops() for at, k in enumerate(path))
                    for path in paths
                ]
            )
        )

    assert ended(1.0) <= 0.06
    assert ended(3.0) > 0.8
    assert harm_test(0, 0, 0.5).evidence == pytest.approx(1.0)
    assert harm_test(9, 3, 0.75).ratio == pytest.approx(1.0)
    for arm, control in ((7, 0), (14, 3), (27, 10)):  # the fewest, as the page on experiments says
        assert harm_test(arm, control, 0.5).stops()
        assert not harm_test(arm - 1, control, 0.5).stops()


def test_a_limit_above_one_lets_more_pass() -> None:
    found = pd.Series([harm_test(14, 4, 0.5, most=most).evidence for most in (1.0, 1.5, 2.0)])
    assert found.is_monotonic_decreasing
