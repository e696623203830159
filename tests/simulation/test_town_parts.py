"""A town made part by part is the town made whole."""

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.simulation import town as town_parts
from recsys.simulation.build import words_as_codes, words_of_codes
from recsys.simulation.settings import TownSettings
from recsys.simulation.town import make_town, make_town_parts


@pytest.mark.parametrize("corruption", [0.0, 0.02])
@pytest.mark.parametrize("rows", [997, 1 << 20])
def test_parts_make_the_same_tables(monkeypatch: pytest.MonkeyPatch, corruption: float, rows: int) -> None:
    monkeypatch.setattr(town_parts, "_ROWS_AT_ONCE", rows)
    settings = TownSettings(corruption=corruption)
    whole = make_town(150, np.random.default_rng(6), settings=settings)
    parts = make_town_parts(150, np.random.default_rng(6), settings=settings)
    assert list(parts.tables) == list(whole.tables)
    for name, given in parts.tables.items():
        frames = [given] if isinstance(given, pd.DataFrame) else list(given)
        assert all(len(frame) <= rows for frame in frames) or name != T.EVENTS
        pd.testing.assert_frame_equal(pd.concat(frames, ignore_index=True), whole.tables[name])
    assert (parts.n_people, parts.n_events) == (150, len(whole.tables[T.EVENTS]))
    assert parts.as_of == whole.as_of


def test_a_town_without_burn_in_has_parts() -> None:
    settings = TownSettings.model_validate({"history": {"days": 0}})
    parts = make_town_parts(5, np.random.default_rng(6), settings=settings)
    assert {name for name, given in parts.tables.items() if not isinstance(given, pd.DataFrame)} == {T.EVENTS}
    assert sum(len(part) for part in parts.tables[T.EVENTS]) == parts.n_events > 0


def test_a_table_that_waits_comes_back_as_it_was() -> None:
    tables = make_town(80, np.random.default_rng(3)).tables
    for name in (T.ANSWERS, T.INTERESTS, T.TALK_TOPICS):
        waiting = words_as_codes(tables[name])
        assert waiting.memory_usage().sum() < 0.8 * tables[name].memory_usage().sum()
        pd.testing.assert_frame_equal(words_of_codes(waiting), tables[name])
    assert tables[T.ANSWERS][C.CONSENT].isna().any()  # a missing text stays missing
    words = pd.Series(["x", None, "zz"], dtype="str")
    odd = pd.DataFrame({C.USER: ["a", "b", "c"], C.ANSWER: words, C.LEVEL: [1, 2, 3]})
    pd.testing.assert_frame_equal(words_of_codes(words_as_codes(odd)), odd)
