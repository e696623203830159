import numpy as np
import pytest

from recsys.models.joint import Joint, fit_joint


def pairs(rng, shared, n=40_000):
    """Return P(yes) of both sides, and matches of people who share an unseen liking."""
    a, b, unseen = rng.normal(-0.5, 1.0, n), rng.normal(-0.5, 1.0, n), shared * rng.normal(size=n)
    yes = [rng.random(n) < 1.0 / (1.0 + np.exp(-(x + unseen))) for x in (a, b)]
    return [1.0 / (1.0 + np.exp(-x)) for x in (a, b)], (yes[0] & yes[1]).astype(float)


def test_it_is_found_where_people_agree_beyond_chance():
    (p, q), match = pairs(np.random.default_rng(0), shared=1.0)
    joint = fit_joint(p, q, match, np.ones(len(p)))
    assert joint.correlation > 0.05
    assert abs(joint.both(p, q).mean() - match.mean()) < abs((p * q).mean() - match.mean()) / 4


def test_it_stays_out_where_there_is_nothing_to_correct():
    """Without a shared liking the correction is none, or too small to see."""
    for seed in range(4):
        (p, q), match = pairs(np.random.default_rng(seed), shared=0.0)
        assert abs(fit_joint(p, q, match, np.ones(len(p))).correlation) < 0.05


def test_few_pairs_correct_nothing():
    one = np.array([0.5])
    assert fit_joint(one, one, np.ones(1), np.ones(1)) == Joint()


@pytest.mark.parametrize("correlation", [-0.2, 0.0, 0.5])
def test_it_is_a_probability_that_two_such_events_allow(correlation):
    p, q = np.meshgrid(np.linspace(0, 1, 21), np.linspace(0, 1, 21))
    both = Joint(correlation).both(p, q)
    assert (both <= np.minimum(p, q) + 1e-12).all()
    assert (both >= np.maximum(p + q - 1, 0) - 1e-12).all()
    np.testing.assert_allclose(both, Joint(correlation).both(q, p), atol=1e-12)
