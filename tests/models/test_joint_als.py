import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.models.behaviour_parameters import BehaviourConfig
from recsys.models.joint_als import JointALS, matches
from recsys.testing.model_contract import ModelContract
from recsys.testing.people import AS_OF
from tests.models.test_whole_matrix import decisions


class TestJointALS(ModelContract):
    def model(self):
        return JointALS(BehaviourConfig(factors=6, iterations=5))


def test_it_is_known_of_a_pair_whether_both_said_yes_where_both_or_one_no_was_said():
    pairs, said = [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (3, 0), (3, 1)], [1, 1, 1, 0, 0, 1, 0]
    found = matches(decisions(pairs, said))
    known = zip(found.viewers, found.candidates, found.labels, strict=True)
    assert [(int(i), int(j), float(y)) for i, j, y in known] == [
        (0, 1, 1.0),
        (0, 2, 0.0),
        (1, 0, 1.0),
        (1, 2, 0.0),
        (2, 0, 0.0),
        (3, 1, 0.0),
    ]


def test_pairs_who_would_match_are_told_from_those_who_would_not():
    """Halves like their own; between them one side says yes and the other no, which is no match."""
    rng = np.random.default_rng(1)
    i, j = np.divmod(np.arange(60 * 60), 60)
    met = (i < j) & (rng.random(len(i)) < 0.4)
    i, j = i[met], j[met]
    back = rng.random(len(i)) < np.where(i % 2 == j % 2, 0.9, 0.1)
    ids = np.array([f"p{number:02}" for number in range(60)], dtype=object)
    frame = pd.DataFrame({C.ACTOR: ids[np.append(i, j)], C.TARGET: ids[np.append(j, i)]})
    frame[C.TYPE] = np.where(np.append(np.ones(len(i), bool), back), "like", "pass")
    people = Population.of_ids(ids, as_of=AS_OF)
    model = JointALS(factors=4).fit(people, Events.of(frame), rng=1)
    a, b = np.divmod(np.arange(60 * 60), 60)
    both = model.fitted.probabilities(a, b) * model.fitted.probabilities(b, a)
    same = a % 2 == b % 2
    assert both[same & (a != b)].mean() > 1.5 * both[~same].mean()


def test_p_like_is_the_chance_of_a_like_whether_or_not_anybody_answers():
    """Two likes in three get no answer, so that few matches are known; likes are as frequent as said."""
    rng = np.random.default_rng(2)
    i, j = np.divmod(np.arange(60 * 60), 60)
    met = (i != j) & (rng.random(len(i)) < np.where(i < j, 0.6, 0.2))
    ids = np.array([f"p{number:02}" for number in range(60)], dtype=object)
    frame = pd.DataFrame({C.ACTOR: ids[i[met]], C.TARGET: ids[j[met]]})
    frame[C.TYPE] = np.where(rng.random(int(met.sum())) < 0.7, "like", "pass")
    people = Population.of_ids(ids, as_of=AS_OF)
    model = JointALS(factors=4).fit(people, Events.of(frame), rng=1)
    assert model.fitted.probabilities(i[met], j[met]).mean() == pytest.approx(0.7, abs=0.04)
