import numpy as np
import pytest

from recsys.models import whole_matrix
from recsys.models.impressions import Impressions
from recsys.models.whole_matrix import (
    WholeMatrix,
    WholeMatrixSettings,
    choose_settings,
    held_out_gain,
    visits,
)


def decisions(pairs, labels=None, weights=None):
    """Return impressions of directed pairs, all answered."""
    pairs = np.asarray(pairs)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    n, given = len(pairs), np.ones(len(pairs)) if labels is None else np.asarray(labels, float)
    return Impressions(
        viewers=pairs[order, 0].astype(np.int32),
        candidates=pairs[order, 1].astype(np.int32),
        labels=given[order],
        looks=np.ones(n),
        exposures=np.zeros(n),
        unexamined_odds=np.zeros(n),
        weights=np.ones(n) if weights is None else np.asarray(weights, float)[order],
        answered=np.ones(n, bool),
        is_reply=np.zeros(n, bool),
        age=np.zeros(n),
        first_age=np.zeros(n),
    )


def two_circles(rng, n=80, share=0.3):
    """Everybody likes people of their own half; a tenth of the likes go anywhere."""
    i, j = np.divmod(np.arange(n * n), n)
    wanted = rng.random(n * n) < np.where(i % 2 == j % 2, share, share / 10)
    kept = wanted & (i != j)
    return np.column_stack([i[kept], j[kept]])


def some_factors(n=12, k=3, **settings):
    rng = np.random.default_rng(0)
    chosen = WholeMatrixSettings(k, **settings)
    return WholeMatrix(chosen, *rng.normal(size=(2, n, k)))


def test_a_folded_in_row_minimises_the_weighted_squared_error_of_the_whole_matrix():
    """Every unseen pair is a 0 of confidence 1, a like a 1 and a pass a 0 of their own confidence."""
    pairs = np.array([(0, 3), (0, 5), (0, 7), (2, 3), (4, 0), (4, 3)])
    labels, weights = np.array([1, 0, 1, 1, 0, 1.0]), np.array([0.5, 1.0, 2.0, 1.0, 1.0, 0.5])
    model = some_factors(regularization=2.0, alpha=3.0)
    taste, appeal = model.folded(decisions(pairs, labels, weights), 12, np.arange(12))
    trust = 3.0 * weights / weights.mean()
    for rows, others, own, other in ((taste, model.appeal, 0, 1), (appeal, model.taste, 1, 0)):
        for person in range(12):
            confidence, target = np.ones(12), np.zeros(12)
            for pair, label, more in zip(pairs, labels, trust, strict=True):
                if pair[own] == person:
                    confidence[pair[other]], target[pair[other]] = 1.0 + more, label
            left = (others * confidence[:, None]).T @ others + 2.0 * np.eye(3)
            expected = np.linalg.solve(left, (others * confidence[:, None]).T @ target)
            np.testing.assert_allclose(rows[person], expected, atol=1e-9)


def test_a_pass_brings_a_score_closer_to_0_and_a_like_closer_to_1():
    model = some_factors(n=20, k=4)
    known = [(0, 3), (0, 5), (0, 9)]
    before = model.folded(decisions(known), 20, np.arange(20))[0][0] @ model.appeal[7]
    for label in (0, 1):
        rows = model.folded(decisions([*known, (0, 7)], [1, 1, 1, label]), 20, np.arange(20))
        after = rows[0][0] @ model.appeal[7]
        assert abs(after - label) < abs(before - label)


def test_nobody_without_a_decision_has_a_row():
    taste, appeal = some_factors().folded(decisions([(1, 2)]), 12, np.arange(12))
    assert set(np.flatnonzero(taste.any(axis=1))) == {1}
    assert set(np.flatnonzero(appeal.any(axis=1))) == {2}


def test_a_newcomer_is_folded_in_and_leaves_the_others_where_they_were():
    model, known = some_factors(), [(0, 3), (2, 5), (4, 3)]
    before = model.folded(decisions(known), 12, np.arange(12))
    after = model.folded(decisions([*known, (12, 3), (12, 5)]), 13, np.append(np.arange(12), -1))
    for old, new in zip(before, after, strict=True):
        np.testing.assert_allclose(new[:12], old)
    assert np.abs(after[0][12]).max() > 0.01


def test_visits_take_a_pass_as_a_visit():
    assert visits(decisions([(0, 1), (0, 2)], [0, 1])).labels.tolist() == [1.0, 1.0]


def test_gain_is_the_ndcg_among_unseen_candidates():
    taste, appeal = np.array([[1.0], [0.0]]), np.array([[0.0], [0.0], [4.0], [3.0], [2.0], [1.0]])
    factors = np.vstack([taste, np.zeros((4, 1))]), appeal
    # of the candidates 2, 3, 4, 5 the first is known, so 3, 4 and 5 have the places 1, 2 and 3
    known, held = decisions([(0, 2), (1, 3)]), decisions([(0, 4), (0, 5)])
    gain = (1 / np.log2(3) + 1 / np.log2(4)) / (1 + 1 / np.log2(3))
    assert held_out_gain(*factors, known, held) == pytest.approx(gain)
    # equal scores share the worse place
    all_last = (1 / np.log2(4) + 1 / np.log2(4)) / (1 + 1 / np.log2(3))
    assert held_out_gain(0.0 * factors[0], factors[1], known, held) == pytest.approx(all_last)


def test_chosen_settings_rank_held_out_likes_at_least_as_well_as_the_usual_ones():
    rng = np.random.default_rng(2)
    pairs = two_circles(rng)
    held = rng.random(len(pairs)) < 0.2
    known, unseen = decisions(pairs[~held]), decisions(pairs[held])
    settings, (factors,) = choose_settings([(known, unseen)], 80, seed=3)
    usual = WholeMatrix.learned(known, 80, WholeMatrixSettings(), 3, 8)
    chosen, before = (held_out_gain(one.taste, one.appeal, known, unseen) for one in (factors, usual))
    assert chosen >= before
    assert factors.settings == settings
    same, other = (factors.taste @ factors.appeal.T)[::2, ::2], (factors.taste @ factors.appeal.T)[::2, 1::2]
    assert same.mean() > 2 * other.mean()


def test_of_a_large_log_settings_are_tried_on_some_viewers_and_factors_learned_from_all(monkeypatch):
    rng = np.random.default_rng(2)
    pairs = two_circles(rng)
    held = rng.random(len(pairs)) < 0.2
    known, unseen = decisions(pairs[~held]), decisions(pairs[held])
    monkeypatch.setattr(whole_matrix, "_MOST_TRIED", len(known) // 2)
    learned, tried = WholeMatrix.learned, []

    def recorded(some, *arguments):
        tried.append(some)
        return learned(some, *arguments)

    monkeypatch.setattr(WholeMatrix, "learned", recorded)
    settings, (factors,) = choose_settings([(known, unseen)], 80, seed=3)
    *some, last = tried
    assert last is known
    np.testing.assert_array_equal(
        factors.taste, learned(known, 80, settings, 3, whole_matrix.CHOOSING_ITERATIONS).taste
    )
    given = np.bincount(known.viewers, minlength=80)
    for one in some:
        assert len(known) // 4 < len(one) <= len(known) // 2
        own = np.bincount(one.viewers, minlength=80)
        assert set(own - given) > {0}  # some viewers are left out
        np.testing.assert_array_equal(own[own > 0], given[own > 0])  # none of the others loses a decision
    assert choose_settings([(known, unseen)], 80, seed=3)[0] == settings
