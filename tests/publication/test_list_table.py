"""Lists written in one go and lists joined from parts are the same bytes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from recsys.explain.reasons import Reasons
from recsys.publication import list_table as module
from recsys.publication.list_table import join_lists, write_lists, write_table
from recsys.publication.pair_table import list_table
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.schema.columns import Columns as C
from recsys.storage.published import read_lists
from tests.publication.night import Night


@pytest.mark.parametrize("n_parts", [1, 3, 30])
def test_joined_parts_are_the_bytes_of_the_whole(
    night: Night, tmp_path: Path, n_parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS_A_GROUP", 17)
    write_lists(tmp_path / "whole", night.lists)
    part_of = night.people.ids.find(night.lists[C.VIEWER]) * 7 % n_parts
    paths = [tmp_path / f"part-{number}" for number in range(n_parts)]
    for number, path in enumerate(paths):
        write_lists(path, night.lists[part_of == number])
    assert join_lists(paths, tmp_path / "joined") == len(night.lists)
    assert (tmp_path / "joined").read_bytes() == (tmp_path / "whole").read_bytes()


def test_no_part_is_a_table_without_rows(night: Night, tmp_path: Path) -> None:
    assert join_lists([], tmp_path / "joined") == 0
    write_lists(tmp_path / "whole", night.lists.iloc[:0])
    assert (tmp_path / "joined").read_bytes() == (tmp_path / "whole").read_bytes()


def test_pairs_become_the_same_table_as_frames(night: Night, tmp_path: Path) -> None:
    ids = night.people.ids
    pairs = RankedPairs(
        ids.find(night.lists[C.VIEWER]),
        ids.find(night.lists[C.CANDIDATE]),
        night.lists[C.P_LIKE].to_numpy(np.float32),
        night.lists[C.P_LIKED_BACK].to_numpy(np.float32),
        night.lists[C.P_MUTUAL].to_numpy(np.float64),
    )
    reasons = Reasons(night.people)
    write_lists(tmp_path / "frame", pairs.frame(night.people, reasons))
    write_table(tmp_path / "pairs", [list_table(pairs, night.people, reasons)])
    expected, found = pd.read_parquet(tmp_path / "frame"), pd.read_parquet(tmp_path / "pairs")
    pd.testing.assert_frame_equal(found.drop(columns=C.REASONS), expected.drop(columns=C.REASONS))
    assert found[C.REASONS].map(list).tolist() == expected[C.REASONS].map(list).tolist()
    assert max(map(len, found[C.REASONS])) > 0
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
