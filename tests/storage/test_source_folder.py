"""What lies in a folder of tables is read, or refused by name: nothing that restricts is passed over."""

import gzip
from collections.abc import Callable
from contextlib import suppress
from itertools import product
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.errors import SettingsError, SourceError
from recsys.mapping.project import Mapping
from recsys.storage.source_folder import table_named
from recsys.storage.source_snapshot import take_snapshot
from recsys.storage.sources import read_tables
from recsys.storage.table_files import write_tables
from recsys.testing.people import make_tables

ROWS = pd.DataFrame({C.ACTOR: ["a"], C.TARGET: ["b"], C.TS: pd.to_datetime(["2026-01-05"], utc=True)})
RESTRICTING = (T.BLOCKS, T.HOLDS, T.REPORTS)

AROUND = ("{}", "{} (1)", "{} - Copy", "copy of {}", "{}_2026-11-30", "{}2", "my-{}", "{}.old", " {} ", "_{}")
ENDINGS = (
    "{s}",
    "{S}",
    "{s}.gz",
    "{s}.txt",
    "{s}.tmp",
    "{s}.bak",
    "{s}~",
    ".txt",
    ".json",
    ".jsonl",
    ".tsv",
    ".xlsx",
    ".yaml",
    ".TXT",
    "",
    "{s}.json",
    "{s} ",
    "{s}.part",
)
NOT_PASSED = r"may be a table|table in a folder within|with the name of a table"
CASES: tuple[Callable[[str], str], ...] = (str.lower, str.upper, str.title)


def folder_of_tables(folder: Path, suffix: str) -> Path:
    """Return a folder with tables that restrict nobody."""
    tables = make_tables(5, np.random.default_rng(1))
    folder.mkdir()
    for name, frame in tables.items():
        if name not in RESTRICTING:
            written(frame, folder / f"{name}{suffix}")
    return folder


def written(frame: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if ".parquet" in path.name.lower():
        frame.to_parquet(path)
    else:
        joined = frame.map(lambda value: "|".join(value) if isinstance(value, list) else value)
        joined.to_csv(path, index=False)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(path.read_bytes()))


def assert_not_passed_over(folder: Path, suffix: str, name: str) -> None:
    source = f"{suffix[1:]}:{folder}"
    with suppress(SourceError):
        read = read_tables(source)
        assert any(len(read.get(table, ())) for table in RESTRICTING), name


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("table", RESTRICTING)
def test_no_file_that_seems_to_be_a_table_is_passed_over(tmp_path: Path, suffix: str, table: str) -> None:
    """Seen to fail: `blocks-2026.txt`, `my-blocks.json` and `_blocks_2.csv` were passed over."""
    folder = folder_of_tables(tmp_path / "tables", suffix)
    assert not {*read_tables(f"{suffix[1:]}:{folder}")} & {*RESTRICTING}
    names = {
        case(around.format(table)) + ending.format(s=suffix, S=suffix.upper())
        for around, ending, case in product(AROUND, ENDINGS, CASES)
    }
    for name in sorted(names):
        written(ROWS, folder / name)
        assert_not_passed_over(folder, suffix, name)
        (folder / name).unlink()
    assert read_tables(f"{suffix[1:]}:{folder}")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(
    "name",
    [
        "new/{t}{s}",
        "tables/tables/{t}{s}",
        "2026-11-30/{t}{s}",
        "{T}/part-0{s}",
        "{t}.PARQUET/part-0{s}",
        "{t} /part-0{s}",
        "{t} (1)/part-0{s}",
        "{t}_/p{s}",
        "bans/list{s}",
        "safe/blocklist{s}",
        "moderation/new/suspended.{s}.gz",
        "凍結/p{s}",
        "{t} (1).md",
        "_{t}{s}/p{s}",
        ".{t}{s}/p{s}",
        "new/{T}/part-00000",
        "new/{t}{s}.gz",
        "new/{t}{s}/p{s}",
        "{t}.d/part-0{s}",
        "{t}-2026/part-0{s}",
        "new/{t} (1){s}",
        ".{t}{s}",
        ".{t}{s}.a1B2c3",
        "{t}{s}.d/part-0{s}",
        "リスト.txt",
        "export.txt",
        "_export{s}",
        "new/{T}{s}",
    ],
)
def test_no_table_within_or_hidden_is_passed_over(tmp_path: Path, suffix: str, name: str) -> None:
    """Seen to fail: a table in a folder below, and one hidden by a dot, were passed over without a word."""
    folder = folder_of_tables(tmp_path / "tables", suffix)
    placed = name.format(t=T.BLOCKS, T=T.BLOCKS.title(), s=suffix)
    written(ROWS, folder / placed)
    with pytest.raises(SourceError, match=NOT_PASSED):
        read_tables(f"{suffix[1:]}:{folder}")


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "notes.txt",
        "schema.json",
        "._blocks.csv",
        ".~lock.blocks.csv#",
        ".DS_Store",
        "truth/pairs.csv",
        "__MACOSX/._blocks.csv",
        "old/profiles.csv",
        "roadblocks.txt",
        ".git/blocks.csv",
    ],
)
def test_what_is_no_table_may_lie_beside_them(tmp_path: Path, name: str) -> None:
    folder = folder_of_tables(tmp_path / "tables", ".csv")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("What actor and target are: who, and whom.\n", encoding="utf-8")
    assert read_tables(f"csv:{folder}")


