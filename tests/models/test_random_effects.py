"""What is particular to people: how far they lie apart, and what is said of those of whom little is known."""

from dataclasses import astuple, replace

import numpy as np
import pytest

from recsys.evaluation.probability import log_loss
from recsys.models.directed import sigmoid
from recsys.models.impressions import Impressions
from recsys.models.random_effects import EffectVariances, effect_variances, fit_random_effects

N_PEOPLE = 1500


def answers(rng, variance, each, correlation=0.0):
    """Return answers of people who differ by normal effects on both sides, and their logits."""
    viewer, candidate = np.repeat(np.arange(N_PEOPLE), each), rng.integers(0, N_PEOPLE, N_PEOPLE * each)
    generosity, own = np.sqrt(variance) * rng.normal(size=(2, N_PEOPLE))
    popularity = correlation * generosity + np.sqrt(1.0 - correlation**2) * own
    logits = -1.0 + generosity[viewer] + popularity[candidate]
    ones = np.ones(len(viewer))
    rows = viewer.astype(np.int32), candidate.astype(np.int32)
    labels = (rng.random(len(viewer)) < sigmoid(logits)).astype(float)
    none = 0.0 * ones
    return Impressions(*rows, labels, ones, none, none, ones, ones > 0, none > 0, none, none), logits


@pytest.mark.parametrize(("variance", "within"), [(0.0, 0.15), (0.64, 0.2)])
def test_variances_of_people_with_four_answers_each_are_found(variance, within):
    """Penalised quasi-likelihood finds .20 and .28 where .64 is true."""
    found = np.mean(
        [
            astuple(effect_variances(impressions, np.zeros(len(impressions)), N_PEOPLE))[:2]
            for impressions, _ in (answers(np.random.default_rng(seed), variance, 4) for seed in range(4))
        ],
        axis=0,
    )
    assert np.abs(found - variance).max() < within


def test_a_mean_over_what_is_not_known_of_people_says_no_more_than_their_modes():
    """With modes shrunk by variances of the right size, logits divided by sqrt(1 + pi/8 var) gain nothing."""
    centre, mean, small = [], [], []
    for seed in range(3):
        impressions, _ = answers(np.random.default_rng(seed), 0.64, 6)
        held = np.arange(len(impressions)) % 6 >= 4
        rest, judged = impressions.take(~held), impressions.take(held)
        found = fit_random_effects(rest, np.zeros(len(rest)), N_PEOPLE)
        p = sigmoid(found.logits(rest))
        curves = [np.bincount(who, p * (1 - p), N_PEOPLE) for who in (rest.viewers, rest.candidates)]
        unsure = [
            1.0 / (curve + 1.0 / of) for curve, of in zip(curves, astuple(found.variances)[:2], strict=True)
        ]
        logits = found.logits(judged)
        total = unsure[0][judged.viewers] + unsure[1][judged.candidates]
        centre.append(log_loss(judged.labels, sigmoid(logits)))
        mean.append(log_loss(judged.labels, sigmoid(logits / np.sqrt(1.0 + np.pi / 8.0 * total))))
        old = fit_random_effects(rest, np.zeros(len(rest)), N_PEOPLE, variances=EffectVariances(0.18, 0.28))
        small.append(log_loss(judged.labels, sigmoid(old.logits(judged))))
    assert np.mean(centre) < np.mean(mean) + 0.001
    assert np.mean(centre) < np.mean(small)


@pytest.mark.parametrize("correlation", [-0.6, 0.0, 0.5])
def test_the_covariance_of_generosity_and_popularity_is_found(correlation):
    found = np.mean(
        [
            effect_variances(impressions, np.zeros(len(impressions)), N_PEOPLE).covariance
            for impressions, _ in (
                answers(np.random.default_rng(seed), 0.64, 6, correlation) for seed in range(4)
            )
        ]
    )
    assert abs(found - correlation * 0.64) < 0.08


def returned(rng, association):
    """Return answers of both sides of every pair, which hang together; people do not differ."""
    low, high = np.divmod(rng.choice(N_PEOPLE**2, 8 * N_PEOPLE, replace=False), N_PEOPLE)
    low, high = low[low < high], high[low < high]
    shared = association * rng.normal(size=len(low))
    rows = np.append(low, high).astype(np.int32), np.append(high, low).astype(np.int32)
    labels = (rng.random(2 * len(low)) < sigmoid(np.tile(shared, 2))).astype(float)
    ones, none = np.ones(len(labels)), np.zeros(len(labels))
    return Impressions(*rows, labels, ones, none, none, ones, ones > 0, none > 0, none, none)


def test_answers_of_a_pair_that_hang_together_are_no_covariance_of_people():
    found = [
        effect_variances(one, np.zeros(len(one)), N_PEOPLE).covariance
        for one in (returned(np.random.default_rng(seed), 2.0) for seed in range(4))
    ]
    assert abs(np.mean(found)) < 0.03


def test_what_is_known_of_a_candidate_tells_of_them_as_a_viewer():
    """Some never decided; popular people are selective, so how they are liked says what they will say."""
    plain, joint = [], []
    for seed in range(3):
        impressions, logits = answers(np.random.default_rng(seed), 0.64, 8, correlation=-0.7)
        held = impressions.viewers % 5 == 0
        rest, judged = impressions.take(~held), impressions.take(held)
        found = fit_random_effects(rest, np.zeros(len(rest)), N_PEOPLE)
        apart = replace(found.variances, covariance=0.0)
        other = fit_random_effects(rest, np.zeros(len(rest)), N_PEOPLE, variances=apart)
        truth = judged.labels
        joint.append(log_loss(truth, sigmoid(found.logits(judged))))
        plain.append(log_loss(truth, sigmoid(other.logits(judged))))
        best = log_loss(truth, sigmoid(logits[held]))
        assert best < joint[-1] < plain[-1]
    assert np.mean(plain) - np.mean(joint) > 0.01


def test_the_mode_is_the_one_of_the_joint_prior():
    """The gradient of the log-posterior in every number and in the level is 0."""
    impressions, _ = answers(np.random.default_rng(0), 0.64, 6, correlation=-0.5)
    impressions = impressions.take((impressions.viewers % 7 > 0) & (impressions.candidates % 5 > 0))
    found = fit_random_effects(impressions, np.zeros(len(impressions)), N_PEOPLE, rounds=500)
    rest = impressions.labels - sigmoid(found.logits(impressions))
    both = np.array([found.generosity, found.popularity])
    owners = (impressions.viewers, impressions.candidates)
    pulls = np.array([np.bincount(owner, rest, N_PEOPLE) for owner in owners])
    assert np.abs(pulls - found.variances.precisions() @ both).max() < 0.05
    assert abs(rest.sum()) < 0.1
