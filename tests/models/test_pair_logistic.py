from dataclasses import replace

import numpy as np
import pytest

from recsys.features.base import BlockRows
from recsys.models.calibration import Platt
from recsys.models.directed import sigmoid
from recsys.models.pair_design import PairDesign, PairWeights
from recsys.models.pair_logistic import Precisions, _Problem, fit_pair_logistic
from recsys.models.training_data import LabelledPairs

BLOCK_OF = np.array([0, 0, 1])
WEAK = Precisions(block=0.01, column=0.01, marginal=0.01, person=0.0)


def nothing(n=3):
    return PairWeights(0.0, 0.0, np.zeros(n), np.zeros(n), np.zeros(n))


def rows(n=120, seed=0):
    rng = np.random.default_rng(seed)
    return BlockRows(*(rng.normal(size=(n, 3)).astype(np.float32) for _ in range(2)))


def drawn_pairs(people, truth, n_pairs, seed=1, extra=0.0):
    rng = np.random.default_rng(seed)
    i, j = (rng.integers(0, len(people), n_pairs).astype(np.int32) for _ in range(2))
    near = rng.random(n_pairs)
    blank = LabelledPairs(i, j, np.zeros(n_pairs), np.ones(n_pairs))
    logits = PairDesign.of(people, BLOCK_OF, blank, near, nothing()).logits(truth) + extra
    labels = (rng.random(n_pairs) < sigmoid(logits)).astype(float)
    return LabelledPairs(i, j, labels, np.ones(n_pairs)), near


def plain_logit(people, weights, i, j, near):
    total = weights.intercept + weights.distance_decay * near
    for f in range(3):
        total += weights.products[f] * people.preferences[i, f] * people.attributes[j, f]
        total += weights.viewer[f] * people.preferences[i, f] + weights.candidate[f] * people.attributes[j, f]
    return total


TRUTH = PairWeights(
    -0.5, 1.0, np.array([1.0, 0.3, -0.7]), np.array([0.4, 0.0, 0.0]), np.array([0.0, -0.6, 0.2])
)


def test_logits_equal_the_formula():
    people = rows()
    pairs, near = drawn_pairs(people, TRUTH, 50)
    design = PairDesign.of(people, BLOCK_OF, pairs, near, nothing())
    expected = [
        plain_logit(people, TRUTH, i, j, d)
        for i, j, d in zip(pairs.viewers, pairs.candidates, near, strict=True)
    ]
    np.testing.assert_allclose(design.logits(TRUTH), expected, atol=1e-5)


def test_fit_recovers_the_weights_of_simulated_labels():
    people = rows(400)
    pairs, near = drawn_pairs(people, TRUTH, 60_000)
    found = fit_pair_logistic(PairDesign.of(people, BLOCK_OF, pairs, near, nothing()), WEAK).weights
    np.testing.assert_allclose(found.products, TRUTH.products, atol=0.05)
    np.testing.assert_allclose(found.viewer, TRUTH.viewer, atol=0.05)
    np.testing.assert_allclose(found.candidate, TRUTH.candidate, atol=0.05)
    assert found.distance_decay == pytest.approx(1.0, abs=0.1)
    assert found.intercept == pytest.approx(-0.5, abs=0.1)


def test_gradient_matches_finite_differences():
    people = rows(30)
    pairs, near = drawn_pairs(people, TRUTH, 200)
    weights = np.random.default_rng(2).random(200)
    design = PairDesign.of(people, BLOCK_OF, replace(pairs, weights=weights), near, TRUTH)
    problem = _Problem(
        design, Precisions(block=1.0, column=2.0, marginal=3.0, person=0.5), design.curvature()
    )
    theta = np.random.default_rng(3).normal(scale=0.3, size=len(problem.blank()))
    _, gradient = problem.loss(theta)
    for at in range(0, len(theta), 3):
        step = np.zeros(len(theta))
        step[at] = 1e-2
        slope = (problem.loss(theta + step)[0] - problem.loss(theta - step)[0]) / 2e-2
        assert gradient[at] == pytest.approx(slope, abs=2e-2)


def test_fit_without_pairs_returns_the_prior_mean():
    people = rows()
    nobody = LabelledPairs(*(np.empty(0, np.int32),) * 2, *(np.empty(0),) * 2)
    found = fit_pair_logistic(PairDesign.of(people, BLOCK_OF, nobody, np.empty(0), TRUTH), WEAK).weights
    assert found.products.tolist() == TRUTH.products.tolist()
    assert (found.intercept, found.distance_decay) == (-0.5, 1.0)


def test_a_strong_prior_keeps_the_prior_mean():
    people = rows()
    pairs, near = drawn_pairs(people, TRUTH, 2000)
    usual = PairWeights(0.0, 0.0, np.array([2.0, 2.0, 2.0]), np.zeros(3), np.zeros(3))
    strong = Precisions(block=1e9, column=1e9, marginal=1e9, person=0.0)
    found = fit_pair_logistic(PairDesign.of(people, BLOCK_OF, pairs, near, usual), strong).weights
    np.testing.assert_allclose(found.products, 2.0, atol=1e-3)


def test_person_effects_absorb_repeated_outcomes_of_few_people():
    """Popularity that has nothing to do with answers moves the candidates' weights less."""
    people = rows(60, seed=4)
    rng = np.random.default_rng(5)
    pairs, near = drawn_pairs(people, nothing(), 6000)
    liked = rng.random(6000) < sigmoid(rng.normal(scale=1.5, size=60)[pairs.candidates])
    pairs = LabelledPairs(pairs.viewers, pairs.candidates, liked.astype(float), pairs.weights)
    design = PairDesign.of(people, BLOCK_OF, pairs, near, nothing())
    found = [
        fit_pair_logistic(design, Precisions(100.0, 100.0, 100.0, person)).weights for person in (0.0, 1.0)
    ]
    naive, ours = (np.linalg.norm(weights.candidate) for weights in found)
    assert ours < 0.75 * naive


def test_calibrated_weights_give_calibrated_logits():
    people = rows()
    pairs, near = drawn_pairs(people, TRUTH, 50)
    design = PairDesign.of(people, BLOCK_OF, pairs, near, nothing())
    line = Platt(0.5, -0.3)
    np.testing.assert_allclose(
        design.logits(TRUTH.calibrated(line)), line.logits(design.logits(TRUTH)), atol=1e-5
    )


def test_a_constant_column_gets_no_weight():
    people = rows()
    people.preferences[:, 2] = 0.0
    people.attributes[:, 2] = 0.0
    pairs, near = drawn_pairs(people, TRUTH, 500)
    found = fit_pair_logistic(PairDesign.of(people, BLOCK_OF, pairs, near, nothing()), WEAK).weights
    assert (found.products[2], found.viewer[2], found.candidate[2]) == (0.0, 0.0, 0.0)


def test_the_curvature_is_that_of_all_measured_pairs_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    people = rows()
    pairs, near = drawn_pairs(people, TRUTH, 150)
    design = PairDesign.of(people, BLOCK_OF, pairs, near, nothing())
    at = np.arange(len(pairs))
    features = design.features(at)
    for size in (len(pairs), 64, 7):
        monkeypatch.setattr("recsys.models.pair_design._FEATURES_AT_ONCE", size)
        found = design.curvature()
        assert found is not None
        np.testing.assert_allclose(found, 0.25 * features.T @ features / len(at), atol=1e-5, rtol=1e-4)
