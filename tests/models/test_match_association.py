import numpy as np
import pytest

from recsys.models.directed import sigmoid
from recsys.models.impressions import Impressions
from recsys.models.reciprocal import (
    USUAL_ASSOCIATION,
    MatchAssociation,
    PairedDecisions,
    fit_match_association,
)


def looks(labels, is_reply):
    """Return looks of n people at n others, then of those at them, `(2 n,)` each."""
    n, ones = len(labels) // 2, np.ones(len(labels))
    left, right = np.arange(n, dtype=np.int32), np.arange(n, dtype=np.int32) + n
    return Impressions(
        np.concatenate([left, right]),
        np.concatenate([right, left]),
        labels,
        ones,
        0.0 * ones,
        0.0 * ones,
        ones,
        ones > 0,
        is_reply,
        0.0 * ones,
        0.0 * ones,
    )


def meetings(rng, shared, n=30_000, is_reply=False):
    """Return looks of two people at each other, and P(yes) of each without what both share unseen."""
    a, b, unseen = rng.normal(-0.5, 1.0, n), rng.normal(-0.5, 1.0, n), shared * rng.normal(size=n)
    yes = [rng.random(n) < sigmoid(x + unseen) for x in (a, b)]
    impressions = looks(
        np.concatenate(yes).astype(float), np.concatenate([np.zeros(n, bool), yes[0] & is_reply])
    )
    return impressions, sigmoid(np.concatenate([a, b])), (a, b, unseen)


def test_association_is_positive_where_people_agree_beyond_chance():
    impressions, chance, (a, b, unseen) = meetings(np.random.default_rng(0), shared=1.0)
    joint = fit_match_association(PairedDecisions.among(impressions, chance))
    both, product = joint.both(sigmoid(a), sigmoid(b)).mean(), (sigmoid(a) * sigmoid(b)).mean()
    match = (sigmoid(a + unseen) * sigmoid(b + unseen)).mean()
    assert joint.association > USUAL_ASSOCIATION
    assert abs(both - match) < abs(product - match) / 3


def test_association_is_zero_for_independent_decisions():
    for seed in range(3):
        impressions, chance, _ = meetings(np.random.default_rng(seed), shared=0.0)
        assert abs(fit_match_association(PairedDecisions.among(impressions, chance)).association) < 0.1


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("shared", "better"), [(1.0, True), (0.0, False)])
def test_the_association_is_taken_where_it_tells_better_who_likes_each_other(seed, shared, better):
    impressions, chance, _ = meetings(np.random.default_rng(seed), shared=shared, n=6000)
    joint = fit_match_association(PairedDecisions.among(impressions, chance))
    fresh, p, _ = meetings(np.random.default_rng(seed + 50), shared=shared, n=6000)
    replies = PairedDecisions.among(fresh, p)
    assert joint.told_better is better
    assert (replies.gain_of_both(joint.association) > 10.0) is better


def test_association_without_paired_decisions_is_the_prior():
    impressions, chance, _ = meetings(np.random.default_rng(0), shared=1.0, n=20)
    for few, none in (
        (impressions.take(np.arange(0)), chance[:0]),
        (impressions.take(np.arange(20)), chance[:20]),
    ):
        assert len(PairedDecisions.among(few, none)) == 0
        assert fit_match_association(PairedDecisions.among(few, none)) == MatchAssociation(USUAL_ASSOCIATION)
    assert (
        abs(fit_match_association(PairedDecisions.among(impressions, chance)).association - USUAL_ASSOCIATION)
        < 1.0
    )


@pytest.mark.parametrize("association", [0.0, 2.0, 3.0])
def test_the_association_of_a_log_is_found(association):
    """A logit that is linear in how surprising the other's decision was finds 1.9 for 2 and 2.55 for 3."""
    rng, n, found = np.random.default_rng(0), 3000, []
    for _ in range(4):
        p, q = (sigmoid(rng.normal(-1.0, 1.0, n)) for _ in range(2))
        both = MatchAssociation(association).both(p, q)
        one = rng.random(n) < p
        other = rng.random(n) < np.where(one, both / p, (q - both) / (1.0 - p))
        impressions = looks(np.concatenate([one, other]).astype(float), np.zeros(2 * n, bool))
        replies = PairedDecisions.among(impressions, np.concatenate([p, q]))
        found.append(fit_match_association(replies).association)
    assert np.mean(found) == pytest.approx(association, abs=0.12)


def test_replies_are_not_paired_decisions():
    impressions, chance, _ = meetings(np.random.default_rng(0), shared=2.0, n=500, is_reply=True)
    assert fit_match_association(PairedDecisions.among(impressions, chance)) == MatchAssociation(
        USUAL_ASSOCIATION
    )


@pytest.mark.parametrize("association", [-1.0, 0.0, 1e-9, 2.0])
def test_joint_outcomes_have_the_given_odds_ratio(association):
    p, q = np.meshgrid(np.linspace(0.05, 0.95, 10), np.linspace(0.05, 0.95, 10))
    both = MatchAssociation(association).both(p, q)
    neither = 1.0 - p - q + both
    odds = np.log(both * neither) - np.log((p - both) * (q - both))
    np.testing.assert_allclose(odds, association, atol=1e-9)
    np.testing.assert_allclose(both, MatchAssociation(association).both(q, p), atol=1e-12)


@pytest.mark.parametrize("association", [-1.0, 0.0, 2.0])
def test_joint_probability_lies_within_the_frechet_bounds(association):
    p, q = np.meshgrid(np.linspace(0, 1, 21), np.linspace(0, 1, 21))
    both = MatchAssociation(association).both(p, q)
    assert (both <= np.minimum(p, q) + 1e-12).all()
    assert (both >= np.maximum(p + q - 1, 0) - 1e-12).all()
