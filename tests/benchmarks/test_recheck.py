"""The check by pandas alone finds each planted violation, and nothing where there is none."""

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.constraints.policy import Policy
from recsys.storage.load import load_population
from tests.benchmarks.recheck import broken_rules, violations
from tests.datasets import needs, okcupid

pytestmark = needs("okcupid")


@pytest.fixture(scope="module")
def world():
    tables = okcupid.load(np.random.default_rng(0), 200)
    people = load_population(tables, "2012-07-02")
    i, j = np.divmod(np.arange(200 * 200), 200)
    shown = Policy.default().may_show(people, i, j)
    return tables, people, i, j, shown


def as_lists(people, i, j):
    return pd.DataFrame({C.VIEWER: people.ids.ids(i), C.CANDIDATE: people.ids.ids(j)})


def test_agrees_with_the_policy_on_every_pair(world):
    tables, people, i, j, shown = world
    assert shown.sum() > 100
    broken = broken_rules(as_lists(people, i, j), tables[T.PROFILES], tables[T.BOUNDARIES])
    assert np.array_equal(~broken.any(axis="columns").to_numpy(), shown)


PLANTED = [
    ("not listed", T.PROFILES, C.ACCOUNT_STATE, "paused"),
    ("not listed", T.PROFILES, C.ACTIVITY, "dormant"),
    ("not listed", T.PROFILES, C.VERIFICATION, "none"),
    ("not listed", T.PROFILES, C.HOUSEHOLD_STATUS, None),
    ("not listed", T.BOUNDARIES, C.PHYSICAL_LINE, None),
    ("age", T.PROFILES, C.ACCEPTS_AGE_BANDS, ["65+"]),
    ("gender", T.PROFILES, C.MEETS_GENDERS, ["nonbinary"]),
    ("household", T.PROFILES, C.ACCEPTS_HOUSEHOLD_STATUS, ["separated"]),
    ("languages", T.PROFILES, C.LANGUAGES, ["ik"]),
    ("channels", T.BOUNDARIES, C.CHANNELS, []),
    ("windows", T.BOUNDARIES, C.CONTACT_WINDOWS, []),
    ("too near", T.PROFILES, C.MIN_DISTANCE_KM, 900),
]


@pytest.mark.parametrize(("rule", "table", "column", "value"), PLANTED)
def test_finds_what_was_planted_in_the_viewer(world, rule, table, column, value):
    tables, people, i, j, shown = world
    pair = as_lists(people, i[shown][:1], j[shown][:1])
    changed = {name: frame.copy() for name, frame in tables.items()}
    is_viewer = changed[table][C.USER] == pair[C.VIEWER][0]
    old = changed[table][column]
    changed[table][column] = [value if own else kept for own, kept in zip(is_viewer, old, strict=True)]
    found = violations(pair, changed[T.PROFILES], changed[T.BOUNDARIES])
    assert found[rule] == 1


def test_finds_repeats_and_oneself(world):
    tables, people, i, j, shown = world
    pair = as_lists(people, i[shown][:1], j[shown][:1])
    twice = pd.concat([pair, pair])
    assert violations(twice, tables[T.PROFILES], tables[T.BOUNDARIES])["listed twice"] == 1
    oneself = pair.assign(**{C.CANDIDATE: pair[C.VIEWER]})
    assert violations(oneself, tables[T.PROFILES], tables[T.BOUNDARIES])["oneself"] == 1
