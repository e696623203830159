import numpy as np
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.times import utc_hours
from recsys.features.boundaries import Boundaries
from recsys.testing.people import make_people
from tests.features.pairs import assert_is
from tests.features.test_talk_topics import weights

MOST_HOURS = 7 * 19


def closeness(people, column, i, j):
    words = ENUMERATIONS[column].words
    a, b = people.word(column, i), people.word(column, j)
    if a is None or b is None:
        return 0.0
    return 1.0 - 2.0 * abs(words.index(a) - words.index(b)) / (len(words) - 1)


def hours(people, row):
    windows, zone = people.words(C.CONTACT_WINDOWS, row), people.zones[row]
    return utc_hours(windows, zone, people.as_of) if windows is not None and zone is not None else frozenset()


def avoided(people, i, j):
    talks = weights(people, j, "talks")
    avoids = people.words(C.TOPICS_AVOID, i) or frozenset()
    total = sum(talks.values())
    return sum(w for topic, w in talks.items() if topic in avoids) / total if total else 0.0


def plain_score(people, i, j):
    parts = [
        closeness(people, C.CONTACT_FREQUENCY, i, j),
        closeness(people, C.DISCLOSURE, i, j),
        len(hours(people, i) & hours(people, j)) / MOST_HOURS,
        -avoided(people, i, j),
    ]
    return sum(parts) / 4


def test_pair_scores_equal_the_definition_in_one_time_zone():
    people = make_people(40, np.random.default_rng(5), tz="Asia/Tokyo")
    assert_is(Boundaries().fit(people), people, lambda i, j: plain_score(people, i, j))


def test_pair_scores_equal_the_definition_in_many_time_zones_at_full_rank():
    people = make_people(40, np.random.default_rng(5))
    assert_is(Boundaries(hour_rank=168).fit(people), people, lambda i, j: plain_score(people, i, j))


def test_common_hours_across_time_zones_are_approximated_at_low_rank():
    people = make_people(200, np.random.default_rng(5))
    i, j = np.divmod(np.arange(40_000), 200)
    exact = Boundaries(hour_rank=168).fit_transform(people).pair_scores(i, j)
    near = Boundaries().fit_transform(people).pair_scores(i, j)
    assert np.corrcoef(exact, near)[0, 1] > 0.99


def test_an_avoided_topic_lowers_the_score_in_one_direction():
    people = make_people(2, np.random.default_rng(1), topics_avoid=[["work_worries"], None], unknown=0.0)
    table = people.long.talk_topics.iloc[:1].assign(
        row=np.int32(1), topic="work_worries", role="talks", weight=3
    )
    object.__setattr__(people.long, "talk_topics", table)
    rows = Boundaries().fit_transform(people)
    there, back = rows.pair_scores([0, 1], [1, 0])
    assert there - back == pytest.approx(-0.25)
