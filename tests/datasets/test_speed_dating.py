import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.labels import directed_labels
from recsys.storage.load import events_of, load_tables, population_of
from tests.datasets import needs, speed_dating

pytestmark = needs("speed_dating")


@pytest.fixture(scope="module")
def data():
    return speed_dating.load()


@pytest.fixture(scope="module")
def tables(data):
    return load_tables(data.tables)


def test_everybody_and_every_meeting_is_there(data, tables):
    assert len(data.wave) == 551
    assert len(data.pairs) == 4184
    assert data.pairs["match"].mean() == pytest.approx(0.165, abs=0.001)
    assert data.pairs["woman_yes"].mean() == pytest.approx(0.365, abs=0.001)
    assert data.pairs["man_yes"].mean() == pytest.approx(0.475, abs=0.001)
    assert tables.quarantine.empty


def test_labels_are_the_decisions(data, tables):
    labels = directed_labels(events_of(tables))
    both = labels.merge(data.directed, on=[C.VIEWER, C.CANDIDATE], suffixes=("", "_said"))
    assert len(both) == len(labels) == 2 * 4184
    assert (both["label"] == both["label_said"]).all()
    assert (labels["weight"] == labels["weight"].iloc[0]).all()


def test_points_are_shared_out_to_a_hundred(data):
    for name in speed_dating.ALLOCATIONS.values():
        columns = [f"{name}: {quality}" for quality in speed_dating.QUALITIES]
        total = data.traits[columns].sum(axis="columns", min_count=len(columns)).dropna()
        assert len(total) > 300
        np.testing.assert_allclose(total, 100.0)


def test_nothing_said_after_the_meetings_is_mapped(data):
    raw = pd.read_csv(speed_dating.data_folder() / "speed_dating" / "participants.csv", nrows=1)
    assert not [column for column in raw.columns if column.endswith(("_2", "_3", "_s"))]
    numbers = set(data.traits.columns) - {C.USER}
    assert len(numbers) == len(speed_dating.HABITS) + 3 * 6 + 2 * 5


def test_what_was_not_asked_stays_unknown_so_nobody_is_listed(tables):
    people = population_of(tables)
    for column in (C.HOUSEHOLD_STATUS, C.INTENTS, C.CELL, C.MAX_DISTANCE_KM, C.DISCRETION):
        assert not people.known(column).any()
    assert not people.has_boundaries.any()


def test_interests_are_levels_of_our_tags(tables):
    interests = tables.accepted[T.INTERESTS]
    assert interests[C.TAG].nunique() == 17
    assert set(interests[C.LEVEL]) == {1, 2, 3, 4, 5}
