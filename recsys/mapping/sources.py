"""The tables a service hands over, whatever file they come in, as Arrow.

A source is a folder of files, one file, or a database: CSV in any encoding and dialect, Parquet, both also
in parts and in folders such as `month=2026-06`, JSON lines, SQLite, DuckDB, PostgreSQL, and plain dumps of
PostgreSQL and MySQL. Tables are read when a query first names them. CSV columns are text; what they mean is
said in SQL.
"""

import codecs
import gzip
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, Literal, cast
from urllib.parse import unquote

from recsys.errors import SourceError, did_you_mean, explained
from recsys.mapping.csv_reader import TableOptions, file_bytes, read_csv
from recsys.mapping.database_files import Tables, duckdb_tables, sqlite_tables
from recsys.mapping.dumps import read_dump
from recsys.mapping.encodings import decode_text
from recsys.mapping.extended_json import plain_values
from recsys.mapping.json_documents import describes_tables, is_a_row, tables_of_document, tables_of_models
from recsys.mapping.json_types import json_with_keys_once, objects_of_one_type, rows_of_one_type
from recsys.mapping.unread_forms import unread_form
from recsys.redaction import column_labels, library_reason
from recsys.storage.source_folder import name_of_table, require_whole_parts
from recsys.storage.sources import SAVED_INDEX

_SUFFIXES: Final = {
    ".csv": "csv", ".tsv": "csv", ".mer": "csv", ".txt": "csv",
    ".parquet": "parquet", ".jsonl": "json", ".ndjson": "json",
    ".sqlite": "sqlite", ".sqlite3": "sqlite", ".db": "sqlite", ".duckdb": "duckdb", ".sql": "dump",
}  # fmt: skip
_DESCRIBES: Final = {".md", ".yaml", ".yml", ".pdf"}
_LINES_LOOKED_AT: Final = 20

_PARQUET_MARK: Final = b"PAR1"
_HIVE_NULL: Final = "__HIVE_DEFAULT_PARTITION__"


def source_tables(
    address: str,
    *,
    folder: Path,
    encoding: str | None = None,
    options: Mapping[str, TableOptions] | None = None,
) -> Tables:
    """Return what reads each table of a source; paths are relative to `folder`.

    Raises SourceError when the source is not there, holds no table, or holds two of one name.
    """
    if address.startswith(("postgresql://", "postgres://")):
        return _postgres_tables(address)
    path = (folder / address).resolve()
    if not path.exists():
        remedy = f"name a file or folder; relative paths start at {folder.name}/"
        raise SourceError(explained("no such source", got=address, remedy=remedy))
    given = options or {}
    found: dict[str, Callable[[], Any]] = {}
    alone = not path.is_dir() or path.suffix == ".parquet" or _is_hive(path)
    for file in [path] if alone else sorted(path.iterdir()):
        kind = kind_of(file)
        if kind is None or (kind == "document" and not alone and not _is_readable_document(file)):
            continue
        for name, read in _of_file(file, kind, encoding, given).items():
            if name in found:
                raise SourceError(
                    explained(
                        "two tables of one name",
                        where=address,
                        got=f"{name} in {file.name}",
                        remedy="rename one",
                    )
                )
            found[name] = read
    if not found:
        _raise_for_unread([path] if alone else sorted(path.iterdir()))
        remedy = (
            f"a table is a file ending in {', '.join(_SUFFIXES)}, also with .gz, or in .json: objects one a "
            "line, in a list, under their ids, or several tables of such; save a workbook as a CSV a sheet"
        )
        raise SourceError(explained("no tables are there", where=address, remedy=remedy))
    for name in given:
        if name not in found:
            raise SourceError(
                explained("no such table", where=address, got=name, remedy=did_you_mean(name, found))
            )
    return found


def _raise_for_unread(files: Sequence[Path]) -> None:
    """Raise SourceError where a file without a table is of a form that is known, with what to do."""
    for file in files:
        form = unread_form(file) if file.is_file() else None
        if form is not None:
            raise SourceError(
                explained(f"no tables are read from {form[0]}", where=file.name, remedy=form[1])
            )


def kind_of(file: Path) -> str | None:
    """Return in which form a file or a folder of parts holds a table, None where in none."""
    if file.name.startswith((".", "_")):
        return None
    if file.is_dir():
        kinds = {kind_of(part) for part in parts_of(file)}
        return kinds.pop() if len(kinds) == 1 and kinds <= {"csv", "parquet", "json"} else None
    suffix = Path(file.stem).suffix if file.suffix == ".gz" else file.suffix
    known = _SUFFIXES.get(suffix.lower())
    if known not in {None, "json"}:
        return known
    begins = _begins(file)
    if known == "json":
        return "document" if _models(file, begins) else known
    if suffix.lower() == ".json":
        return _kind_of_json(file, begins)
    return "parquet" if begins.startswith(_PARQUET_MARK) else None


