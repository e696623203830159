import numpy as np

from recsys.catalogue.columns import Columns as C
from recsys.features.talk_topics import Topics
from recsys.testing.people import make_people
from tests.features.pairs import all_pairs, assert_is


def weights(people, row, role):
    table = people.long.talk_topics
    mine = table[(table[C.ROW] == row) & (table[C.ROLE] == role)]
    return dict(zip(mine[C.TOPIC], mine[C.WEIGHT], strict=True))


def plain_score(people, i, j):
    talks, listens = weights(people, i, "talks"), weights(people, j, "listens")
    total = sum(talks.values())
    return sum(w / total * listens.get(topic, 0) / 3 for topic, w in talks.items()) if total else 0.0


def test_pair_scores_equal_the_definition():
    people = make_people(60, np.random.default_rng(4))
    assert_is(Topics().fit(people), people, lambda i, j: plain_score(people, i, j))


def test_pair_scores_are_directed():
    people = make_people(60, np.random.default_rng(4))
    rows = Topics().fit_transform(people)
    i, j = all_pairs(people)
    assert not np.allclose(rows.pair_scores(i, j), rows.pair_scores(j, i))
