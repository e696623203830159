"""What people, events and policies show of themselves in a notebook."""

import numpy as np
import pytest

import recsys
from recsys.schema.catalogue import load_catalogue


@pytest.fixture(scope="module")
def town():
    return recsys.make_town(60, np.random.default_rng(2))


def test_people_say_how_much_is_known_of_them(town):
    people = recsys.load_population(town.tables)
    table = people.summary()
    assert table["known"].between(0, 1).all()
    assert table.loc["gender", "known"] == pytest.approx((people.codes("gender") >= 0).mean())
    assert table.loc["gender", "words"] == 4
    assert "gender" in people._repr_html_()
    assert not any(user in people._repr_html_() for user in people.ids.values)


def test_events_are_counted_by_type(town):
    events = recsys.load_events(town.tables)
    table = events.summary()
    assert table["events"].sum() == len(events)
    assert table["events"].is_monotonic_decreasing
    assert f"{len(events):,}" in repr(events)
    assert "like" in events._repr_html_()
    assert repr(recsys.Events.none()) == "Events(none)"


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_a_policy_says_its_rules_in_both_languages(lang):
    policy = recsys.Policy.default()
    table = policy.summary(lang)
    assert table.index.tolist() == list(policy.names)
    other = load_catalogue().text("constraint.other", lang, name="languages")
    assert other not in table["keeps apart"].tolist()
    assert policy.version in policy._repr_html_()


def test_modules_for_notebooks_come_with_the_package():
    assert recsys.plots.lorenz_curve([1.0, 1.0])[1].tolist() == [0.0, 0.5, 1.0]
    assert recsys.evaluation.gini([1, 1]) == 0.0
    assert {"plots", "evaluation"} <= set(dir(recsys))
