"""What is particular to people: how far they lie apart, and what is said of those of whom little is known."""

import numpy as np
import pytest

from recsys.evaluation.probability import log_loss
from recsys.models.directed import sigmoid
from recsys.models.impressions import Impressions
from recsys.models.random_effects import effect_variances, fit_random_effects

N_PEOPLE = 1500


def answers(rng, variance, each):
    """Return answers of people who differ by normal effects on both sides, and their logits."""
    viewer, candidate = np.repeat(np.arange(N_PEOPLE), each), rng.integers(0, N_PEOPLE, N_PEOPLE * each)
    generosity, popularity = np.sqrt(variance) * rng.normal(size=(2, N_PEOPLE))
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
            effect_variances(impressions, np.zeros(len(impressions)), N_PEOPLE)
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
        unsure = [1.0 / (curve + 1.0 / of) for curve, of in zip(curves, found.variances, strict=True)]
        logits = found.logits(judged)
        total = unsure[0][judged.viewers] + unsure[1][judged.candidates]
        centre.append(log_loss(judged.labels, sigmoid(logits)))
        mean.append(log_loss(judged.labels, sigmoid(logits / np.sqrt(1.0 + np.pi / 8.0 * total))))
        old = fit_random_effects(rest, np.zeros(len(rest)), N_PEOPLE, variances=(0.18, 0.28))
        small.append(log_loss(judged.labels, sigmoid(old.logits(judged))))
    assert np.mean(centre) < np.mean(mean) + 0.001
    assert np.mean(centre) < np.mean(small)
