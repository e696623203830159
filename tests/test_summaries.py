"""What people, events and policies show of themselves in a notebook."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.catalogue import load_catalogue
from recsys.features import FeatureMap
from recsys.ranking.response_and_receipt import Item, Page, Receipt
from recsys.storage.load import load_tables


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
    assert not any(user in people._repr_html_() for user in people.ids.ids(np.arange(len(people))))


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


def test_large_values_say_what_they_are_in_one_line(town):
    people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    model = recsys.PopularityModel().fit(people, events, rng=np.random.default_rng(1))
    values = [
        *(town, people, events, model, model.fitted, FeatureMap.fit(people), load_tables(town.tables)),
        *(recsys.Policy.default().compile(people), people.ids),
    ]
    for value in values:
        assert len(repr(value)) < 200, type(value)
        assert type(value).__name__ in repr(value)
    assert "60 people, 1 factors" in repr(model.fitted)


def test_values_are_tables_in_a_notebook(town):
    people = recsys.load_population(town.tables)
    tables = load_tables(town.tables)
    assert "quarantined" in tables._repr_html_()
    assert "interests" in FeatureMap.fit(people)._repr_html_()
    pairs = pd.DataFrame({"a": [1, 2, None], "b": [2, 3, 1]})
    log = recsys.Interactions.of(pairs, viewer="a", candidate="b")
    assert "nobody is named who acted" in log._repr_html_()


def test_a_page_is_a_table_of_its_people():
    now = datetime(2026, 1, 5, tzinfo=UTC)
    item = Item("b", 1, ("near",), "listed", "calm", now)
    page = Page(
        "a<b>", (item,), "m", now, timedelta(0), False, Receipt("r", "m", "a", "t", (), expires_at="t")
    )
    assert page.to_frame()["candidate_id"].tolist() == ["b"]
    assert "a&lt;b&gt;" in page._repr_html_()
