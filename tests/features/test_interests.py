import numpy as np
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.data.ids import hashed_strings
from recsys.features.interests import Interests, cooccurrence_kernel, embedding, ngrams, ppmi, taxonomy_kernel
from recsys.testing.people import make_people
from tests.features.pairs import assert_is

MODES = {"online": -1.0, "in_person": 1.0, "both": 0.0}


def plain_vector(fitted, tag):
    """A tag as a dictionary: its latent columns, or its hashed n-grams."""
    if tag in fitted.tags:
        return {("latent", k): float(v) for k, v in enumerate(fitted.vectors[fitted.tags.index(tag)])}
    counts = {}
    for gram, count in ngrams(tag).items():
        number = int(hashed_strings([gram], salt="ngram")[0])
        column = ("ngram", number % fitted.width)
        counts[column] = counts.get(column, 0.0) + (-count if number >> 63 else count)
    length = sum(v * v for v in counts.values()) ** 0.5
    return {k: v / length for k, v in counts.items()} if length else {}


def dot(a, b):
    return sum(v * b.get(k, 0.0) for k, v in a.items())


def plain_score(fitted, people, i, j):
    table = people.long.interests
    sides = []
    for row in (i, j):
        rows = table[table[C.ROW] == row].to_dict("records")
        mean = sum(r[C.LEVEL] for r in rows) / (len(rows) + fitted.unlisted)
        held = [(r[C.LEVEL] - mean, plain_vector(fitted, r[C.TAG])) for r in rows]
        length2 = sum(x * y * dot(a, b) for x, a in held for y, b in held)
        mode = sum(MODES[r[C.SHARE_MODE]] for r in rows) / max(len(rows), 1)
        sides.append((held, (max(length2, 0.0) + fitted.slack**2) ** 0.5, mode))
    (mine, my_length, my_mode), (theirs, their_length, their_mode) = sides
    alike = sum(x * y * dot(a, b) for x, a in mine for y, b in theirs) / (my_length * their_length)
    return (1 - fitted.mode_weight) * alike + fitted.mode_weight * my_mode * their_mode


def test_pair_scores_equal_the_definition():
    people = make_people(25, np.random.default_rng(2))
    block = Interests(rank=12).fit(people)
    assert_is(block, people, lambda i, j: plain_score(block.fitted_, people, i, j))


def test_people_unseen_at_fit_are_scored_by_the_same_definition():
    people = make_people(25, np.random.default_rng(2))
    block = Interests().fit(people.take([0, 1, 2]))
    assert_is(block, people, lambda i, j: plain_score(block.fitted_, people, i, j))


def test_tags_of_one_parent_are_similar():
    kernel = taxonomy_kernel(["a", "b", "c"], {"a": ["x", "top"], "b": ["x", "top"], "c": ["y", "top"]})
    assert kernel[0, 0] == pytest.approx(1.0)
    assert kernel[0, 1] == pytest.approx((0.25 + 0.0625) / (1 + 0.25 + 0.0625))
    assert 0 < kernel[0, 2] < kernel[0, 1]


def test_ppmi_equals_the_values_worked_by_hand():
    counts = np.array([[9.0, 4.0, 0.0], [4.0, 9.0, 1.0], [0.0, 1.0, 9.0]])
    rows = [4.0, 5.0, 1.0]
    context = [r**0.75 for r in rows]

    def one_way(a, b):
        expected = rows[a] * context[b] / sum(context)
        return max(np.log(counts[a, b] / expected), 0.0) * counts[a, b] / (counts[a, b] + 5.0)

    found = ppmi(counts)
    assert found[0, 1] == pytest.approx((one_way(0, 1) + one_way(1, 0)) / 2)
    assert found[0, 2] == 0.0
    assert (np.diag(found) == 0).all()


def test_tags_with_the_same_cooccurrences_are_similar():
    groups = np.kron(np.eye(2), np.ones((3, 3))) * 30.0
    kernel = cooccurrence_kernel(groups, rank=4)
    assert kernel[0, 1] > 0.9
    assert abs(kernel[0, 4]) < 1e-6


def test_tags_nobody_holds_have_no_cooccurrence_similarity():
    assert (cooccurrence_kernel(np.zeros((3, 3)), rank=2) == 0).all()


def test_embedding_is_exact_at_full_rank_and_signed():
    kernel = taxonomy_kernel(list("abcd"), {"a": ["t"], "b": ["t"], "c": ["u"], "d": ["u"]})
    rows = embedding(kernel, np.array([0.4, 0.3, 0.2, 0.1]), rank=6)
    np.testing.assert_allclose(rows @ rows.T, kernel, atol=1e-6)
    used = rows[:, :4]
    assert (used[np.abs(used * np.sqrt([[0.4], [0.3], [0.2], [0.1]])).argmax(axis=0), range(4)] > 0).all()
    assert (rows[:, 4:] == 0).all()


def test_spellings_of_a_free_tag_are_similar():
    people = make_people(4, np.random.default_rng(0))
    table = people.long.interests.iloc[:3].assign(
        **{
            C.ROW: np.array([0, 1, 2], np.int32),
            C.TAG: ["free:sourdough bread", "free:Sourdough  Breads", "free:凧揚げ"],
            C.LEVEL: 4,
            C.SHARE_MODE: "both",
        }
    )
    object.__setattr__(people.long, "interests", table)
    block = Interests(width=64).fit(people)
    near, far = block.transform(people).pair_scores([0, 0], [1, 2])
    assert near > 0.6 > 0.3 > far


def test_opposite_share_modes_lower_the_score():
    people = make_people(3, np.random.default_rng(0))
    table = people.long.interests.iloc[:3].assign(
        **{
            C.ROW: np.arange(3, dtype=np.int32),
            C.TAG: "photography",
            C.LEVEL: 4,
            C.SHARE_MODE: ["online", "online", "in_person"],
        }
    )
    object.__setattr__(people.long, "interests", table)
    same, other = Interests().fit(people).transform(people).pair_scores([0, 0], [1, 2])
    assert same - other == pytest.approx(0.2, abs=1e-6)


def test_rank_is_at_most_32():
    people = make_people(10, np.random.default_rng(0))
    block = Interests(rank=50, width=4).fit(people)
    assert block.transform(people).n_columns == 32 + 4 + 1
