import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.models import BPR, EASE, BPRConfig, CrossedEffects, EASEConfig, ItemKNN, ItemKNNConfig
from recsys.testing.model_contract import ModelContract
from recsys.testing.people import AS_OF


class TestEASE(ModelContract):
    def model(self):
        return EASE(EASEConfig(factors=6, regularization=5.0))


class TestEASEExact(ModelContract):
    def model(self):
        return EASE(EASEConfig(factors=None))


class TestItemKNN(ModelContract):
    def model(self):
        return ItemKNN(ItemKNNConfig(factors=6, neighbours=5))


class TestBPR(ModelContract):
    def model(self):
        return BPR(BPRConfig(factors=4, iterations=10))


class TestCrossedEffects(ModelContract):
    def model(self):
        return CrossedEffects()


def users_and_films(n_users=40, n_films=25, seed=0, kind="like"):
    rng = np.random.default_rng(seed)
    matrix = rng.random((n_users, n_films)) < rng.uniform(0.05, 0.6, n_films)
    matrix[0, 0] = matrix[1, 0] = True
    who, what = np.nonzero(matrix)
    frame = pd.DataFrame(
        {
            C.ACTOR: [f"user{k:03}" for k in who],
            C.TARGET: [f"film{k:03}" for k in what],
            C.TYPE: kind,
        }
    )
    ids = [f"user{k:03}" for k in range(n_users)] + [f"film{k:03}" for k in range(n_films)]
    people = Population.of_ids(ids, as_of=AS_OF)
    rows = [
        np.array([people.ids.row(f"{side}{k:03}") for k in range(n)])
        for side, n in (("user", n_users), ("film", n_films))
    ]
    return matrix.astype(float), people, Events.of(frame), rows


def scores(model, rows):
    return model.taste_[rows[0]] @ model.appeal_[rows[1]].T


def test_ease_solves_each_candidates_regression_on_all_others():
    """The weights of a film minimise the squared error of its likes with a ridge, itself left out."""
    liked, people, events, rows = users_and_films()
    model = EASE(EASEConfig(factors=None, regularization=7.0)).fit(
        people, events, rng=np.random.default_rng(0)
    )
    expected = np.empty_like(liked)
    for film in range(liked.shape[1]):
        others = np.delete(liked, film, axis=1)
        left = others.T @ others + 7.0 * np.eye(others.shape[1])
        expected[:, film] = others @ np.linalg.solve(left, others.T @ liked[:, film])
    np.testing.assert_allclose(scores(model, rows), expected, atol=1e-9)


@pytest.mark.parametrize("width", [3, 10, 24])
def test_truncated_ease_is_the_best_approximation_of_the_exact_scores(width):
    _, people, events, rows = users_and_films()
    exact, narrow = (
        scores(EASE(EASEConfig(factors=k)).fit(people, events, rng=np.random.default_rng(0)), rows)
        for k in (None, width)
    )
    lost = np.linalg.svd(exact, compute_uv=False)[width:]
    assert np.linalg.norm(exact - narrow) == pytest.approx(np.linalg.norm(lost), abs=1e-6)


def test_a_candidate_beyond_the_most_liked_scores_nothing():
    liked, people, events, rows = users_and_films()
    model = EASE(EASEConfig(factors=None, most_items=10)).fit(people, events, rng=np.random.default_rng(0))
    kept = np.argsort(-liked.sum(axis=0), kind="stable")[:10]
    other = np.setdiff1d(np.arange(liked.shape[1]), kept)
    assert np.abs(scores(model, rows)[:, other]).max() == 0.0
    assert np.abs(scores(model, rows)[:, kept]).max() > 0.0


def test_item_knn_adds_shrunk_cosines_of_the_nearest():
    liked, people, events, rows = users_and_films()
    config = ItemKNNConfig(factors=None, neighbours=4, shrinkage=3.0)
    model = ItemKNN(config).fit(people, events, rng=np.random.default_rng(0))
    n = liked.shape[1]
    expected = np.zeros_like(liked)
    for film in range(n):
        near = np.zeros(n)
        for other in range(n):
            both = float((liked[:, film] * liked[:, other]).sum())
            if other != film and both:
                cosine = both / np.sqrt(liked[:, film].sum() * liked[:, other].sum())
                near[other] = cosine * both / (both + 3.0)
        near[near < np.sort(near)[-4]] = 0.0
        expected[:, film] = liked @ near
    np.testing.assert_allclose(scores(model, rows), expected, atol=1e-9)


