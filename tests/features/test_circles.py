import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.data.ids import hashed_strings
from recsys.features.circles import Circles
from recsys.testing.people import make_people
from tests.features.pairs import all_pairs, assert_is


def circles_of(people, row):
    table = people.long.communities
    return sorted(set(table[table[C.ROW] == row][C.COMMUNITY]))


def likeness(fitted, a, b):
    """Inner product of two circles' sign vectors: the share of hash bits that agree, from -1 to 1."""
    first, second = (int(h) for h in hashed_strings([a, b], salt="circle"))
    differ = bin((first ^ second) & ((1 << fitted.width) - 1)).count("1")
    return 1.0 - 2.0 * differ / fitted.width


def weight(fitted, people, circle):
    n_people = len(people)
    members = sum(circle in circles_of(people, row) for row in range(n_people))
    return np.log((n_people + 1) / (members + 1)) / np.log(n_people + 1)


def plain_score(fitted, people, weights, i, j):
    def cross(a, b):
        return sum(weights[x] * weights[y] * likeness(fitted, x, y) for x in a for y in b)

    mine, theirs = circles_of(people, i), circles_of(people, j)
    lengths = [(cross(c, c) + fitted.slack**2) ** 0.5 for c in (mine, theirs)]
    return cross(mine, theirs) / (lengths[0] * lengths[1])


def test_pair_scores_equal_the_definition():
    people = make_people(30, np.random.default_rng(6))
    block = Circles().fit(people)
    weights = {c: weight(block.fitted_, people, c) for c in set(people.long.communities[C.COMMUNITY])}
    assert_is(block, people, lambda i, j: plain_score(block.fitted_, people, weights, i, j))


def test_pairs_with_a_common_circle_score_higher():
    people = make_people(60, np.random.default_rng(6))
    i, j = all_pairs(people)
    scores = Circles(width=64).fit_transform(people).pair_scores(i, j)
    shared = np.array(
        [bool(set(circles_of(people, a)) & set(circles_of(people, b))) for a, b in zip(i, j, strict=True)]
    )
    assert scores[shared & (i != j)].mean() > scores[~shared].mean() + 0.3


def test_a_circle_of_everybody_has_weight_zero():
    people = make_people(5, np.random.default_rng(0))
    table = pd.DataFrame({C.ROW: np.arange(5, dtype=np.int32), C.COMMUNITY: "all"})
    object.__setattr__(people.long, "communities", table)
    assert Circles().fit_transform(people).pair_scores([0], [1]) == pytest.approx(0.0)


def test_a_circle_unseen_at_fit_has_the_weight_of_one_member():
    people = make_people(30, np.random.default_rng(6))
    fitted = Circles().fit(people).fitted_
    assert fitted.weights(np.array([1], np.uint64))[0] == pytest.approx(np.log(31 / 2) / np.log(31))
