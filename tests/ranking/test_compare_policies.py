"""What if: counts of a policy agree with its plain form, and a wider rule leaves more."""

import numpy as np
import pytest

import recsys
from recsys.data.geography import radii_km
from recsys.errors import ArgumentTypeError, InputError
from recsys.testing.people import make_people


@pytest.fixture(scope="module")
def people():
    return make_people(80, np.random.default_rng(4))


def test_counts_are_those_of_the_plain_rules(people):
    policy = recsys.Policy.default()
    row = recsys.compare_policies({"today": policy}, people, k=5).iloc[0]
    i, j = (rows.ravel() for rows in np.meshgrid(*[np.arange(80)] * 2, indexing="ij"))
    shown = policy.may_show(people, i, j).reshape(80, 80)
    listed = policy.compile(people).listed
    assert 5 < row["listed"] == listed.sum()
    assert row["pairs"] == shown.sum()
    per_viewer = shown[listed].sum(axis=1)
    assert row["candidates"] == np.median(per_viewer)
    assert row["none"] == pytest.approx((per_viewer == 0).mean())
    assert row["fewer"] == pytest.approx((per_viewer < 5).mean())


def test_a_wider_rule_leaves_more_and_a_model_adds_what_lists_come_to(people):
    policy = recsys.Policy.default()
    model = recsys.RandomModel().fit(people, recsys.Events.none(), rng=1)
    scenarios = {
        "today": policy,
        "30 km": (policy, people.assuming(max_distance_km=30)),
        "any language": policy.without("languages"),
    }
    table = recsys.compare_policies(scenarios, people, model=model, k=3)
    assert table["scenario"].tolist() == list(scenarios)
    table = table.set_index("scenario")
    assert table.loc["30 km", "pairs"] <= table.loc["today", "pairs"] < table.loc["any language", "pairs"]
    lists = recsys.recommend(model, people, policy, k=3)
    today = table.loc["today"]
    assert today["matches"] == pytest.approx(lists["p_mutual"].sum() / today["listed"])
    assert today["unreached"] == pytest.approx(1 - lists["candidate_id"].nunique() / today["listed"])


def test_a_maximum_below_the_reach_of_areas_says_so(people, recwarn):
    """People of little-populated areas are known by wide ones, and limits of some km say little there."""
    reach = radii_km(np.unique(people.cells[people.cells != 0]))
    with pytest.warns(UserWarning, match=rf"of 80 people are known by areas .* up to {reach.max():.0f} km"):
        people.assuming(max_distance_km=1)
    people.assuming(max_distance_km=int(reach.max()) + 1)
    assert not recwarn.list


def test_what_is_no_scenario_is_refused(people):
    with pytest.raises(InputError, match="no policy to compare"):
        recsys.compare_policies({}, people)
    with pytest.raises(ArgumentTypeError, match="'wide' is no scenario"):
        recsys.compare_policies({"wide": 50}, people)
    with pytest.raises(InputError, match="no such rule: got 'distanc'; did you mean 'distance'"):
        recsys.Policy.default().without("distanc")
    with pytest.raises(InputError, match="did you mean 'max_distance_km'"):
        people.assuming(max_distance=50)
    with pytest.raises(InputError, match="whole km from 1 to 20,000"):
        people.assuming(max_distance_km=0)
    assert people.assuming(min_distance_km=0).amounts("min_distance_km").max() == 0


def test_none_and_fewer_are_those_of_the_longest_lists():
    """Seen to fail while people liked already, whom no list holds, counted as candidates."""
    town = recsys.make_town(150, rng=3)
    people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    policy = recsys.Policy.default()
    model = recsys.PopularityModel().fit(people, events, rng=1)
    row = recsys.compare_policies({"today": policy}, people, k=4).iloc[0]
    lists = recsys.recommend(model, people, policy, k=len(people) - 1)
    lengths = lists["viewer_id"].value_counts()
    assert len(people.relations.liked)
    assert row["pairs"] == len(lists)
    assert row["none"] == pytest.approx(1 - len(lengths) / row["listed"])
    assert row["fewer"] == pytest.approx(1 - (lengths >= 4).sum() / row["listed"])


def test_a_scenario_that_lists_nobody_says_so():
    nobody = recsys.Population.of_ids(["a", "b"], as_of="2026-01-05")
    with pytest.warns(UserWarning, match="nobody is listed in scenario 'today'"):
        recsys.compare_policies({"today": recsys.Policy.default()}, nobody)