def _kind_of_json(file: Path, begins: bytes) -> str | None:
    """Return `json` for a list or lines of objects, `document` for what holds several tables, else None."""
    if _models(file, begins):
        return "document"
    if begins.lstrip().startswith(b"["):
        return "json"
    lines = _holds_lines_of_objects(file)
    document = _document(file)
    if document is not None and not (lines and is_a_row(document)) and not _has_namesake(file):
        name = name_of_table(file.name)
        if not describes_tables(file.name) and tables_of_document(document, name):
            return "document"
    return "json" if lines else None


def _document(file: Path) -> dict[str, Any] | None:
    """Return the one object of JSON that a file holds, None where it holds something else."""
    try:
        text = decode_text(file_bytes(file), None, file.name)
    except SourceError:
        return None
    try:
        found = json_with_keys_once(text, file.name)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", plain_values(found)) if isinstance(found, dict) else None


_OF_A_MODEL: Final = re.compile(rb'[\s\[{]*"(?:model|pk|fields)"\s*:')


def _models(file: Path, begins: bytes) -> dict[str, list[dict[str, Any]]]:
    """Return the rows by model of a list or lines of objects as Django writes them, nothing of any other."""
    if not _OF_A_MODEL.match(begins):
        return {}
    try:
        text = decode_text(file_bytes(file), None, file.name).strip()
    except SourceError:
        return {}
    if not text.startswith("["):
        text = f"[{','.join(filter(str.strip, text.split(chr(10))))}]"
    try:
        return tables_of_models(json_with_keys_once(text, file.name))
    except (ValueError, RecursionError):
        return {}


def _tables_of_document(file: Path) -> Tables:
    import pyarrow as pa

    def read(name: str, rows: list[dict[str, Any]]) -> Any:
        placed = [(f"row {at} of {name}", row) for at, row in enumerate(rows, 1)]
        return pa.Table.from_struct_array(pa.array(rows_of_one_type(placed, file.name)))

    found = _models(file, _begins(file)) or tables_of_document(
        _document(file) or {}, name_of_table(file.name)
    )
    return {name: partial(read, name, rows) for name, rows in found.items()}


def _is_readable_document(file: Path) -> bool:
    """Say whether each key of a document's tables has one type; beside tables others are descriptions."""
    try:
        for read in _tables_of_document(file).values():
            read()
    except SourceError:
        return False
    return True


def unread_files(address: str, folder: Path) -> list[str]:
    """Return the files of a source that could hold tables and are in no form that is read, or passed over.

    A name that begins with `_` or a dot is that of something else than a table; where such a file has the
    suffix of one, it may be a part that was renamed.
    """
    path = (folder / address).resolve()
    if "://" in address or not path.is_dir() or _is_hive(path):
        return []
    return [
        file.name
        for file in sorted(path.iterdir())
        if file.is_file()
        and not file.name.startswith((".", "_"))
        and file.suffix.lower() not in _DESCRIBES
        and ((kind := kind_of(file)) is None or (kind == "document" and not _is_readable_document(file)))
    ] + [str(file.relative_to(path)) for file in sorted(path.rglob("*")) if _is_hidden_part(file, path)]


_HIDDEN: Final = (".", "_")
_APPLE: Final = "._"
"""Before the name of a file that macOS writes beside each of an archive."""


def _is_hidden_part(file: Path, folder: Path) -> bool:
    suffix = Path(file.stem).suffix if file.suffix == ".gz" else file.suffix
    around = file.relative_to(folder).parts[:-1]
    return (
        file.name.startswith(_HIDDEN)
        and not file.name.startswith(_APPLE)
        and suffix.lower() in _SUFFIXES
        and not any(one.startswith(_HIDDEN) for one in around)
        and file.is_file()
    )


def opened_plain(file: Path) -> IO[bytes]:
    """Open a file whose content may be compressed, for reading its bytes."""
    return cast("IO[bytes]", gzip.open(file)) if file.suffix == ".gz" else file.open("rb")


def _begins(file: Path) -> bytes:
    with opened_plain(file) as opened:
        return opened.read(64).removeprefix(codecs.BOM_UTF8)


def _holds_lines_of_objects(file: Path) -> bool:
    """Say whether each line of a text with at least one is an object of JSON by its first and last sign.

    Settings and descriptions beside the tables are one object over several lines, or one line in a file that
    is called like a table.
    """
    with opened_plain(file) as opened:
        lines = [one for line in islice(opened, _LINES_LOOKED_AT) if (one := line.strip())]
    lines[:1] = [one.removeprefix(codecs.BOM_UTF8) for one in lines[:1]]
    if not lines or (len(lines) == 1 and _has_namesake(file)):
        return False
    return all(one.startswith(b"{") and one.endswith(b"}") for one in lines)


