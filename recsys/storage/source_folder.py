"""What is read of a source, what may lie beside it, and what may be an unread table: files, other schemas.

A file that seems to be a table and is not read would be a list of blocks that nobody keeps: it is an error,
by its name, by the header line in it, or by where it lies.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from recsys.catalogue.columns import Tables as T
from recsys.data.tables import CONTRACTS
from recsys.data.unknown_words import STOP, may_separate, may_stop
from recsys.errors import SourceError, did_you_mean, explained

_BESIDE: Final = (".json", ".md", ".txt", ".yaml")
"""Files that may lie beside tables: they describe them."""
_PROSE: Final = ".md"
_HIDDEN: Final = (".", "_")
_OF_PROGRAMS: Final = ("._", ".~lock.")
"""Before the name of a file that macOS or LibreOffice writes beside one that it holds or has open."""
_SUMMARIES: Final = ("_metadata", "_common_metadata")
"""Parquet files of a folder of parts that hold no rows."""
_UNCOMMITTED: Final = ("_temporary", "_delta_log")
"""Folders that say that not every part counts: a job has not ended, or a log says which parts are of now."""
_ENDINGS: Final = (".csv", ".parquet", ".tsv", ".jsonl", ".ndjson", ".xlsx", ".ods")
"""In the names of files in which a service may keep a table."""
_PARTS: Final = {".parquet", ".csv", ".tsv", ".jsonl", ".ndjson", ".gz"}
_PARQUET_MARK: Final = b"PAR1"
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_SEPARATORS: Final = re.compile(r"[,;|\t]")
_HEADER_BYTES: Final = 1 << 12


def table_named(name: str) -> str | None:
    """Return the table whose name stands as a word in the name of a file, whatever stands around it.

    >>> table_named("Copy of Blocks (2).csv"), table_named("talk-topics.csv"), table_named("roadblocks.csv")
    ('blocks', 'talk_topics', None)
    """
    return next(iter(_tables_named(name)), None)


def _tables_named(name: str) -> list[str]:
    words = "_".join(["", *_LETTERS.findall(unicodedata.normalize("NFKC", name).casefold()), ""])
    return [table for table in CONTRACTS if f"_{table}_" in words]


def refuse_other_schemas(beside: Iterable[tuple[str, str]], read: Collection[str], where: str) -> None:
    """Raise SourceError for what a database holds beside the tables that are read, and may be one of them.

    beside: schema and name of each table of another schema; of each function that gives rows, also of the
    schema that is read, of which the schema is "". A name, or its schema's, may be that of a table, or say as
    an unknown word does that somebody is kept apart or out: these stand in blocks, and in holds.

    >>> refuse_other_schemas([("app", "orders"), ("app", "blocklist")], ["blocks"], "the database")
    """
    for schema, name in beside:
        table = next((one for one in _may_be(schema, name) if one not in read), None)
        if table is not None:
            what = "a table in another schema" if schema else "a function with the name of a table"
            remedy = (
                f"make a view {table} of it where the tables are read, one without rows where it is none, "
                "or take it away"
            )
            got = f"{schema}.{name}" if schema else name
            raise SourceError(explained(what, where=where, got=got, remedy=remedy))


def _may_be(schema: str, name: str) -> list[str]:
    return _tables_named(f"{schema}.{name}") or _restricting(schema, name)


def _restricting(*names: str) -> list[str]:
    """Return the table of what names say as unknown words do: that somebody is kept out, or apart."""
    words = [one for one in names if _LETTERS.search(one)]
    if any(may_stop(one, alone=False) == STOP for one in words):
        return [T.HOLDS]
    return [T.BLOCKS] if any(map(may_separate, words)) else []


_SCHEMAS: Final = ("dbo", "public", "main", "guest")
"""Before the name of a table in files as tools of databases name them: `dbo.Users.csv`."""
_FORMS: Final = (
    "csv",
    "tsv",
    "txt",
    "parquet",
    "json",
    "jsonl",
    "ndjson",
    "db",
    "sql",
    "sqlite",
    "duckdb",
    "gz",
)


def name_of_table(file: str) -> str:
    """Return the name of the table that a file holds: up to the first dot, without the schema in front.

    >>> [*map(name_of_table, ("members.csv.gz", "dbo.Users.csv", "public.csv", "PUBLIC.A.v2.csv"))]
    ['members', 'Users', 'public', 'A']
    """
    first, _, rest = file.partition(".")
    inner = rest.partition(".")[0]
    return inner if first.casefold() in _SCHEMAS and inner and inner.casefold() not in _FORMS else first


def folder_tables(folder: Path, suffix: str) -> dict[str, Path]:
    """Return the table files of a folder by table name.

    Raises SourceError when the folder is not there, or for anything in it that may be an unread table.
    """
    if not folder.is_dir():
        what = "this is a file, not a folder" if folder.exists() else "no such folder"
        raise SourceError(explained(what, got=str(folder), remedy=f"name a folder of *{suffix} files"))
    entries = sorted(folder.iterdir())
    named = {path.stem for path in entries if path.suffix == suffix}
    found = {}
    for path in entries:
        _refuse_unread(path, suffix, named)
        described = path.suffix in _BESIDE or (path.is_dir() and path.suffix != suffix)
        if path.name.startswith(_HIDDEN) or described:
            continue
        if path.suffix != suffix:
            near = did_you_mean(path.stem, CONTRACTS)
            remedy = f"write it as *{suffix} or move it away; {near}"
            raise SourceError(explained("unknown file", where=str(folder), got=path.name, remedy=remedy))
        require_known(path.stem, str(folder))
        found[path.stem] = path
    return found


def require_known(name: str, where: str) -> None:
    """Raise SourceError for a name of no table."""
    if name not in CONTRACTS:
        raise SourceError(
            explained("unknown table", where=where, got=name, remedy=did_you_mean(str(name), CONTRACTS))
        )


def _refuse_unread(path: Path, suffix: str, named: Collection[str]) -> None:
    """Raise SourceError for what is passed over by its name, or lies deeper, and may be a table.

    named: the tables that stand in the folder itself.
    """
    if path.name.startswith(_OF_PROGRAMS):
        return
    described, hidden = path.suffix in _BESIDE, path.name.startswith(_HIDDEN)
    if path.is_dir():
        if hidden or path.suffix != suffix:
            _refuse_folder(path, suffix, named)
        return
    if (described and _may_be_described_table(path, suffix, named)) or (
        hidden and _is_hidden_table(path, named)
    ):
        remedy = f"name it *{suffix} where it is one, or move it away"
        raise SourceError(
            explained("a file that may be a table", where=str(path.parent), got=path.name, remedy=remedy)
        )


def _refuse_folder(path: Path, suffix: str, named: Collection[str]) -> None:
    where, own = str(path.parent), table_named(path.name)
    if own is not None and (path.name.casefold().partition(".")[0] in CONTRACTS or own not in named):
        remedy = f"name it {own}{suffix}, or move it away"
        raise SourceError(
            explained("a folder with the name of a table", where=where, got=path.name, remedy=remedy)
        )
    for inner in sorted(path.rglob("*")) if not path.name.startswith(".") else ():
        got = inner.relative_to(path.parent)
        holds_one = inner.is_dir() or any(one in inner.name.casefold() for one in _ENDINGS)
        if inner.name.startswith(_OF_PROGRAMS) or not holds_one:
            continue
        found = [table for one in got.parts if (table := table_named(one)) is not None]
        if not found and inner.is_file():
            found = _restricting(*(one.partition(".")[0] for one in got.parts))
        if table := next((one for one in found if one not in named), None):
            remedy = f"a table stands in the folder itself: put {table}{suffix} there, or move it away"
            raise SourceError(
                explained("a table in a folder within", where=where, got=str(got), remedy=remedy)
            )


def _may_be_described_table(path: Path, suffix: str, named: Collection[str]) -> bool:
    """Say whether a file that may describe tables may be one: `blocks.csv.txt`, `blocks 2026.json`."""
    parts = path.name.casefold().split(".")
    if suffix.removeprefix(".") in parts[1:-1] or parts[0].strip("_ ") in CONTRACTS:
        return True
    table = table_named(path.name)
    if path.suffix == _PROSE:
        return table is not None and table not in named
    return table is not None or _begins_as_table(path)


def _is_hidden_table(path: Path, named: Collection[str]) -> bool:
    """Say whether a file that its name hides may be a table: `_blocks.csv`, or `.blocks.csv` and no other."""
    table = table_named(path.name)
    if path.name.startswith("_"):
        return table is not None or path.suffix in {".csv", ".parquet"}
    return table is not None and table not in named


def _begins_as_table(path: Path) -> bool:
    """Say whether the first line of a text holds two columns of one table, apart by a delimiter."""
    with path.open("rb") as file:
        first = file.read(_HEADER_BYTES).decode("utf-8-sig", "ignore").partition("\n")[0]
    names = {one.strip(' "\r') for one in _SEPARATORS.split(first.casefold())}
    return any(len(names & {*contract.columns}) > 1 for contract in CONTRACTS.values())


def hidden_parts(folder: Path) -> list[Path]:
    """Return what lies in a table of parts and is read by nobody, though it may hold rows of it.

    >>> hidden_parts(Path("no/such/folder"))
    []
    """
    found = []
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        inside = path.relative_to(folder).parts
        hides = any(one.startswith(_HIDDEN) for one in inside) and not path.name.startswith(_OF_PROGRAMS)
        if path.name in _UNCOMMITTED or (hides and path.name not in _SUMMARIES and _holds_rows(path)):
            found.append(path)
    return found


def _holds_rows(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return path.suffix in _PARTS or file.read(len(_PARQUET_MARK)) == _PARQUET_MARK


def require_whole_parts(folder: Path) -> None:
    """Raise SourceError where a table of parts holds some that nobody would read."""
    if hidden := hidden_parts(folder):
        got = str(hidden[0].relative_to(folder))
        remedy = "write the table again as plain parts; a name that begins with a dot or _ is passed over"
        raise SourceError(explained("a part that is not read", where=str(folder), got=got, remedy=remedy))
