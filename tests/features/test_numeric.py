import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from recsys.data.population import Population
from recsys.errors import TableError
from recsys.features import FeatureMap, Numeric
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass

AS_OF = "2026-01-05"


@pytest.fixture
def answers():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(5, 2, (30, 4)), columns=list("wxyz"))
    frame.insert(0, "user_id", [f"u{at:02d}" for at in range(30)])
    frame.loc[3, "x"] = np.nan
    return frame


def everybody(frame):
    return Population.of_ids(frame["user_id"].tolist(), as_of=AS_OF)


def plain_columns(frame, names, fitted, users, limit):
    """The bounded z-scores of each user in each column, unknown at the mean."""
    found = []
    for name in names:
        known = frame.set_index("user_id")[name]
        among = known.reindex(fitted).dropna()
        values = [known.get(user, np.nan) for user in users]
        z = [0.0 if np.isnan(x) else (x - among.mean()) / among.std(ddof=0) for x in values]
        found.append(np.clip(z, -limit, limit) / limit)
    return np.transpose(found)


def plain_pair_scores(preferences, attributes, fitted, users, limit):
    """The mean over columns of the products, of every pair of users."""
    names = [c for c in preferences.columns if c != "user_id"]
    wanted, given = (plain_columns(one, names, fitted, users, limit) for one in (preferences, attributes))
    return [sum(a * b) / len(names) for a in wanted for b in given]


def test_pair_scores_equal_the_definition(answers):
    attributes = answers.iloc[:, [0, 4, 3, 2, 1]].copy()
    attributes[["w", "x"]] *= 7
    people = everybody(answers)
    rows = Numeric(answers, attributes, limit=1.5).fit_transform(people)
    i, j = np.divmod(np.arange(900), 30)
    ids = people.ids.ids(range(30))
    expected = plain_pair_scores(answers, attributes, ids, ids, 1.5)
    np.testing.assert_allclose(rows.pair_scores(i, j), expected, atol=1e-6)
    assert (np.abs(expected) <= 1).all()


def test_mean_and_deviation_come_from_the_fitted_people(answers):
    few = everybody(answers.head(10))
    block = Numeric(answers).fit(few)
    changed = answers.copy()
    changed.loc[10:, ["w", "x", "y", "z"]] *= 100
    again = Numeric(changed).fit(few)
    np.testing.assert_array_equal(block.transform(few).preferences, again.transform(few).preferences)


def test_missing_people_and_values_are_at_the_mean(answers):
    people = Population.of_ids(["u03", "stranger"], as_of=AS_OF)
    rows = Numeric(answers).fit(everybody(answers)).transform(people)
    assert not rows.preferences[people.ids.row("stranger")].any()
    assert rows.preferences[people.ids.row("u03"), 1] == 0
    assert rows.preferences[people.ids.row("u03"), 0] != 0


def test_rows_are_invariant_to_the_order_of_the_frame(answers):
    people = everybody(answers)
    rows = Numeric(answers).fit_transform(people)
    shuffled = Numeric(answers.sample(frac=1, random_state=1)).fit_transform(people)
    np.testing.assert_array_equal(rows.preferences, shuffled.preferences)


def test_a_stored_block_gives_the_same_rows(answers, tmp_path):
    people = everybody(answers)
    features = FeatureMap.fit(people, blocks=[Numeric(answers)])
    save_dataclass(tmp_path, features)
    again = load_dataclass(FeatureMap, tmp_path)
    np.testing.assert_array_equal(
        again.concatenated(people).preferences, features.concatenated(people).preferences
    )
    assert again.columns == ("numeric:w", "numeric:x", "numeric:y", "numeric:z")


def test_clone_keeps_the_frames(answers):
    block = Numeric(answers, limit=2.0)
    copy = clone(block)
    assert copy.preferences is answers
    assert copy.limit == 2.0


def test_a_constant_column_scores_zero(answers):
    answers["w"] = 3.0
    assert not Numeric(answers).fit_transform(everybody(answers)).preferences[:, 0].any()


def test_every_problem_is_named_at_once(answers):
    broken = answers.assign(word="text", z=np.inf).drop(columns="user_id")
    with pytest.raises(TableError) as caught:
        Numeric(broken).fit(everybody(answers))
    assert len(caught.value.problems) == 3


def test_a_repeated_person_is_refused(answers):
    with pytest.raises(TableError, match="stands twice, the first 'u00'"):
        Numeric(pd.concat([answers, answers.head(1)])).fit(everybody(answers))


def test_preferences_and_attributes_with_different_columns_are_refused(answers):
    with pytest.raises(TableError, match="columns differ from those of preferences: w"):
        Numeric(answers, answers.drop(columns="w")).fit(everybody(answers))
