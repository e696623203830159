"""A table that cannot be used takes from nobody what the others, and the rest of it, restrict.

Seen to fail: with profiles cut off, or one column of them of a wrong type, nothing restricted anybody.
"""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.contract import Contract
from recsys.data.tables import CONTRACTS
from recsys.pipeline.unfinished_night import note_unfinished_night
from recsys.safety import MemorySafety
from recsys.settings import Settings
from recsys.storage.table_files import write_tables
from tests.safety.restriction_doors import (
    AS_OF,
    KINDS,
    NOW,
    OTHER,
    PAIR_OF,
    USERS,
    Published,
    copy_of,
    opened,
    rows_of,
    with_rows,
)

_TOLD = ("ban", "account on hold", "hold", "block", "report", "end", "ban by an event", "unsafe meeting")
_RESTRICTING = {C.USER, C.ACTOR, C.TARGET, C.ACCOUNT_STATE, C.STATE, C.TYPE, C.DETAIL}
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def _lists(values: pa.ChunkedArray) -> pa.Array:
    return pa.array([[one] for one in values.to_pylist()], pa.list_(values.type))


ODD: dict[str, Callable[[int], pa.Array]] = {
    "whole numbers": lambda n: pa.array(np.arange(n) + 7),
    "truth": lambda n: pa.array([True] * n),
    "a map": lambda n: pa.array([[("ja", 1)]] * n, pa.map_(pa.string(), pa.int64())),
    "an unknown zone": lambda n: pa.array([10**15] * n, pa.timestamp("us", tz="+25:00")),
    "bytes": lambda n: pa.array([b"\xff\xfe"] * n),
    "decimal": lambda n: pa.array([10**30] * n, pa.decimal128(38, 0)),
    "lists of lists": lambda n: pa.array([[["x", None]]] * n),
    "no type": pa.nulls,
    "intervals": lambda n: pa.array([pd.Timedelta(days=1)] * n),
    "infinite": lambda n: pa.array([float("inf")] * n),
}
CASES = [
    (name, field.name, list(ODD)[at % len(ODD)])
    for name in CONTRACTS
    for at, field in enumerate(CONTRACTS[name].fields, start=len(name))
]


def _source(folder: Path) -> tuple[str, Path]:
    """Write tables of a night in which each kind is said; return the source and the folder of it."""
    tables = with_rows({kind: rows_of(kind, "sound") for kind in _TOLD})
    source = f"parquet:{folder / 'tables'}"
    write_tables({name: _with_times(table) for name, table in tables.items()}, source)
    return source, folder / "tables"


def _with_times(table: pd.DataFrame) -> pd.DataFrame:
    times = [column for column in (C.TS, C.VALID_FROM) if column in table]
    return table.assign(**{column: pd.to_datetime(table[column], utc=True) for column in times})


def _shown(town: Published, folder: Path, source: str) -> set[str]:
    """Return the kinds whose pair is shown after a night of a source that ended early; others always are."""
    published = copy_of(town, folder)
    assert note_unfinished_night(Settings.from_mapping({"source": source}, where="test"), published)
    with opened(published, MemorySafety()) as ranker:
        assert ranker.look(USERS[-2], OTHER, NOW) is not None
        return {kind for kind in _TOLD if ranker.look(*PAIR_OF[kind], NOW) is not None}


def _of(name: str) -> set[str]:
    return {kind for kind in _TOLD if KINDS[kind].table == name}


@pytest.mark.parametrize(("name", "column", "odd"), CASES)
def test_a_column_of_an_odd_type_takes_nothing_from_the_others(
    town: Published, tmp_path: Path, name: str, column: str, odd: str
) -> None:
    source, folder = _source(tmp_path)
    file = folder / f"{name}.parquet"
    table = pq.read_table(file) if file.is_file() else pa.table({C.USER: [OTHER]})
    values = ODD[odd](len(table))
    at = table.column_names.index(column) if column in table.column_names else None
    table = table.append_column(column, values) if at is None else table.set_column(at, column, values)
    pq.write_table(table, file)
    assert _shown(town, tmp_path, source) <= (_of(name) if column in _RESTRICTING else set())


@pytest.mark.parametrize("column", sorted(_RESTRICTING))
@pytest.mark.parametrize("name", [T.PROFILES, T.HOLDS, T.BLOCKS, T.REPORTS, T.EVENTS])
def test_ids_and_words_in_lists_are_read(town: Published, tmp_path: Path, name: str, column: str) -> None:
    source, folder = _source(tmp_path)
    file = folder / f"{name}.parquet"
    table = pq.read_table(file)
    if column not in table.column_names or column == C.DETAIL:
        return
    table = table.set_column(table.column_names.index(column), column, _lists(table[column]))
    pq.write_table(table, file)
    assert not _shown(town, tmp_path, source)


