"""Reads a source that nothing is said about yet: its encoding, and rows of headers below the first."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recsys.data.date_reading import read_date
from recsys.mapping.encodings import guess_encoding
from recsys.mapping.sources import TableOptions, source_tables

MOST_ROWS: Final = 20_000
"""Rows of a table that are looked at, evenly over the table."""
CSV_SUFFIXES: Final = (".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class DraftSource:
    """Tables by name, the encoding they were read in (None: UTF-8) and how single tables are read."""

    tables: Mapping[str, Any]
    encoding: str | None
    options: Mapping[str, TableOptions]


def read_for_draft(address: str, folder: Path, encoding: str | None = None) -> DraftSource:
    """Return the tables of a source.

    encoding: of its texts; guessed when None, for each CSV file by itself where they are of several.

    Raises SourceError when it cannot be read.
    """
    texts = {file: file.read_bytes() for file in _text_files((folder / address).resolve())}
    options: dict[str, TableOptions] = {}
    if encoding is None:
        other = {file: content for file, content in texts.items() if guess_encoding([content])}
        encoding = guess_encoding(list(other.values()))
        if encoding is None or not all(one.isascii() for file, one in texts.items() if file not in other):
            options, encoding = _encodings_by_table(other, encoding), None
    read = source_tables(address, folder=folder, encoding=encoding, options=options)
    tables = {name: table() for name, table in read.items()}
    spread = {file.name.partition(".")[0] for file in _text_files((folder / address).resolve(), CSV_SUFFIXES)}
    more = {name: n for name, table in tables.items() if name in spread and (n := _more_headers(table))}
    for name, n in more.items():
        options[name] = TableOptions(encoding=options.get(name, TableOptions()).encoding, header_rows=1 + n)
    return DraftSource(
        {name: table.slice(more.get(name, 0)) for name, table in tables.items()}, encoding, options
    )


def _encodings_by_table(texts: Mapping[Path, bytes], encoding: str | None) -> dict[str, TableOptions]:
    """Return the encoding of each CSV file by table: one that fits them all, else its own."""
    return {
        file.name.partition(".")[0]: TableOptions(encoding=encoding or guess_encoding([content]))
        for file, content in texts.items()
        if file.suffix.lower() in CSV_SUFFIXES
    }


def sampled(table: Any) -> Any:
    """Return rows evenly over a table, all of a small one."""
    step = max(1, -(-table.num_rows // MOST_ROWS))
    return table.take(list(range(0, table.num_rows, step))) if step > 1 else table


def _text_files(path: Path, suffixes: tuple[str, ...] = (*CSV_SUFFIXES, ".sql")) -> list[Path]:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return [file for file in files if file.suffix.lower() in suffixes and file.is_file()]


def _more_headers(table: Any) -> int:
    """Return how many of the first rows are headers too: they fit no column of numbers or dates."""
    if table.num_rows < 10:
        return 0
    marks: list[list[bool]] = []
    for column in table.columns:
        texts = [one for one in column.slice(0, 200).to_pylist() if isinstance(one, str)]
        rest = texts[3:]
        for reads in (_is_whole, lambda text: read_date(text, "dmy")[0] is not None):
            if len(rest) > 20 and sum(map(reads, rest)) >= 0.95 * len(rest):
                marks += [[reads(text) for text in column.slice(0, 3).to_pylist() if text is not None]]
    n = 0
    while marks and n < 3 and all(len(one) > n and not one[n] for one in marks):
        n += 1
    return n


def _is_whole(text: str) -> bool:
    return text.strip().lstrip("-").isdigit()