@pytest.mark.parametrize(
    "part",
    [
        "_part-1.parquet",
        ".part-1.parquet",
        "_temporary/0/part-1.parquet",
        ".new/part-1.parquet",
        "_d/p.parquet",
        "y=1/_p.parquet",
        "_delta_log/0.json",
        "_part-1.parquet.tmp",
        ".part-1.inprogress",
    ],
)
def test_no_part_of_a_table_is_passed_over(tmp_path: Path, part: str) -> None:
    """Seen to fail: rows of a part that its name or folder hides restricted nobody."""
    table = tmp_path / "blocks.parquet"
    table.mkdir()
    ROWS.to_parquet(table / "part-0.parquet")
    for name in ("_SUCCESS", "_metadata", "._part-0.parquet", ".part-0.parquet.crc"):
        (table / name).write_bytes(b"")
    assert len(read_tables(f"parquet:{tmp_path}")[T.BLOCKS]) == 1
    (table / part).parent.mkdir(parents=True, exist_ok=True)
    ROWS.to_parquet(table / part)
    with pytest.raises(SourceError, match="a part that is not read"):
        read_tables(f"parquet:{tmp_path}")


@pytest.mark.parametrize("kind", ["TABLE", "VIEW"])
@pytest.mark.parametrize("name", ["safety.blocks", "safety.Blocks", "safety.blocks_2026"])
def test_a_table_in_another_schema_of_duckdb_is_not_passed_over(tmp_path: Path, kind: str, name: str) -> None:
    """Seen to fail: it was passed over by `SHOW TABLES`, which tells of the main schema alone."""
    file = tmp_path / "a.duckdb"
    write_tables({T.PROFILES: make_tables(5, np.random.default_rng(1))[T.PROFILES]}, f"duckdb:{file}")
    with duckdb.connect(str(file)) as database:
        database.execute("CREATE SCHEMA safety")
        database.execute(f"CREATE {kind} {name} AS SELECT 'a' AS actor, 'b' AS target")
    for look in (read_tables, lambda source: take_snapshot(source, tmp_path / "copy")):
        with pytest.raises(SourceError, match="a table in another schema"):
            look(f"duckdb:{file}")
    with duckdb.connect(str(file)) as database:
        database.execute("CREATE VIEW blocks AS SELECT 'a' AS actor, 'b' AS target, now() AS ts")
    assert len(read_tables(f"duckdb:{file}")[T.BLOCKS]) == 1


