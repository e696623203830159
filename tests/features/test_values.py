import numpy as np
import pytest

from recsys.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.features import values
from recsys.features.values import Values
from recsys.testing.people import make_people
from tests.features.pairs import assert_is


def answers_of(people, row):
    table = people.long.answers
    return {a[C.QUESTION]: a for a in table[table[C.ROW] == row].to_dict("records")}


def assert_is_definition(block, people):
    answers = [answers_of(people, row) for row in range(len(people))]
    assert_is(block, people, lambda i, j: plain_score(block.fitted_, answers[i], answers[j]))


def plain_score(fitted, mine, theirs):
    """The definition, one question at a time."""
    questions = load_catalogue().questions
    shares, at = {}, 0
    for question, options in zip(fitted.questions, fitted.options, strict=True):
        shares[question] = dict(zip(options, fitted.shares[at : at + len(options)], strict=True))
        at += len(options)
    weighed = {q: a for q, a in mine.items() if a[C.IMPORTANCE] > 0 and not questions[q].sensitive}
    total = sum(a[C.IMPORTANCE] for a in weighed.values())
    if total == 0:
        return fitted.prior
    weights = {q: a[C.IMPORTANCE] / total for q, a in weighed.items()}
    n_eff = 1.0 / sum(w * w for w in weights.values())
    lam = n_eff / (n_eff + fitted.kappa)
    more = 0.0
    for q, w in weights.items():
        usual = sum(share for option, share in shares[q].items() if option in mine[q][C.ACCEPTED])
        if q in theirs:
            more += w * (float(theirs[q][C.ANSWER] in mine[q][C.ACCEPTED]) - usual)
    return fitted.prior + lam * more


def test_pair_scores_equal_the_definition():
    people = make_people(40, np.random.default_rng(1))
    block = Values().fit(people)
    assert_is_definition(block, people)


def test_directions_that_span_everybodys_answers_give_the_score_of_the_definition(monkeypatch):
    monkeypatch.setattr(values, "MOST_EXACT_COLUMNS", 0)
    people = make_people(40, np.random.default_rng(1))
    block = Values().fit(people)
    assert block.fitted_.columns[0] == "direction 0"
    assert_is_definition(block, people)


def test_people_unseen_at_fit_are_scored_by_the_same_definition():
    people = make_people(40, np.random.default_rng(1))
    block = Values(kappa=7.0).fit(people.take(np.arange(15)))
    assert_is_definition(block, people)


def test_one_heavy_answer_is_shrunk_towards_the_prior():
    people = make_people(40, np.random.default_rng(1))
    table = people.long.answers.drop_duplicates(C.ROW).assign(**{C.IMPORTANCE: 50})
    object.__setattr__(people.long, "answers", table.reset_index(drop=True))
    block = Values(kappa=3.0).fit(people)
    i = np.repeat(np.arange(40), 40)
    scores = block.transform(people).pair_scores(i, np.tile(np.arange(40), 40))
    assert np.abs(scores - block.fitted_.prior).max() <= 0.25 + 1e-6


@pytest.mark.parametrize("most_exact_columns", [0, 256])
def test_whoever_accepts_every_answer_wishes_nobody_more_than_others(monkeypatch, most_exact_columns):
    """Seen to fail: such a profile was fully satisfied by everybody, and so stood first for everybody."""
    monkeypatch.setattr(values, "MOST_EXACT_COLUMNS", most_exact_columns)
    people, questions = make_people(40, np.random.default_rng(1)), load_catalogue().questions
    table = people.long.answers
    every = table[C.QUESTION].map(lambda one: tuple(questions[one].answers))
    eager = table[C.ROW].lt(3)
    accepted = table[C.ACCEPTED].astype(object).where(~eager, every)
    told = table.assign(**{C.ACCEPTED: accepted, C.IMPORTANCE: table[C.IMPORTANCE].where(~eager, 50)})
    object.__setattr__(people.long, "answers", told)
    block = Values().fit(people)
    i, j = np.repeat(np.arange(3), 40), np.tile(np.arange(40), 3)
    scores = block.transform(people).pair_scores(i, j)
    np.testing.assert_allclose(scores, block.fitted_.prior, atol=1e-5)


def test_sensitive_questions_have_no_column():
    catalogue = load_catalogue()
    sensitive = {q.id for q in catalogue.questions.values() if q.sensitive}
    columns = Values().fit(make_people(5, np.random.default_rng(0))).get_feature_names_out()
    assert sensitive
    assert not [c for c in columns if c.removeprefix("values:").split("=")[0] in sensitive]


def test_pair_scores_without_answers_are_the_prior():
    people = make_people(3, np.random.default_rng(0)).take([])
    block = Values().fit(people)
    everybody = make_people(3, np.random.default_rng(0))
    object.__setattr__(everybody.long, "answers", everybody.long.answers.iloc[:0])
    assert block.transform(everybody).pair_scores([0, 1], [1, 2]) == pytest.approx([0.5, 0.5])


def test_wishes_are_the_same_however_many_people_are_summed_at_a_time(monkeypatch):
    people = make_people(30, np.random.default_rng(4))
    block = Values().fit(people)
    whole = block.transform(people)
    monkeypatch.setattr(values, "_SUMMED_AT_ONCE", 7)
    parts = block.transform(people)
    assert whole.preferences.tobytes() == parts.preferences.tobytes()
    assert np.ptp(whole.preferences, axis=0).any()