@pytest.mark.parametrize("kind", [EASE, ItemKNN, BPR])
def test_passes_are_not_read(kind):
    """Among likes, passes change the calibration and no score."""
    _, people, events, rows = users_and_films()
    frame = events.frame[[C.ACTOR, C.TARGET, C.TYPE]]
    passes = pd.DataFrame(
        {C.ACTOR: ["user002"] * 3, C.TARGET: ["user003", "user004", "user005"], C.TYPE: "pass"}
    )
    both = Events.of(pd.concat([frame, passes], ignore_index=True))
    alone, with_passes = (kind().fit(people, one, rng=np.random.default_rng(3)) for one in (events, both))
    if kind is BPR:
        assert set(np.flatnonzero(alone.taste_.any(axis=1))) == set(
            np.flatnonzero(with_passes.taste_.any(axis=1))
        )
    else:
        np.testing.assert_allclose(scores(alone, rows), scores(with_passes, rows), atol=1e-8)


def test_bpr_ranks_likes_above_what_was_not_liked():
    rng = np.random.default_rng(1)
    half = np.repeat([0, 1], 20)
    frame = [
        (f"user{u:03}", f"film{f:03}", "like")
        for u in range(40)
        for f in range(30)
        if half[u] == f % 2 and rng.random() < 0.6
    ]
    events = Events.of(pd.DataFrame(frame, columns=[C.ACTOR, C.TARGET, C.TYPE]))
    ids = [f"user{k:03}" for k in range(40)] + [f"film{k:03}" for k in range(30)]
    people = Population.of_ids(ids, as_of=AS_OF)
    model = BPR(BPRConfig(factors=8)).fit(people, events, rng=np.random.default_rng(0))
    rows = [np.array([people.ids.row(i) for i in ids if i.startswith(side)]) for side in ("user", "film")]
    score = scores(model, rows)
    own = half[:, None] == np.arange(30)[None, :] % 2
    assert score[own].mean() > score[~own].mean() + 1.0


def test_crossed_effects_are_the_same_order_for_everybody():
    rng = np.random.default_rng(4)
    ids = np.array([f"p{k:02}" for k in range(40)])
    i, j = rng.integers(0, 40, (2, 3000))
    generous, popular = rng.normal(0, 1, (2, 40))
    liked = rng.random(3000) < 1 / (1 + np.exp(-generous[i] - popular[j]))
    frame = pd.DataFrame({C.ACTOR: ids[i], C.TARGET: ids[j], C.TYPE: np.where(liked, "like", "pass")})
    people = Population.of_ids(ids, as_of=AS_OF)
    model = CrossedEffects().fit(people, Events.of(frame[i != j]), rng=rng)
    assert np.corrcoef(model.taste_[:, 0], generous)[0, 1] > 0.8
    assert np.corrcoef(model.appeal_[:, 1], popular)[0, 1] > 0.8
    a, b = np.divmod(np.arange(1600), 40)
    table = model.fitted.logits(a, b).reshape(40, 40)
    assert np.ptp(table - table[:, :1] - table[:1] + table[0, 0]) < 1e-4


@pytest.mark.parametrize("kind", [EASE, ItemKNN])
def test_a_viewer_without_a_like_gets_whom_most_like(kind):
    """Seen to fail: all scores are 0, so lists were in the order of ids."""
    rng = np.random.default_rng(2)
    names = [f"u{number:02}" for number in range(40)]
    target = rng.choice(40, 400, p=rng.dirichlet(np.ones(40)))
    actor = rng.integers(0, 35, 400)
    rows = pd.DataFrame({C.ACTOR: actor, C.TARGET: target, C.TYPE: "like"})[actor != target].drop_duplicates()
    events = rows.assign(**{own: rows[own].map(names.__getitem__) for own in (C.ACTOR, C.TARGET)})
    model = kind().fit(Population.of_ids(names, as_of=AS_OF), Events.of(events), rng=1)
    order = model.ranking()
    scores = order.logits(np.full(40, order.ids.rows(np.array(["u39"], dtype=object))[0]), np.arange(40))
    likes = events[C.TARGET].value_counts().reindex(order.ids.values, fill_value=0).to_numpy()
    assert (np.diff(scores[np.argsort(likes, kind="stable")]) >= -1e-6).all()
    assert scores[likes.argmax()] > scores[likes.argmin()]
