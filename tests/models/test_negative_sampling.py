"""Where nobody ever said no, passes are drawn, so that likes say something."""

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.evaluation import auc
from recsys.models.behaviour_parameters import BehaviourConfig
from recsys.models.collaborative import CollaborativeModel
from recsys.models.impressions import Impressions
from recsys.models.negative_sampling import only_likes, with_sampled_negatives

AS_OF = "2026-01-05"


def likes_of_two_tastes(n=60, films=40, each=8, seed=0):
    """Users like films of their own half, and one of the other half."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        own, other = 2 * rng.permutation(films // 2) + i % 2, 2 * rng.permutation(films // 2) + 1 - i % 2
        rows += [(f"u{i}", f"f{j}") for j in [*own[:each], other[0]]]
    return pd.DataFrame(rows, columns=[C.ACTOR, C.TARGET]).assign(**{C.TYPE: "like"})


def people_of(frame):
    return Population.of_ids(pd.concat([frame[C.ACTOR], frame[C.TARGET]]), as_of=AS_OF)


def test_sampled_negatives_are_new_pairs_and_at_most_as_many_as_requested():
    frame = likes_of_two_tastes()
    impressions = Impressions.from_events(people_of(frame), Events.of(frame))
    assert only_likes(impressions)
    more = with_sampled_negatives(impressions, 2, np.random.default_rng(0))
    pairs = list(zip(more.viewers.tolist(), more.candidates.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert pairs == sorted(pairs)
    assert more.labels.sum() == len(impressions)
    assert len(impressions) < (more.labels == 0).sum() <= 2 * len(impressions)
    assert with_sampled_negatives(impressions, 0, np.random.default_rng(0)) is impressions


def test_sampled_negatives_join_viewers_with_the_side_they_like():
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 20, 150), rng.integers(0, 20, 150)
    men = pd.DataFrame({C.ACTOR: [f"m{i}" for i in a], C.TARGET: [f"w{i}" for i in b]})
    women = pd.DataFrame({C.ACTOR: [f"w{i}" for i in b[::-1]], C.TARGET: [f"m{i}" for i in a]})
    frame = pd.concat([men, women]).assign(**{C.TYPE: "like"})
    people = people_of(frame)
    more = with_sampled_negatives(
        Impressions.from_events(people, Events.of(frame)), 4, np.random.default_rng(0)
    )
    kinds = [
        np.array([str(one)[0] for one in people.ids.ids(rows)]) for rows in (more.viewers, more.candidates)
    ]
    assert (kinds[0] != kinds[1]).all()


def test_a_model_fitted_on_likes_alone_ranks_better_with_sampled_negatives():
    frame = likes_of_two_tastes()
    held = np.arange(len(frame)) % 4 == 0
    people, seen = people_of(frame), set(map(tuple, frame[[C.ACTOR, C.TARGET]].to_numpy()))
    pairs = pd.DataFrame(
        [(f"u{i}", f"f{j}") for i in range(60) for j in range(40)], columns=[C.VIEWER, C.CANDIDATE]
    )
    new = pairs[[tuple(pair) not in seen for pair in pairs.to_numpy()]]
    liked = frame.loc[held, [C.ACTOR, C.TARGET]].set_axis([C.VIEWER, C.CANDIDATE], axis=1)
    judged = pd.concat([liked, new], ignore_index=True)

    def reached(config):
        model = CollaborativeModel(config).fit(people, Events.of(frame[~held]), rng=np.random.default_rng(2))
        scored = model.score_pairs(judged)
        return auc(np.arange(len(judged)) < len(liked), scored[C.P_LIKE]), scored[C.P_LIKE].mean()

    with_draws, without = reached(BehaviourConfig()), reached(BehaviourConfig(negatives_per_like=0.0))
    assert with_draws[0] > max(0.65, without[0] + 0.05)
    assert with_draws[1] < 0.7 < without[1]


def test_updated_after_load_with_the_same_events_gives_the_same_model(tmp_path):
    frame = likes_of_two_tastes()
    people, events = people_of(frame), Events.of(frame)
    model = CollaborativeModel().fit(people, events, rng=np.random.default_rng(3))
    again = CollaborativeModel.load(model.save(tmp_path / "model")).updated(people, events)
    np.testing.assert_array_equal(again.fitted.taste, model.fitted.taste)
