"""Whether a source came whole: rows held against the export's own count, and files that end inside a line.

A CSV file that was cut between two rows looks like a shorter file. Only a count written with the export says
so on the first night; from the second on the gates compare a table with what it was.
"""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from recsys.catalogue.text_folding import plain
from recsys.errors import SourceError, did_you_mean, explained
from recsys.mapping.csv_reader import TableOptions, read_csv
from recsys.mapping.sources import kind_of, opened_plain, parts_of
from recsys.storage.source_folder import name_of_table

_LINE_ENDS: Final = (b"\n", b"\r", b"\n\0", b"\r\0")
"""Also in UTF-16, whose line end of one byte order ends like that of one byte a letter."""
_COLUMNS: Final = ("table", "rows")
_COPY: Final = re.compile(
    r"^(?:copy of|kopie von|copie de|copia de|copia di)\s+"
    r"|(?:[\s_-]*(?:[(\[]\s*\d+\s*[)\]]|[(\[]?(?:copy|kopie|copie|copia|コピー|副本|사본)[)\]]?))+$"
)
"""What a browser or a file manager adds to the name of a second file of one name."""


def read_counts(file: Path, *, encoding: str | None = None) -> dict[str, int]:
    """Return how many rows an export says each table has, of a CSV file with the columns `table` and `rows`.

    Raises SourceError when it is not there, or holds anything else.
    """
    if not file.is_file():
        remedy = "let the export write it, or leave `counts` out of mapping.yaml"
        raise SourceError(explained("no counts of rows are there", where=file.name, remedy=remedy))
    table = read_csv(file, encoding=encoding, options=TableOptions())
    if not set(_COLUMNS) <= set(table.column_names):
        raise SourceError(
            explained(
                "not counts of rows", where=file.name, got=table.column_names, remedy="write table,rows"
            )
        )
    found: dict[str, int] = {}
    for name, rows in zip(*(table.column(one).to_pylist() for one in _COLUMNS), strict=True):
        if name is None or rows is None or not rows.strip().isdecimal():
            raise SourceError(
                explained("a count is no whole number", where=file.name, got=name, remedy="write table,rows")
            )
        found[name_of_table(Path(name.strip()).name)] = int(rows)
    return found


def check_counts(
    counts: Mapping[str, int], rows_read: Mapping[str, int], known: Mapping[str, object]
) -> None:
    """Hold rows against counts, of the tables that were read.

    known: every table of the source. Raises SourceError naming each table that is not whole or not there.
    """
    problems = []
    for name, rows in counts.items():
        if name not in known:
            problems.append(
                explained("a counted table is not there", got=name, remedy=did_you_mean(name, known))
            )
        elif name in rows_read and rows_read[name] != rows:
            what = "fewer" if rows_read[name] < rows else "more"
            remedy = "it was cut off or is still being written" if what == "fewer" else "the count is older"
            got = f"{rows_read[name]:,} of {rows:,}"
            problems.append(
                explained(
                    f"{what} rows than the export counted",
                    where=name,
                    got=got,
                    remedy=f"{remedy}; export it again",
                )
            )
    if problems:
        raise SourceError("\n".join(problems))


def check_twins(read: Collection[str], known: Collection[str]) -> None:
    """Raise SourceError where a table that no query reads seems to be another file of one that is read.

    The newer of the two may be the one that is left out: `Blocks` beside `blocks`, or what a browser or a
    file manager calls a second copy.

    >>> check_twins(["blocks"], ["blocks", "blocks_2025"])
    """
    for name in sorted(read):
        unread = (other for other in sorted(known) if other not in read)
        twins = [other for other in unread if _as_first_copy(other) == _as_first_copy(name)]
        twins += [other for other in sorted(read) if other < name and other.casefold() == name.casefold()]
        if twins:  # of two names that differ in capitals alone SQL knows one
            got, remedy = f"{name}, {twins[0]}", "keep the one that counts, and move the other away"
            raise SourceError(explained("two tables may be one", got=got, remedy=remedy))


def _as_first_copy(name: str) -> str:
    return _COPY.sub("", plain(name).casefold()).strip()


def unended_files(address: str, folder: Path) -> list[str]:
    r"""Return the CSV files of a source whose last row has no line end, though the rows above it have one.

    Some programs never write the last one, so that this is a sign of a file cut off and no proof.
    """
    path = (folder / address).resolve()
    if "://" in address or not path.exists():
        return []
    files = [path] if path.is_file() else sorted(path.iterdir())
    parts = [
        part
        for file in files
        if kind_of(file) == "csv"
        for part in (parts_of(file) if file.is_dir() else [file])
    ]
    return [
        str(part.relative_to(path)) if path.is_dir() else part.name for part in parts if _is_unended(part)
    ]


def _is_unended(file: Path) -> bool:
    with opened_plain(file) as opened:
        ended, tail = False, b""
        while block := opened.read(1 << 20):
            ended |= b"\n" in block
            tail = (tail + block)[-2:]
    return ended and not tail.endswith(_LINE_ENDS)
