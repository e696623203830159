"""Orders that need every pair: by one direction, by the answer to a like, by the joint chance of both."""

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.constraints.exclusions_and_tokens import Exclusions
from recsys.constraints.policy import Policy
from recsys.data.events import Events
from recsys.models.behaviour_parameters import BehaviourConfig
from recsys.models.collaborative import CollaborativeModel
from recsys.ranking.recommend import DROPPED, recommend
from tests.models.test_affinity import circle_log

POLICY = Policy((Exclusions(),))


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(3)
    people, frame = circle_log(rng)
    pair = frame[[C.ACTOR, C.TARGET]].apply(lambda row: "-".join(sorted(row)), axis=1)
    first = frame.groupby(pair)[C.TYPE].transform("first")
    frame[C.TYPE] = frame[C.TYPE].where(rng.random(len(frame)) < 0.2, first)  # most agree about each other
    config = BehaviourConfig(factors=4, iterations=3, affinity=False)
    return people, CollaborativeModel(config).fit(people, Events.of(frame), rng=np.random.default_rng(1))


@pytest.mark.parametrize(
    ("by", "combiner"),
    [("p_like", "product"), ("p_answer", "product"), ("p_mutual", "joint"), ("p_mutual", None)],
)
def test_lists_hold_the_best_of_all_pairs_by_what_is_asked(fitted, by, combiner):
    people, model = fitted
    ids = people.ids.ids(np.arange(len(people)))
    viewers, gone = ids[[7, 2]], pd.DataFrame({C.VIEWER: ids[7], C.CANDIDATE: ids[:3]})
    lists = recommend(model, people, POLICY, viewers, k=6, by=by, combiner=combiner, exclude=gone)
    assert lists.attrs[DROPPED] == 0
    assert lists[C.VIEWER].drop_duplicates().tolist() == viewers.tolist()
    for viewer, own in lists.groupby(C.VIEWER):
        left_out = {viewer, *(gone[C.CANDIDATE] if viewer == ids[7] else ())}
        others = [one for one in ids if one not in left_out]
        scored = model.score_pairs(
            pd.DataFrame({C.VIEWER: viewer, C.CANDIDATE: others}), combiner=combiner
        ).sort_values([by, C.CANDIDATE], ascending=[False, True], kind="stable")
        assert own[C.CANDIDATE].tolist() == scored[C.CANDIDATE].head(6).tolist()
        np.testing.assert_allclose(own[C.P_MUTUAL], scored[C.P_MUTUAL].head(6), atol=1e-6)


def test_the_joint_chance_lies_above_the_product_where_people_agree(fitted):
    _, model = fitted
    p, q = np.array([0.3, 0.6]), np.array([0.4, 0.2])
    assert model.match_association_.association > 0
    assert (model.p_mutual(p, q, "joint") > p * q).all()
    answers, refused = model.p_answer(p, q), model.p_answer(p, q, liked=False)
    assert (answers > p).all()
    assert (refused < p).all()
    np.testing.assert_allclose(q * answers + (1 - q) * refused, p)


def test_where_people_agree_the_joint_chance_is_what_is_said_unless_asked_otherwise(fitted):
    people, model = fitted
    ids = people.ids.ids(np.arange(12))
    pairs = pd.DataFrame({C.VIEWER: ids[:-1], C.CANDIDATE: ids[1:]})
    joint, product = (model.score_pairs(pairs, combiner=how)[C.P_MUTUAL] for how in ("joint", "product"))
    assert model.usual_combiner == "joint"
    assert model.score_pairs(pairs)[C.P_MUTUAL].tolist() == joint.tolist() != product.tolist()
    assert model.explain_pair(ids[0], ids[1]).p_mutual == joint[0]
    lists = recommend(model, people, POLICY, ids[:3], k=5)
    np.testing.assert_allclose(model.score_pairs(lists)[C.P_MUTUAL], lists[C.P_MUTUAL], rtol=1e-5)
    asked = recommend(model, people, POLICY, ids[:3], k=5, combiner="product")
    assert asked[C.CANDIDATE].tolist() == lists[C.CANDIDATE].tolist()
    np.testing.assert_allclose(asked["score"], lists["score"])
    assert (asked[C.P_MUTUAL] < lists[C.P_MUTUAL]).all()


def test_answers_to_what_was_said_are_given_what_was_said(fitted):
    people, model = fitted
    a, b, c = people.ids.ids(np.array([1, 4, 9]))
    pairs = pd.DataFrame({C.VIEWER: [a, a, b], C.CANDIDATE: [b, c, c]})
    known = pd.DataFrame({C.VIEWER: [b, c], C.CANDIDATE: [a, a], "label": [1.0, 0.0]})
    scored = model.score_pairs(pairs, known=known)
    assert scored["p_answer"][0] > scored["p_like"][0]
    assert scored["p_answer"][1] < scored["p_like"][1]
    assert scored["p_answer"][2] == scored["p_like"][2]