def _has_namesake(file: Path) -> bool:
    """Say whether another file beside it would be the table of its name."""
    name = name_of_table(file.name)
    return any(other != file and name_of_table(other.name) == name for other in file.parent.iterdir())


def _is_hive(folder: Path) -> bool:
    """Say whether a folder is one table in folders such as `month=2026-06`."""
    return any(inner.is_dir() and "=" in inner.name for inner in folder.iterdir())


def parts_of(folder: Path) -> list[Path]:
    """Return the files of a table in parts, also in folders below; `_SUCCESS` and its like are none."""
    found = (part for part in folder.rglob("*") if part.is_file())
    return sorted(p for p in found if not any(n.startswith((".", "_")) for n in p.relative_to(folder).parts))


def _of_file(file: Path, kind: str, encoding: str | None, options: Mapping[str, TableOptions]) -> Tables:
    name = name_of_table(file.name)
    if kind in {"csv", "dump"} and file.is_file() and file.suffix != ".gz":
        _raise_for_unread([file])
    own = options.get(name, TableOptions())
    readers: dict[str, Callable[[Path], Any]] = {
        "csv": partial(read_csv, encoding=own.encoding or encoding, options=own),
        "parquet": _read_parquet,
        "json": partial(_read_json, encoding=own.encoding),
    }
    if kind in readers:
        return {name: partial(_read_parts if file.is_dir() else _read_one, file, readers[kind])}
    if kind == "sqlite":
        return sqlite_tables(file)
    if kind == "duckdb":
        return duckdb_tables(file)
    if kind == "document":
        return _tables_of_document(file)
    tables = read_dump(decode_text(file_bytes(file), encoding, file.name), file.name)
    return {name: partial(_same, table) for name, table in tables.items()}


def _read_one(file: Path, read: Callable[[Path], Any]) -> Any:
    return read(file)


def _read_parts(folder: Path, read: Callable[[Path], Any]) -> Any:
    """Return all parts of a table as one; a folder such as `month=2026-06` is a column of text.

    Raises SourceError when a column has types that do not go together, or a part no column of the others.
    """
    import pyarrow as pa

    require_whole_parts(folder)
    tables, known = [], set[str]()
    for part in parts_of(folder):
        table = read(part)
        if known and known.isdisjoint(table.column_names):
            got = ", ".join(column_labels(table.column_names, known=known)[:5])
            remedy = (
                "give each part the row of names: its first row was taken for them; "
                "files of different tables lie beside each other at the top of the source"
            )
            raise SourceError(
                explained("a part has no column of the others", where=part.name, got=got, remedy=remedy)
            )
        known.update(table.column_names)
        for above in part.relative_to(folder).parts[:-1]:
            key, equals, value = above.partition("=")
            if equals and key not in table.column_names:
                text = None if value == _HIVE_NULL else unquote(value)
                table = table.append_column(key, pa.array([text] * table.num_rows, pa.string()))
        tables.append(table)
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowException, ValueError) as error:
        got, remedy = (
            library_reason(error),
            "write the parts of one table with columns of the same types",
        )
        raise SourceError(
            explained("parts of a table differ", where=folder.name, got=got, remedy=remedy)
        ) from None


def _same(table: Any) -> Any:
    return table


def _read_parquet(file: Path) -> Any:
    """Return a file without the index that pandas saved beside its columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(file, partitioning=None).replace_schema_metadata(None)
        table.validate(full=True)  # texts that are none would fail in the middle of a query
    except (pa.ArrowException, OSError, ValueError) as error:
        got = library_reason(error)
        remedy = "write the file again; it is damaged or no Parquet"
        raise SourceError(
            explained("cannot be read as Parquet", where=file.name, got=got, remedy=remedy)
        ) from None
    return table.drop_columns([name for name in table.column_names if SAVED_INDEX.fullmatch(name)])


def _read_json(file: Path, *, encoding: str | None) -> Any:
    """Return a file of JSON objects, one a line or all in one list."""
    import pyarrow as pa

    objects = objects_of_one_type(decode_text(file_bytes(file), encoding, file.name), file.name)
    return pa.Table.from_struct_array(pa.array(objects))


def _postgres_tables(address: str) -> Tables:
    from recsys.storage.postgres_tables import foreign_tables, read_foreign_table

    return {name: partial(read_foreign_table, address, name) for name in foreign_tables(address)}


Kind = Literal["csv", "parquet", "json", "document", "sqlite", "duckdb", "dump"]
