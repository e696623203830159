"""Lists written in one go and lists joined from parts are the same bytes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.errors import InputError, SourceError
from recsys.messaging.reasons import Reasons
from recsys.pipeline import list_files as module
from recsys.pipeline.list_files import (
    copy_lists,
    join_lists,
    list_table,
    list_tables,
    write_lists,
    write_table,
)
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.storage.publication import LIST_COLUMNS, read_coded_lists, read_lists
from tests.pipeline.small_night import Night


@pytest.mark.parametrize("rows_a_group", [1, 5, 17, 1_000])
@pytest.mark.parametrize("n_parts", [1, 3, 30])
def test_joined_parts_are_the_bytes_of_the_whole(
    night: Night, tmp_path: Path, n_parts: int, rows_a_group: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    part_of = night.people.ids.find(night.lists[C.VIEWER]) * 7 % n_parts
    paths = [tmp_path / f"part-{number}" for number in range(n_parts)]
    monkeypatch.setattr(module, "ROWS_A_GROUP", 4)
    for number, path in enumerate(paths):
        write_lists(path, night.lists[part_of == number])
    monkeypatch.setattr(module, "ROWS_A_GROUP", rows_a_group)
    write_lists(tmp_path / "whole", night.lists)
    assert join_lists(paths, tmp_path / "joined") == len(night.lists)
    assert (tmp_path / "joined").read_bytes() == (tmp_path / "whole").read_bytes()


def test_a_part_in_another_order_is_refused(night: Night, tmp_path: Path) -> None:
    lists = night.lists[::-1].assign(propensity=1.0)
    backwards = pa.Table.from_pandas(lists, schema=module.SCHEMA, preserve_index=False)
    write_table(tmp_path / "part", [backwards.replace_schema_metadata(None)])
    with pytest.raises(InputError, match="not in the order of viewers"):
        join_lists([tmp_path / "part"], tmp_path / "joined")
    assert not (tmp_path / "joined").exists()


def test_no_part_is_a_table_without_rows(night: Night, tmp_path: Path) -> None:
    assert join_lists([], tmp_path / "joined") == 0
    write_lists(tmp_path / "whole", night.lists.iloc[:0])
    assert (tmp_path / "joined").read_bytes() == (tmp_path / "whole").read_bytes()


def test_pairs_become_the_same_table_as_frames(
    night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = night.people.ids
    pairs = RankedPairs(
        ids.find(night.lists[C.VIEWER]),
        ids.find(night.lists[C.CANDIDATE]),
        night.lists[C.P_LIKE].to_numpy(np.float32),
        night.lists[C.P_LIKED_BACK].to_numpy(np.float32),
        night.lists[C.P_MUTUAL].to_numpy(np.float64),
    )
    reasons = Reasons.of(night.people)
    write_lists(tmp_path / "frame", pairs.frame(night.people, reasons))
    write_table(tmp_path / "pairs", [list_table(pairs, night.people, reasons)])
    expected, found = pd.read_parquet(tmp_path / "frame"), pd.read_parquet(tmp_path / "pairs")
    pd.testing.assert_frame_equal(found.drop(columns=C.REASONS), expected.drop(columns=C.REASONS))
    assert found[C.REASONS].map(list).tolist() == expected[C.REASONS].map(list).tolist()
    assert max(map(len, found[C.REASONS])) > 0
    monkeypatch.setattr(module, "ROWS_A_GROUP", 17)
    write_table(tmp_path / "whole", [list_table(pairs, night.people, reasons)])
    write_table(tmp_path / "pieces", list_tables(pairs, night.people, reasons))
    assert (tmp_path / "pieces").read_bytes() == (tmp_path / "whole").read_bytes()
    without = list_table(pairs, night.people, None)
    assert without[C.REASONS].to_pylist() == [[]] * len(pairs)
    assert pq.read_schema(tmp_path / "pairs").equals(without.schema)


def test_lists_from_before_propensities_were_written_read_as_certain(night: Night, tmp_path: Path) -> None:
    write_lists(tmp_path / "new", night.lists)
    old = pq.read_table(tmp_path / "new").drop_columns([C.PROPENSITY])
    pq.write_table(old, tmp_path / "old")
    pd.testing.assert_frame_equal(
        read_lists(tmp_path / "old"), read_lists(tmp_path / "new"), check_dtype=False
    )
    assert read_lists(tmp_path / "old", [C.VIEWER]).columns.tolist() == [C.VIEWER]
    drawn = night.lists.assign(propensity=0.25)
    write_lists(tmp_path / "drawn", drawn)
    assert (read_lists(tmp_path / "drawn")[C.PROPENSITY] == 0.25).all()


@pytest.mark.parametrize("n_rows", [None, 0])
def test_copied_lists_are_the_same_bytes(
    night: Night, tmp_path: Path, n_rows: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS_A_GROUP", 17)
    write_lists(tmp_path / "source", night.lists.iloc[:n_rows])
    copy_lists(tmp_path / "source", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "source").read_bytes()


@pytest.mark.parametrize("rows_a_group", [1, 4, 17, 1_000])
def test_lists_close_up_where_somebody_is_gone(
    night: Night, tmp_path: Path, rows_a_group: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS_A_GROUP", rows_a_group)
    gone = night.people.ids.ids(range(3, 25, 4))
    write_lists(tmp_path / "source", night.lists)
    copy_lists(tmp_path / "source", tmp_path / "left", without=gone)
    whole = read_lists(tmp_path / "source")
    expected = whole[~(whole[C.VIEWER].isin(gone) | whole[C.CANDIDATE].isin(gone))].reset_index(drop=True)
    assert 0 < len(expected) < len(whole)
    expected[C.RANK] = (expected.groupby(C.VIEWER).cumcount() + 1).astype(np.int32)
    pd.testing.assert_frame_equal(read_lists(tmp_path / "left"), expected)


def test_lists_of_another_tool_are_sorted_and_certain(night: Night, tmp_path: Path) -> None:
    write_lists(tmp_path / "ours", night.lists)
    night.lists.sample(frac=1.0, random_state=5).to_parquet(tmp_path / "theirs", row_group_size=7)
    copy_lists(tmp_path / "theirs", tmp_path / "copy")
    pd.testing.assert_frame_equal(read_lists(tmp_path / "copy"), read_lists(tmp_path / "ours"))


def test_what_holds_no_lists_is_not_copied(tmp_path: Path) -> None:
    pq.write_table(pa.table({C.VIEWER: ["a"]}), tmp_path / "source")
    with pytest.raises(SourceError, match="not a file of lists"):
        copy_lists(tmp_path / "source", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_coded_lists_are_the_lists(night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_A_GROUP", 17)
    write_lists(tmp_path / "lists", night.lists)
    columns = [name for name in LIST_COLUMNS if name != C.REASONS]
    plain, coded = read_lists(tmp_path / "lists", columns), read_coded_lists(tmp_path / "lists")
    viewer, candidate = coded[C.VIEWER], coded[C.CANDIDATE]
    assert viewer.dtype == candidate.dtype
    assert viewer.cat.categories.tolist() == sorted({*plain[C.VIEWER], *plain[C.CANDIDATE]})
    pd.testing.assert_frame_equal(coded.astype({C.VIEWER: "str", C.CANDIDATE: "str"}), plain)
    reasons = read_coded_lists(tmp_path / "lists", [C.REASONS])[C.REASONS]
    assert reasons.map(list).tolist() == night.lists[C.REASONS].tolist()
    assert read_coded_lists(tmp_path / "lists", [C.VIEWER])[C.VIEWER].tolist() == plain[C.VIEWER].tolist()
    with pytest.raises(SourceError, match="not a file of lists"):
        read_coded_lists(tmp_path / "lists", [C.VIEWER, "nothing"])
