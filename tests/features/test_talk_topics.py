from dataclasses import replace

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.features.talk_topics import Topics
from recsys.testing.people import make_people
from tests.features.pairs import all_pairs, assert_is


def weights(people, row, role):
    table = people.long.talk_topics
    mine = table[(table[C.ROW] == row) & (table[C.ROLE] == role)]
    return dict(zip(mine[C.TOPIC], mine[C.WEIGHT], strict=True))


def plain_score(talks, listens):
    total, most = sum(talks.values()), max(1, sum(listens.values()) / 18)
    return sum(w / total * listens.get(topic, 0) / most / 3 for topic, w in talks.items()) if total else 0.0


def test_pair_scores_equal_the_definition():
    people = make_people(60, np.random.default_rng(4))
    talks, listens = ([weights(people, row, role) for row in range(60)] for role in ("talks", "listens"))
    assert_is(Topics().fit(people), people, lambda i, j: plain_score(talks[i], listens[j]))


def test_pair_scores_are_directed():
    people = make_people(60, np.random.default_rng(4))
    rows = Topics().fit_transform(people)
    i, j = all_pairs(people)
    assert not np.allclose(rows.pair_scores(i, j), rows.pair_scores(j, i))


def test_who_listens_to_everything_suits_nobody_better_than_six_topics_would():
    """Seen to fail: such a person suited everybody entirely, whatever they need to talk about."""
    people = make_people(60, np.random.default_rng(4))
    topics = sorted(people.catalogue.topics)
    table = people.long.talk_topics
    rows = [
        {C.ROW: 0, C.TOPIC: topic, C.ROLE: role, C.WEIGHT: 3}
        for topic in topics
        for role in ("listens", "talks")
    ]
    told = pd.concat([table[table[C.ROW] != 0], pd.DataFrame(rows)]).astype(table.dtypes.to_dict())
    eager = replace(people, long=replace(people.long, talk_topics=told.sort_values(C.ROW, kind="stable")))
    block = Topics().fit_transform(eager)
    others = np.arange(1, 60, dtype=np.int32)
    scores = block.pair_scores(others, np.zeros(59, np.int32))
    assert 0 < scores.max() <= 6 / len(topics) + 1e-6