BESIDE = (
    *((case(form).format(T.BLOCKS), name, T.BLOCKS) for form in ("{}", "{}_v2", "my_{}") for case in CASES
      for name in ("rows", "part_0", "data")),
    *(("safe", form.format(t), t) for form in ("{}", "{}_2026", "all_{}", "{}2") for t in RESTRICTING),
    *((t, "rows", t) for t in RESTRICTING),
    *(("safe", name, T.BLOCKS) for name in ("blocklist", "block_user", "user_mute", "hides", "拒否リスト")),
    *(("safe", name, T.HOLDS) for name in ("bans", "suspended", "blacklist", "凍結", "banned_users")),
    ("bans", "list", T.HOLDS),
    ("blocklist", "rows", T.BLOCKS),
)  # fmt: skip
HARMLESS = (
    ("app", "orders"),
    ("app", "roadmap"),
    ("blog", "posts"),
    ("app", "unblocked"),
    ("y", "2026"),
)


def duckdb_source(folder: Path, statements: list[str]) -> str:
    """Return a DuckDB file with profiles and what more statements make."""
    file = folder / "a.duckdb"
    file.unlink(missing_ok=True)
    write_tables({T.PROFILES: make_tables(5, np.random.default_rng(1))[T.PROFILES]}, f"duckdb:{file}")
    with duckdb.connect(str(file)) as database:
        for statement in statements:
            database.execute(statement)
    return f"duckdb:{file}"


@pytest.mark.parametrize(("schema", "name", "table"), BESIDE)
def test_no_schema_or_macro_that_may_be_a_table_is_passed_over(
    tmp_path: Path, schema: str, name: str, table: str
) -> None:
    """Seen to fail: `blocks.rows`, `safe.blocklist` and a macro `blocks()` restricted nobody, in silence."""
    rows = "SELECT 'a' AS actor, 'b' AS target"
    made = {
        kind: [f'CREATE SCHEMA "{schema}"', f'CREATE {kind} "{schema}"."{name}"{call} AS {of}{rows}']
        for kind, call, of in (("TABLE", "", ""), ("VIEW", "", ""), ("MACRO", "()", "TABLE "))
    }
    made |= {"MACRO in main": [f'CREATE MACRO "{name}"(n) AS TABLE {rows}']} if schema == "safe" else {}
    for statements in made.values():
        source = duckdb_source(tmp_path, statements)
        for look in (read_tables, lambda given: take_snapshot(given, tmp_path / "copy")):
            with pytest.raises(SourceError, match=f"make a view {table} of it"):
                look(source)
        read = [f"CREATE VIEW {table} AS {rows}, now() AS ts WHERE false"]
        assert table in read_tables(duckdb_source(tmp_path, [*statements, *read]))


@pytest.mark.parametrize(("schema", "name"), HARMLESS)
def test_schemas_and_macros_of_other_things_are_passed_over(tmp_path: Path, schema: str, name: str) -> None:
    made = [f'CREATE SCHEMA "{schema}"', f'CREATE TABLE "{schema}"."{name}" (x INT)']
    made.append("CREATE MACRO blocks(x) AS x + 1")
    assert [*read_tables(duckdb_source(tmp_path, made))] == [T.PROFILES]


@pytest.mark.parametrize(
    "name", ["blocks.SQL", "blocks.sql.txt", "Blocks.sql.bak", "blocks (1).sql~", "_blocks.sql.off"]
)
def test_no_query_of_a_mapping_is_passed_over(tmp_path: Path, name: str) -> None:
    """Seen to fail: only `*.sql` was looked for."""
    (tmp_path / "mapping.yaml").write_text("source: data\nas_of: 2026-01-05T00:00:00Z\n", encoding="utf-8")
    (tmp_path / "profiles.sql").write_text("SELECT 1", encoding="utf-8")
    assert [*Mapping.read(tmp_path).queries] == [T.PROFILES]
    (tmp_path / name).write_text("SELECT 1", encoding="utf-8")
    with pytest.raises(SettingsError, match="a file that may be a query"):
        Mapping.read(tmp_path)
    (tmp_path / "blocks.sql").write_text("SELECT 1", encoding="utf-8")
    assert [*Mapping.read(tmp_path).queries] == [T.PROFILES, T.BLOCKS]


def test_names_of_tables_are_whole_words() -> None:
    assert table_named("TALK TOPICS.csv") == T.TALK_TOPICS
    assert table_named("ｂｌｏｃｋｓ.csv") == T.BLOCKS
    assert table_named("unblocks.csv") is None
