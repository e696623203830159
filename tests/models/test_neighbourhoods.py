import numpy as np
import pytest

from recsys.models import neighbourhoods
from recsys.models.impressions import Impressions
from recsys.models.neighbourhoods import CommonNeighbours, ItemRegression, leading_directions, ridge_weights
from tests.models.test_whole_matrix import decisions, two_circles

N = 60


@pytest.fixture(scope="module")
def known() -> Impressions:
    return decisions(two_circles(np.random.default_rng(4), N))


def scores(rows):
    return rows[0] @ rows[1].T


def test_common_neighbours_are_those_of_the_definition(known):
    met = np.zeros((N, N))
    met[known.viewers, known.candidates] = 1.0
    met = np.maximum(met, met.T)
    expected = met @ np.diag(1.0 / np.log(np.maximum(met.sum(axis=0), 2.0))) @ met
    model = CommonNeighbours.learned(known, N, np.random.default_rng(0))
    found = scores(model.folded(known, N, np.arange(N)))
    np.testing.assert_allclose(found / found.max(), expected / expected.max(), rtol=1e-9)
    assert found[known.viewers, known.candidates].mean() == pytest.approx(1.0)


def test_two_sides_without_triangles_have_no_common_neighbours():
    rng = np.random.default_rng(1)
    users, films = rng.integers(0, 20, 200), rng.integers(20, 60, 200)
    log = decisions(np.unique(np.column_stack([users, films]), axis=0))
    assert CommonNeighbours.learned(log, N, rng).into.shape == (N, 0)


def test_item_regression_is_the_ridge_regression_of_likes_on_other_likes(known):
    liked = known.likes(N)
    expected = liked @ ridge_weights(liked, 20.0)
    model = ItemRegression.learned(known, N, 20.0, np.random.default_rng(0))
    np.testing.assert_allclose(scores(model.folded(known, N, np.arange(N))), expected, atol=1e-12)
    weights = ridge_weights(liked, 20.0)
    assert np.abs(np.diag(weights)).max() == 0.0
    x = liked.toarray()
    others = np.arange(N) != 7
    ridge = np.linalg.solve(x[:, others].T @ x[:, others] + 20.0 * np.eye(N - 1), x[:, others].T @ x[:, 7])
    np.testing.assert_allclose(weights[others, 7], ridge, atol=1e-10)


def test_above_the_exact_size_the_leading_directions_come_close(known, monkeypatch):
    exact = ItemRegression.learned(known, N, 20.0, np.random.default_rng(0))
    near = CommonNeighbours.learned(known, N, np.random.default_rng(0))
    for name, value in (("EXACT", 10), ("_COLUMNS", 40), ("_OF_NEIGHBOURS", 40)):
        monkeypatch.setattr(neighbourhoods, name, value)
    everybody = np.arange(N)
    for one, narrow in (
        (exact, ItemRegression.learned(known, N, 20.0, np.random.default_rng(0))),
        (near, CommonNeighbours.learned(known, N, np.random.default_rng(0))),
    ):
        rows = narrow.folded(known, N, everybody)
        assert rows[0].shape[1] == 40
        a, b = scores(one.folded(known, N, everybody)), scores(rows)
        assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.97


def test_no_chance_is_in_a_large_part_of_the_directions(monkeypatch):
    """Seen to fail: random projections came close to them, and took four times as long."""
    rng = np.random.default_rng(7)
    for name, value in (("EXACT", 10), ("_COLUMNS", 40)):
        monkeypatch.setattr(neighbourhoods, name, value)
    log, everybody = decisions(np.argwhere(rng.random((N, N)) < 0.1)), np.arange(N)
    for regularization in (5.0, 100.0):
        models = [
            ItemRegression.learned(log, N, regularization, np.random.default_rng(seed)) for seed in (0, 1)
        ]
        assert models[0].into.shape == (N, 40)
        one, other = (scores(model.folded(log, N, everybody)) for model in models)
        np.testing.assert_allclose(one, other, atol=1e-9)


def test_narrow_weights_keep_the_scores_of_who_liked_few(monkeypatch):
    """Seen to fail: directions were those of the few who like everything."""
    rng = np.random.default_rng(5)
    item, n_items = np.arange(60), 60
    few = [(user, 300 + user % 30 * 2 + odd) for user in range(240) for odd in (0, 1)]
    many = [(240 + user, 300 + one) for user in range(60) for one in item[rng.random(n_items) < 0.7]]
    log, everybody = decisions(few + many), np.arange(360)
    exact = scores(ItemRegression.learned(log, 360, 20.0, rng).folded(log, 360, everybody))[:240]
    for name, value in (("EXACT", 20), ("_COLUMNS", 30)):
        monkeypatch.setattr(neighbourhoods, name, value)
    narrow = ItemRegression.learned(log, 360, 20.0, np.random.default_rng(0)).folded(log, 360, everybody)
    assert narrow[0].shape[1] == 30
    lost = np.linalg.norm(scores(narrow)[:240] - exact) / np.linalg.norm(exact)
    assert lost < 0.2


def test_the_fewer_people_the_more_columns_are_kept(monkeypatch):
    rng = np.random.default_rng(6)
    for name, value in (("EXACT", 40), ("_COLUMNS", 8)):
        monkeypatch.setattr(neighbourhoods, name, value)
    widths = []
    for users in (40, 100, 400):
        pairs = np.argwhere(rng.random((users, 60)) < 0.3) + np.array([0, users])
        one = ItemRegression.learned(decisions(pairs), users + 60, 20.0, rng)
        widths.append(one.into.shape[1])
    assert widths == [16, 10, 8]


def test_leading_directions_are_those_of_the_singular_value_decomposition():
    from scipy.sparse import csr_array

    rng = np.random.default_rng(3)
    whole = rng.normal(size=(50, 4)) @ np.diag([9.0, 5.0, 3.0, 2.0]) @ rng.normal(size=(4, 40))
    found = leading_directions(csr_array(whole), 4, rng)
    np.testing.assert_allclose(whole @ found @ found.T, whole, atol=1e-8)


def test_a_newcomer_is_folded_in_and_leaves_the_others_where_they_were(known):
    pairs = [*zip(known.viewers.tolist(), known.candidates.tolist(), strict=True), (N, 3), (N, 7)]
    base = np.append(np.arange(N), -1)
    for model in (
        ItemRegression.learned(known, N, 20.0, np.random.default_rng(0)),
        CommonNeighbours.learned(known, N, np.random.default_rng(0)),
    ):
        before = model.folded(known, N, np.arange(N))
        after = model.folded(decisions(pairs), N + 1, base)
        np.testing.assert_allclose(after[0][:N], before[0])
        own = scores((after[0][N:], after[1]))[0]
        assert own[1:N:2].mean() > 2 * own[:N:2].mean()
