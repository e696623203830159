"""Factors from a yes and a no alike, in data of one side as of two."""

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.evaluation import auc
from recsys.models.als import explicit_als
from recsys.models.behaviour_parameters import BehaviourConfig
from recsys.models.collaborative import CollaborativeModel
from recsys.models.hybrid import HybridModel
from recsys.models.impressions import Impressions

AS_OF = "2026-01-05"


def two_tastes(n=80, films=40, seed=0):
    """Users of two tastes say yes to films of their own and no to others, nearly always."""
    rng = np.random.default_rng(seed)
    user, film = np.repeat(np.arange(n), 12), rng.integers(0, films, n * 12)
    likes = (user % 2 == film % 2) ^ (rng.random(len(user)) < 0.1)
    frame = pd.DataFrame({"user": user, "film": film, "likes": likes}).drop_duplicates(["user", "film"])
    return pd.DataFrame(
        {
            C.ACTOR: [f"user:{one}" for one in frame["user"]],
            C.TARGET: [f"film:{one}" for one in frame["film"]],
            C.TYPE: np.where(frame["likes"], "like", "pass"),
        }
    )


def judged(config):
    frame = two_tastes()
    people = Population.of_ids(pd.concat([frame[C.ACTOR], frame[C.TARGET]]), as_of=AS_OF)
    held = np.arange(len(frame)) % 5 == 0
    model = CollaborativeModel(config).fit(people, Events.of(frame[~held]), rng=np.random.default_rng(1))
    pairs = frame.loc[held, [C.ACTOR, C.TARGET]].set_axis([C.VIEWER, C.CANDIDATE], axis=1)
    return auc(frame.loc[held, C.TYPE] == "like", model.score_pairs(pairs)[C.P_LIKE])


def test_ratings_of_films_by_users_are_ranked_on_held_out_pairs():
    assert judged(BehaviourConfig()) > 0.85


def test_explicit_factors_raise_the_auc_over_implicit_ones_alone():
    assert judged(BehaviourConfig(explicit_factors=0)) < judged(BehaviourConfig())


def test_explicit_als_of_swapped_labels_gives_opposite_scores():
    frame = two_tastes()
    people = Population.of_ids(pd.concat([frame[C.ACTOR], frame[C.TARGET]]), as_of=AS_OF)
    impressions = Impressions.from_events(people, Events.of(frame))
    turned = Impressions.from_events(
        people, Events.of(frame.assign(**{C.TYPE: frame[C.TYPE].map({"like": "pass", "pass": "like"})}))
    )
    settings = {"n_factors": 4, "regularization": 3.0, "iterations": 5}
    taste, appeal = explicit_als(impressions, len(people), **settings, rng=np.random.default_rng(2))
    other, same = explicit_als(turned, len(people), **settings, rng=np.random.default_rng(2))
    rows = np.arange(len(people))
    score = np.einsum("if,jf->ij", taste[rows][:, :4], appeal[rows][:, :4])
    opposite = np.einsum("if,jf->ij", other[rows][:, :4], same[rows][:, :4])
    assert np.corrcoef(score.ravel(), opposite.ravel())[0, 1] < -0.99


def test_a_hybrid_without_profiles_equals_the_collaborative_model():
    frame = two_tastes(30, 20)
    people = Population.of_ids(pd.concat([frame[C.ACTOR], frame[C.TARGET]]), as_of=AS_OF)
    events = Events.of(frame)
    hybrid, plain = (
        kind().fit(people, events, rng=np.random.default_rng(3)) for kind in (HybridModel, CollaborativeModel)
    )
    assert hybrid.content_ is None
    np.testing.assert_array_equal(hybrid.fitted.taste, plain.fitted.taste)


@pytest.mark.parametrize("kind", [HybridModel, CollaborativeModel])
def test_a_hybrid_without_content_is_loaded_unchanged(kind, tmp_path):
    frame = two_tastes(30, 20)
    people = Population.of_ids(pd.concat([frame[C.ACTOR], frame[C.TARGET]]), as_of=AS_OF)
    model = kind().fit(people, Events.of(frame), rng=np.random.default_rng(3))
    again = kind.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.directed(people).taste, model.directed(people).taste)
