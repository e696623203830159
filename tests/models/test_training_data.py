"""What is forgotten of a lesson is made again as it was."""

from contextlib import ExitStack
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

import recsys
from recsys import memory
from recsys.data.population import LongTables
from recsys.errors import InputError
from recsys.features.feature_map import FeatureMap
from recsys.models.content import ContentModel
from recsys.models.factor_space import Deviations
from recsys.models.hybrid import HybridModel
from recsys.models.impressions import Impressions


def test_rows_are_computed_again_after_forget_rows() -> None:
    town = recsys.make_town(60, np.random.default_rng(7))
    people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    training_data = ContentModel().training_data(people, events)
    impressions = Impressions.from_events(people, events)
    fewer = training_data.without(impressions.take(np.arange(len(impressions) // 2)))
    assert len(fewer.pairs) < len(training_data.pairs)
    was = training_data.rows
    assert fewer.rows is was
    training_data.forget_rows()
    assert training_data.rows is not was
    np.testing.assert_array_equal(training_data.rows.preferences, was.preferences)
    np.testing.assert_array_equal(training_data.rows.attributes, was.attributes)


def test_a_fit_needs_no_tables_beside_the_rows_made_from_them() -> None:
    """People are read without their tables, and rows are made once: matrices are the same to the bit."""
    town = recsys.make_town(60, np.random.default_rng(7))
    people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    features = FeatureMap.fit(people, events=events)
    few = replace(people, long=LongTables.empty())
    found = []
    for known in (people, few):
        model = HybridModel(features=features)
        data = model.training_data(known, events)
        assert data.content is not None
        if known is few:
            data = replace(data, content=data.content.with_rows_of(people))
        found.append(model.fit_prepared(known, data, rng=np.random.default_rng(1)).fitted)
    np.testing.assert_array_equal(found[0].taste, found[1].taste)
    np.testing.assert_array_equal(found[0].appeal, found[1].appeal)


def test_rows_of_tables_that_are_gone_are_not_made_again() -> None:
    town = recsys.make_town(60, np.random.default_rng(7))
    people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    data = ContentModel().training_data(people, events)
    kept = data.with_rows_of(people)
    np.testing.assert_array_equal(kept.rows.preferences, data.rows.preferences)
    kept.forget_rows()
    with pytest.raises(InputError, match="freed"):
        _ = kept.rows


def test_fit_prepared_equals_fit() -> None:
    town = recsys.make_town(60, np.random.default_rng(7))
    people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    fitted = HybridModel().fit(people, events, rng=np.random.default_rng(1)).fitted
    model = HybridModel()
    training_data = model.training_data(people, events.compact())
    fit_prepared = model.fit_prepared(people, training_data, rng=np.random.default_rng(1)).fitted
    np.testing.assert_array_equal(fit_prepared.taste, fitted.taste)
    np.testing.assert_array_equal(fit_prepared.appeal, fitted.appeal)


def test_deviations_at_all_rows_in_order_are_returned_unchanged() -> None:
    shifts = Deviations(np.arange(6.0).reshape(3, 2), np.ones((3, 2)))
    assert shifts.at(np.arange(3)) is shifts
    assert shifts.at(np.array([0, 2, 1])).taste.tolist() == [[0.0, 1.0], [4.0, 5.0], [2.0, 3.0]]
    assert shifts.at(np.array([0, 1, -1])).taste.tolist() == [[0.0, 1.0], [2.0, 3.0], [0.0, 0.0]]
    assert shifts.at(np.array([0, 1])).taste.tolist() == [[0.0, 1.0], [2.0, 3.0]]


@pytest.mark.parametrize("disk", ["writable", "full"])
def test_a_fit_whose_large_arrays_wait_in_files_is_the_same(disk: str) -> None:
    town = recsys.make_town(60, np.random.default_rng(7))
    people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)

    def fitted() -> HybridModel:
        model = HybridModel()
        data = model.training_data(people, events)
        assert data.content is not None
        rows = data.content.rows
        model.fit_prepared(people, data, rng=np.random.default_rng(1))
        assert isinstance(rows.attributes.base, np.memmap) == (
            memory.SET_ASIDE_FROM == 1 and disk == "writable"
        )
        return model

    def full(*_: object) -> None:
        raise OSError("no space left")

    plain = fitted()
    with patch.object(memory, "SET_ASIDE_FROM", 1), ExitStack() as stack:
        if disk == "full":
            stack.enter_context(patch.object(memory, "TemporaryFile", full))
        moved = fitted()
    assert moved.content_ is not None
    assert isinstance(moved.content_.fitted.taste.base, np.memmap) == (disk == "writable")
    for name in ("taste", "appeal"):
        assert getattr(moved.fitted, name).tobytes() == getattr(plain.fitted, name).tobytes()
        for reference in ("personal_reference", "factor_reference"):
            one, other = (getattr(m.global_parameters_, reference) for m in (plain, moved))
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