@pytest.mark.parametrize("damage", ["cut in half", "empty", "no Parquet", "a page of one column"])
@pytest.mark.parametrize("name", [T.PROFILES, T.BOUNDARIES, T.EVENTS, T.BLOCKS, T.HOLDS, T.ANSWERS])
def test_a_damaged_file_takes_nothing_from_the_others(
    town: Published, tmp_path: Path, name: str, damage: str
) -> None:
    source, folder = _source(tmp_path)
    file = folder / f"{name}.parquet"
    content, lost = bytearray(file.read_bytes()), _of(name)
    if damage == "a page of one column":
        column = next(one for one in (C.TZ, C.TS, C.CHANNELS, C.ANSWER) if one in CONTRACTS[name].columns)
        chunks = pq.ParquetFile(file).metadata.row_group(0)
        chunk = next(
            chunk for at in range(chunks.num_columns)
            if (chunk := chunks.column(at)).path_in_schema.split(".")[0] == column
        )  # fmt: skip
        start, lost = chunk.dictionary_page_offset or chunk.data_page_offset, set()
        content[start : start + 30] = b"\xff" * 30
    contents = {"cut in half": content[: len(content) // 2], "empty": b"", "no Parquet": b"PAR1 damaged"}
    file.write_bytes(contents.get(damage, content))
    assert _shown(town, tmp_path, source) <= lost


@pytest.mark.parametrize("error", [KeyError, NotImplementedError, MemoryError, RecursionError, OverflowError])
@pytest.mark.parametrize("name", [T.PROFILES, T.BOUNDARIES, T.EVENTS, T.BLOCKS, T.HOLDS, T.TOKENS])
def test_an_error_that_nobody_foresaw_takes_nothing_from_the_others(
    town: Published,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    error: type[Exception],
) -> None:
    source, _ = _source(tmp_path)
    check = Contract.check_read

    def fails(contract: Contract, *given: object, **said: object) -> object:
        if contract.table == name and (
            name not in {T.PROFILES, T.BOUNDARIES} or len(given[0]().columns) > 24
        ):
            raise error
        return check(contract, *given, **said)

    monkeypatch.setattr(Contract, "check_read", fails)
    assert _shown(town, tmp_path, source) <= _of(name)


CSV_DAMAGE: dict[str, Callable[[list[str]], str]] = {
    "a line of too few fields": lambda lines: "\n".join([*lines[:2], "x", *lines[2:]]),
    "a line of too many fields": lambda lines: "\n".join([*lines, "x,y,z,a,b,c" + "," * 40]),
    "the last line cut": lambda lines: "\n".join([*lines, "x"]),
    "a semicolon for each comma": lambda lines: "\n".join(lines).replace(",", ";"),
    "tabs for commas": lambda lines: "\n".join(lines).replace(",", "\t"),
    "a title above": lambda lines: "\n".join(["Export of members", "", *lines]),
    "a quotation mark that opens": lambda lines: "\n".join([lines[0], 'x,"y' + lines[1], *lines[1:], 'z"']),
    "a header in capitals": lambda lines: "\n".join([lines[0].upper(), *lines[1:]]),
    "bytes that are no UTF-8": lambda lines: "\n".join([*lines, "\udcff\udcfe,y"]),
}


@pytest.mark.parametrize("damage", CSV_DAMAGE)
@pytest.mark.parametrize("name", [T.BLOCKS, T.REPORTS, T.HOLDS, T.EVENTS])
def test_lines_of_a_damaged_csv_restrict(town: Published, tmp_path: Path, name: str, damage: str) -> None:
    """Seen to fail: one uneven line, or other delimiters, took all lines of the file along."""
    _source(tmp_path)
    (tmp_path / "csv").mkdir()
    for file in (tmp_path / "tables").glob("*.parquet"):
        frame = pd.read_parquet(file)
        lists = [one for one in frame if frame[one].map(lambda cell: isinstance(cell, np.ndarray)).any()]
        frame = frame.assign(**{one: frame[one].map(_json) for one in lists})
        text = frame.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%SZ", lineterminator="\n")
        if file.stem == name:
            text = CSV_DAMAGE[damage](text.splitlines())
        (tmp_path / "csv" / f"{file.stem}.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert not _shown(town, tmp_path, f"csv:{tmp_path / 'csv'}")


def _json(cell: object) -> str | None:
    return json.dumps(cell.tolist()) if isinstance(cell, np.ndarray) else None


DATABASE_DAMAGE = {
    "an unknown table": "CREATE TABLE notes AS SELECT 1 AS x",
    "a view of a table that is gone": "CREATE TABLE w (x INT); CREATE VIEW v AS FROM w; DROP TABLE w",
    "a table that cannot be read": "CREATE OR REPLACE VIEW interests AS SELECT error('no') AS tag",
    "a column that cannot be read": "CREATE OR REPLACE VIEW blocks AS SELECT *, error('no') AS x FROM b",
    "a table in another schema": "CREATE SCHEMA o; CREATE TABLE o.answers (x INT); DROP TABLE answers",
}


@pytest.mark.parametrize("damage", DATABASE_DAMAGE)
def test_tables_of_a_database_in_which_one_is_wrong_restrict(
    town: Published, tmp_path: Path, damage: str
) -> None:
    """Seen to fail: one table that could not be read took all tables of the database along."""
    _source(tmp_path)
    with duckdb.connect(tmp_path / "members.duckdb") as database:
        for file in (tmp_path / "tables").glob("*.parquet"):
            if file.stem not in DATABASE_DAMAGE[damage] or "OR REPLACE" not in DATABASE_DAMAGE[damage]:
                database.execute(f"CREATE TABLE {file.stem} AS FROM '{file}'")
        database.execute(f"CREATE TABLE b AS FROM '{tmp_path / 'tables' / 'blocks.parquet'}'")
        database.execute(DATABASE_DAMAGE[damage])
    assert not _shown(town, tmp_path, f"duckdb:{tmp_path / 'members.duckdb'}")


def _mapped(tmp_path: Path, folder: Path) -> Path:
    """Return a mapping that reads each table of a folder as it is."""
    mapping = tmp_path / "mapping"
    mapping.mkdir()
    (mapping / "mapping.yaml").write_text(f"source: ../tables\nas_of: {AS_OF.isoformat()}\nzone: UTC\n")
    for one in folder.glob("*.parquet"):
        (mapping / f"{one.stem}.sql").write_text(f'SELECT * FROM "{one.stem}"')
    return mapping


@pytest.mark.parametrize("how", ["cut", "gone"])
@pytest.mark.parametrize("name", [T.INTERESTS, T.PROFILES, T.BLOCKS, T.EVENTS])
def test_what_a_mapping_reads_beside_a_damaged_file_restricts(
    town: Published, tmp_path: Path, name: str, how: str
) -> None:
    _, folder = _source(tmp_path)
    mapping, file = _mapped(tmp_path, folder), folder / f"{name}.parquet"
    content = file.read_bytes()
    file.unlink()
    if how == "cut":
        file.write_bytes(content[: len(content) // 2])
    assert _shown(town, tmp_path, f"mapping:{mapping}") <= _of(name)


_NAMED = {
    "plain": 'SELECT {columns} FROM "{name}"',
    "of an alias": 'SELECT {aliased} FROM "{name}" AS t',
    "joined": 'SELECT {aliased} FROM "{name}" AS t LEFT JOIN boundaries AS other ON other.user_id = t.{one}',
    "within": 'WITH t AS (SELECT {columns} FROM "{name}") SELECT * FROM t',
    "cast": 'SELECT * REPLACE (CAST(ts AS TIMESTAMPTZ) + INTERVAL 1 DAY AS ts) FROM "{name}"',
    "a text": 'SELECT {columns} FROM (SELECT * REPLACE (CAST(ts AS TIMESTAMP) AS ts) FROM "{name}")',
}


@pytest.mark.parametrize("named", _NAMED)
@pytest.mark.parametrize("name", [T.BLOCKS, T.REPORTS, T.HOLDS, T.EVENTS])
def test_a_query_restricts_by_the_columns_that_it_can_read(
    town: Published, tmp_path: Path, name: str, named: str
) -> None:
    """Seen to fail: where a column of no matter was renamed, a query restricted nobody."""
    _, folder = _source(tmp_path)
    mapping, file = _mapped(tmp_path, folder), folder / f"{name}.parquet"
    table = pq.read_table(file)
    columns, at = table.column_names, table.column_names.index(C.TS)
    words = {"columns": ", ".join(columns), "aliased": ", ".join(f"t.{one}" for one in columns)}
    person = C.USER if C.USER in columns else C.ACTOR
    (mapping / f"{name}.sql").write_text(_NAMED[named].format(name=name, one=person, **words))
    soon = pa.array(["soon"] * len(table))
    pq.write_table(table.set_column(at, C.TS if named == "a text" else "since", soon), file)
    assert not _shown(town, tmp_path, f"mapping:{mapping}")


@pytest.mark.parametrize(
    "place",
    [
        *("Blocks/part-0.parquet", "blocks.PARQUET", "blocks (1).parquet", "export/blocks.parquet"),
        *("blocks.parquet/_part-1.parquet", "blocks.parquet/year=2026/part.parquet"),
    ],
)
def test_a_table_that_lies_where_a_night_refuses_it_restricts(
    town: Published, tmp_path: Path, place: str
) -> None:
    """Seen to fail: such a file ended the night, and what stands in it restricted nobody."""
    source, folder = _source(tmp_path)
    content = (folder / "blocks.parquet").read_bytes()
    (folder / "blocks.parquet").unlink()
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    (folder / place).write_bytes(content)
    assert not _shown(town, tmp_path, source)
