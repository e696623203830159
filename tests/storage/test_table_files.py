"""Written tables are the same bytes every time, and refuse what could not be read back."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.errors import InputError
from recsys.storage.load import load_tables
from recsys.storage.sources import read_tables
from recsys.storage.table_files import write_tables
from recsys.testing.people import make_tables


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    return make_tables(20, np.random.default_rng(0))


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_parquet_bytes_are_the_same_every_time(tmp_path: Path, tables: dict[str, pd.DataFrame]) -> None:
    write_tables(tables, f"parquet:{tmp_path / 'a'}")
    write_tables(dict(reversed(tables.items())), f"parquet:{tmp_path / 'b'}")
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert set(content(tmp_path / "a")) == {f"{name}.parquet" for name in tables}


@pytest.mark.parametrize("kind", ["parquet:{}", "duckdb:{}.duckdb"])
def test_parts_of_a_table_are_the_table(tmp_path: Path, tables: dict[str, pd.DataFrame], kind: str) -> None:
    def sevens(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
        return (frame.iloc[start : start + 7] for start in range(0, len(frame), 7))

    whole, parts = kind.format(tmp_path / "whole"), kind.format(tmp_path / "parts")
    write_tables(tables, whole)
    write_tables({name: sevens(frame) for name, frame in tables.items()}, parts)
    there = read_tables(whole)
    for name, frame in read_tables(parts).items():
        assert len(frame) == len(tables[name])
        pd.testing.assert_frame_equal(frame, there[name])


def test_accepted_tables_and_raw_ones_write_the_same(tmp_path: Path, tables: dict[str, pd.DataFrame]) -> None:
    write_tables(load_tables(tables).accepted, f"parquet:{tmp_path / 'a'}")
    write_tables(load_tables(f"parquet:{tmp_path / 'a'}").accepted, f"parquet:{tmp_path / 'b'}")
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_a_database_is_replaced_whole(tmp_path: Path, tables: dict[str, pd.DataFrame]) -> None:
    target = f"duckdb:{tmp_path / 'deep' / 'a.duckdb'}"
    write_tables(tables, target)
    write_tables({T.PROFILES: tables[T.PROFILES]}, target)
    assert list(read_tables(target)) == [T.PROFILES]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.duckdb"]


def test_columns_of_nothing_keep_their_type(tmp_path: Path, tables: dict[str, pd.DataFrame]) -> None:
    unknown = tables[T.PROFILES].assign(**dict.fromkeys((C.LANGUAGES, C.MAX_DISTANCE_KM, C.VALID_FROM, C.TZ)))
    write_tables({T.PROFILES: unknown}, f"parquet:{tmp_path}")
    table = load_tables(f"parquet:{tmp_path}").accepted[T.PROFILES]
    assert table[[C.LANGUAGES, C.MAX_DISTANCE_KM, C.VALID_FROM, C.TZ]].isna().all(axis=None)


def test_what_cannot_be_read_back_is_refused(tmp_path: Path, tables: dict[str, pd.DataFrame]) -> None:
    target = f"parquet:{tmp_path}"
    with pytest.raises(InputError, match="did you mean 'profiles'"):
        write_tables({"profile": tables[T.PROFILES]}, target)
    with pytest.raises(InputError, match="unknown column in profiles: got 'gendr'"):
        write_tables({T.PROFILES: tables[T.PROFILES].assign(gendr=1)}, target)
    with pytest.raises(InputError, match=r"in interests\.level"):
        write_tables({T.INTERESTS: tables[T.INTERESTS].assign(**{C.LEVEL: "high"})}, target)
    with pytest.raises(InputError, match=r"in holds\.ts: got 'ts\.naive'"):
        write_tables({T.HOLDS: tables[T.HOLDS].assign(**{C.TS: "2026-01-05"})}, target)
    with pytest.raises(InputError, match="tables are not written here"):
        write_tables(tables, f"csv:{tmp_path}")
    assert list(tmp_path.iterdir()) == []


def test_a_table_written_in_parts_reads_back_as_one(
    tmp_path: Path, tables: dict[str, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tables(tables, f"parquet:{tmp_path / 'whole'}")
    monkeypatch.setattr("recsys.storage.table_files._ROWS_AT_ONCE", 7)
    write_tables(tables, f"parquet:{tmp_path / 'parts'}")
    assert pq.ParquetFile(tmp_path / "parts" / "profiles.parquet").num_row_groups == 3
    whole, parts = (read_tables(f"parquet:{tmp_path / name}") for name in ("whole", "parts"))
    for name, table in whole.items():
        pd.testing.assert_frame_equal(table, parts[name])


def test_a_wrong_table_leaves_all_of_them_as_they_were(
    tmp_path: Path, tables: dict[str, pd.DataFrame]
) -> None:
    write_tables(tables, f"parquet:{tmp_path}")
    before = content(tmp_path)
    wrong = tables[T.INTERESTS].assign(**{C.LEVEL: "high"})
    with pytest.raises(InputError, match=r"in interests\.level"):
        write_tables({T.PROFILES: tables[T.PROFILES].iloc[:3], T.INTERESTS: wrong}, f"parquet:{tmp_path}")
    assert content(tmp_path) == before
