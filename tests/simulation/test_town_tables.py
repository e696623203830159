import dataclasses

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.tables import CONTRACTS
from recsys.simulation.interests_and_answers import _TOLERANCE
from recsys.simulation.settings import TownSettings
from recsys.simulation.town import Town, make_town
from recsys.simulation.truth import LatentTraits
from recsys.storage.load import load_tables
from recsys.storage.sources import read_tables
from recsys.storage.table_files import write_tables


def test_every_table_passes_its_contract(town: Town) -> None:
    loaded = load_tables(town.tables, town.as_of)
    assert sorted(loaded.accepted) == sorted(CONTRACTS)
    assert loaded.quarantine.empty, (
        loaded.quarantine[["table", "reason"]].drop_duplicates().to_dict("records")
    )
    assert all(len(table) for table in loaded.accepted.values())


def test_no_row_lies_in_the_future(town: Town) -> None:
    for table in town.tables.values():
        for column in {C.TS, C.VALID_FROM} & set(table.columns):
            assert (table[column] <= town.as_of).all()


def test_exactly_the_corrupted_rows_are_quarantined(small_town: Town, corrupted_town: Town) -> None:
    loaded = load_tables(corrupted_town.tables, corrupted_town.as_of).counts.set_index("table")
    for name, table in small_town.tables.items():
        planted = round(0.02 * len(table))
        assert loaded.quarantined[name] == planted, name
        assert loaded.accepted[name] == len(table), name
    assert loaded.quarantined[T.EVENTS] > 50


def test_corruption_leaves_good_rows_unchanged(small_town: Town, corrupted_town: Town) -> None:
    good = load_tables(small_town.tables, small_town.as_of).accepted
    kept = load_tables(corrupted_town.tables, corrupted_town.as_of).accepted
    for name in good:
        pd.testing.assert_frame_equal(good[name], kept[name])


@pytest.mark.parametrize("kind", ["parquet", "duckdb"])
def test_tables_survive_a_round_trip_through_files(small_town: Town, tmp_path, kind: str) -> None:
    target = f"{kind}:{tmp_path / 'town'}"
    write_tables(small_town.tables, target)
    before = load_tables(small_town.tables, small_town.as_of)
    after = load_tables(target, small_town.as_of)
    assert sorted(read_tables(target)) == sorted(small_town.tables)
    for name, table in before.accepted.items():
        pd.testing.assert_frame_equal(table, after.accepted[name])


def test_equal_seeds_give_equal_tables(tmp_path) -> None:
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        town = make_town(60, np.random.default_rng(seed))
        write_tables(town.tables, f"parquet:{tmp_path / folder}")

    def content(folder: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()}

    assert content("a") == content("b")
    assert all(content("a")[name] != data for name, data in content("c").items() if len(data) > 5000)


def test_latent_traits_are_in_no_table(town: Town) -> None:
    hidden = {field.name for field in dataclasses.fields(LatentTraits)} | {
        "taste", "appeal", "p_like", "abuse_kind", "opens", "rapport", "truth"
    }  # fmt: skip
    for name, table in town.tables.items():
        assert set(table.columns) <= set(CONTRACTS[name].columns)
        assert not hidden & set(table.columns)
    numbers = town.tables[T.EVENTS].select_dtypes("number")
    assert set(numbers.columns) == {C.POSITION, C.PROPENSITY, C.COUNT, C.REPLY_LAG_H}


def test_tags_need_folding_and_fold_to_one_each(town: Town) -> None:
    raw = town.tables[T.INTERESTS]
    folded = load_tables(town.tables, town.as_of).accepted[T.INTERESTS]
    assert 0.05 < (raw[C.TAG].to_numpy() != folded[C.TAG].to_numpy()).mean() < 0.3
    assert folded[C.TAG].str.startswith("free:").sum() > 10
    assert raw.groupby(C.USER).size().max() <= 30


def test_mandatory_answers_are_few_public_and_accept_their_own(town: Town) -> None:
    answers = town.tables[T.ANSWERS]
    mandatory = answers[answers[C.MANDATORY]]
    assert 0.01 < mandatory[C.USER].nunique() / len(town.ids) < 0.08
    assert mandatory.groupby(C.USER).size().max() <= 2
    assert (mandatory[C.VISIBILITY] == "public").all()
    assert all(own in accepted for own, accepted in zip(answers[C.ANSWER], answers[C.ACCEPTED], strict=True))
    narrower = answers.groupby(C.IMPORTANCE)[C.ACCEPTED].apply(lambda sets: np.mean([len(s) for s in sets]))
    assert narrower.is_monotonic_decreasing
    assert set(narrower.index) == set(_TOLERANCE)


def test_some_people_joined_late_moved_or_left(town: Town) -> None:
    profiles = town.tables[T.PROFILES]
    history = TownSettings().history
    start = town.as_of - pd.Timedelta(days=history.days)
    first = profiles.groupby(C.USER)[C.VALID_FROM].min()
    assert (first > start).mean() == pytest.approx(history.joined_within, abs=0.02)
    last = profiles.drop_duplicates(C.USER, keep="last")
    left = last[(last[C.ACTIVITY] == "dormant") & (last[C.VALID_FROM] > start)]
    assert len(left) / len(town.ids) == pytest.approx(history.left_within, abs=0.02)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("days", [0, 1, 3])
def test_towns_of_one_or_two_people_are_valid(n: int, days: int) -> None:
    settings = TownSettings.model_validate({"history": {"days": days}, "corruption": 0.5})
    town = make_town(n, np.random.default_rng(1), settings=settings)
    loaded = load_tables(town.tables, town.as_of)
    assert loaded.accepted[T.PROFILES][C.USER].nunique() == n
