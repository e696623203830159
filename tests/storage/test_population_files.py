"""People written to files come back as the very same people, and a damaged file is refused."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.constraints.policy import Policy
from recsys.data.population import LongTables, Population
from recsys.errors import SourceError
from recsys.storage.parquet_frames import read_frame, write_frame
from recsys.storage.population_files import made_from, read_people, write_people
from recsys.testing.people import make_people


@pytest.fixture(scope="module")
def people() -> Population:
    return make_people(40, np.random.default_rng(5))


def same(one: object, other: object) -> bool:
    """Say whether two values of a population are equal in content and in type."""
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
        return all(map(same_cells, one.items(), other.items()))  # type: ignore[attr-defined]
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))  # type: ignore[arg-type]
    if hasattr(one, "keys"):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)  # type: ignore[call-overload,index]
    return bool(one == other)


def same_cells(one: tuple[str, pd.Series], other: tuple[str, pd.Series]) -> bool:
    return list(map(type, one[1])) == list(map(type, other[1]))


def test_people_come_back_as_they_were(people: Population, tmp_path: Path) -> None:
    write_people(people, tmp_path / "people", made_from="these tables")
    again = read_people(tmp_path / "people")
    for field in fields(Population):
        assert same(getattr(people, field.name), getattr(again, field.name)), field.name
    assert made_from(tmp_path / "people") == "these tables"


def test_people_are_read_without_their_tables_too(people: Population, tmp_path: Path) -> None:
    write_people(people, tmp_path)
    found = read_people(tmp_path, tables=False)
    assert all(len(getattr(found.long, field.name)) == 0 for field in fields(LongTables))
    whole = read_people(tmp_path)
    np.testing.assert_array_equal(found.ids.values, whole.ids.values)
    np.testing.assert_array_equal(found.cells, whole.cells)
    assert found.codes("gender").tolist() == whole.codes("gender").tolist()
    np.testing.assert_array_equal(found.relations.liked, whole.relations.liked)


def test_the_same_rules_hold_for_them(people: Population, tmp_path: Path) -> None:
    write_people(people, tmp_path)
    again, policy = read_people(tmp_path), Policy.default()
    i, j = np.divmod(np.arange(len(people) ** 2), len(people))
    np.testing.assert_array_equal(policy.may_show(people, i, j), policy.may_show(again, i, j))
    np.testing.assert_array_equal(policy.compile(people).traits, policy.compile(again).traits)


def test_people_without_any_table(tmp_path: Path) -> None:
    nobody_known = Population.of_ids(["a", "b"], as_of="2026-01-05")
    write_people(nobody_known, tmp_path)
    again = read_people(tmp_path)
    assert again.ids == nobody_known.ids
    assert all(len(getattr(again.long, name)) == 0 for name in LongTables.__dataclass_fields__)


def test_half_a_folder_is_nobody(people: Population, tmp_path: Path) -> None:
    write_people(people, tmp_path)
    (tmp_path / "arrays.json").unlink()
    assert made_from(tmp_path) is None
    with pytest.raises(SourceError):
        read_people(tmp_path)


@pytest.mark.parametrize("name", ["held.npy", "answers.parquet", "arrays.json", "ids.text.npy"])
@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_file_is_refused(people: Population, tmp_path: Path, name: str, damage: str) -> None:
    write_people(people, tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    if damage == "cut":
        del content[len(content) // 2 :]
    else:
        content[len(content) // 2] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError):
        read_people(tmp_path)


def test_frames_keep_their_types(tmp_path: Path) -> None:
    words = pd.Series([("a", "b"), None, ("a", "b"), ()], dtype=object)
    frame = pd.DataFrame(
        {
            "words": words,
            "text": pd.Series(["x", None, "y", ""], dtype="str"),
            "anything": pd.Series([None, "x", None, "z"], dtype=object),
            "number": np.array([1, 2, 3, 4], np.int32),
            "share": [0.5, np.nan, 1.0, 2.0],
            "ts": pd.to_datetime(["2026-01-05T00:00:00.000001Z", None] * 2, format="ISO8601").astype(
                "datetime64[us, UTC]"
            ),
            "nothing": np.full(4, np.nan),
        }
    )
    write_frame(tmp_path / "frame.parquet", frame)
    again = read_frame(tmp_path / "frame.parquet")
    pd.testing.assert_frame_equal(again, frame)
    assert again["words"].tolist() == words.tolist()
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(SourceError, match="not a frame this package wrote"):
        read_frame(tmp_path / "other.parquet")


def test_some_rows_of_a_frame_are_those_of_the_whole(tmp_path: Path) -> None:
    kinds = ["like", None, "block", "like", "end", "impression"] * 3
    frame = pd.DataFrame(
        {
            "type": pd.Series(kinds, dtype=object),
            "count": pd.Series(range(18), dtype="float64").where(lambda c: c % 4 > 0),
            "ts": pd.Timestamp("2026-01-05", tz="UTC") + pd.to_timedelta(range(18), unit="h"),
            "detail": pd.Series([None, "safety", None] * 6, dtype=object),
        }
    )
    write_frame(tmp_path / "events.parquet", frame)
    for wanted in (("like", "end"), ("block",), ("erase",), ()):
        found = read_frame(tmp_path / "events.parquet", only=("type", wanted))
        assert same(found, frame[frame["type"].isin(wanted)].reset_index(drop=True)), wanted
