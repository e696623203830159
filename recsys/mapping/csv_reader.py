"""CSV of any dialect as columns of texts, with one row of headers or several."""

import csv
import gzip
import io
import re
from collections import deque
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pydantic import Field

from recsys.config import Section
from recsys.errors import SourceError, explained
from recsys.mapping.encodings import decode_text
from recsys.mapping.header_rows import ROWS_LOOKED_AT, is_row_of_data
from recsys.redaction import column_labels
from recsys.storage.csv import warn_of_rows_in_quotes

_DELIMITERS: Final = ",;\t|^~\x01\x1f"
"""What exports part fields with; the last two are those of Hive, and of ASCII itself."""
_LINE_ENDS: Final = "\r\n"
_EXCEL_MARK: Final = re.compile(r"\Asep=.\r?\n")
_OTHER_LENGTH: Final = re.compile(r"Expected (\d+) columns, got (\d+)")
_END_OF_FILE: Final = "\x1a"
"""What tools of DOS write behind the last row."""
_END: Final = "end"
"""A last row of one's own, to see whether it is one."""


class NoNamesError(SourceError):
    """The first row of a CSV file is one of data, and nothing says so."""


class TableOptions(Section):
    """How one table of a source is read, where the file cannot say so itself.

    header_rows: rows of a CSV file before the first row of data, 0 where it has no names: the columns are
    then `column0`, `column1` and so on. Not said, it is 1, and a first row that is one of data is refused.
    The names are those of the first of them that names every column differently; where none does, such as
    under merged cells, each column has the names above it, joined by a blank.
    """

    encoding: str | None = None
    delimiter: str | None = None
    header_rows: int = Field(default=1, ge=0)
    file: str | None = None


def file_bytes(file: Path) -> bytes:
    """Return the content of a file, unpacked where its name ends in `.gz`.

    Raises SourceError when it cannot be read.
    """
    try:
        return gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (OSError, EOFError) as error:
        raise SourceError(explained("cannot be read", where=file.name, got=type(error).__name__)) from None


def read_csv(file: Path, *, encoding: str | None, options: TableOptions) -> Any:
    """Return a CSV file as text columns; an empty field is NULL.

    Raises NoNamesError when the first row is one of data and nothing says so, SourceError when it cannot be
    decoded, when lines have another number of fields than the header, or
    when a field in quotation marks does not end.
    """
    import pyarrow as pa
    import pyarrow.csv as pc

    text = _EXCEL_MARK.sub("", decode_text(file_bytes(file), encoding, file.name))
    text = text.lstrip(_LINE_ENDS).rstrip(_END_OF_FILE)
    if not text.strip():
        raise SourceError(explained("the file is empty", where=file.name, remedy="write its header at least"))
    delimiter = options.delimiter or delimiter_of(text)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    headers = list(islice(rows, max(1, options.header_rows)))
    first = headers[0] if headers else []
    if "header_rows" not in options.model_fields_set and is_row_of_data(
        first, list(islice(rows, ROWS_LOOKED_AT))
    ):
        own = f"under `tables: {file.name.partition('.')[0]}` of mapping.yaml"
        remedy = f"say `header_rows: 0` {own} where it has none, `header_rows: 1` where these are names"
        raise NoNamesError(explained("the first row is no row of names", where=file.name, remedy=remedy))
    names = column_names(headers) if options.header_rows else [f"column{at}" for at in range(len(first))]
    if len(set(names)) < len(names):
        label = column_labels(names)
        twice = next(label[at] for at, name in enumerate(names) if names.count(name) > 1)
        remedy = f"rename one; below a title, say `header_rows` under `tables: {file.name.partition('.')[0]}`"
        raise SourceError(explained("two columns of one name", where=file.name, got=twice, remedy=remedy))
    try:
        table: Any = pc.read_csv(
            io.BytesIO(f"{text.rstrip(_LINE_ENDS)}\n".encode()),
            read_options=pc.ReadOptions(column_names=names, block_size=1 << 26),
            parse_options=pc.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pc.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowException as error:
        remedy = (
            "give every row as many fields as the header: a title above it (say `header_rows` under "
            f"`tables: {file.name.partition('.')[0]}`) and a count below the rows are rows; "
            "a last row cut short is a file cut off"
        )
        wrong = _OTHER_LENGTH.search(str(error))
        got = (
            f"{wrong[2]} fields, not {wrong[1]}, in row {_row_of(text, delimiter, int(wrong[1]))}"
            if wrong
            else None
        )
        raise SourceError(explained("not one table", where=file.name, got=got, remedy=remedy)) from None
    if '"' in text and _ends_in_quotes(text, delimiter):
        remedy = "write a mark within a field twice; a last row cut short is a file cut off"
        raise SourceError(explained("a quotation mark is never closed", where=file.name, remedy=remedy))
    if '"' in text:
        warn_of_rows_in_quotes(table, delimiter, file.name)
    return table.slice(options.header_rows)


def column_names(headers: Sequence[Sequence[str]]) -> list[str]:
    """Return the name of each column by one or several rows of headers.

    >>> column_names([["id", "q1"], ["number", "your age"]]), column_names([["a", ""]])
    (['id', 'q1'], ['a', 'column1'])
    >>> column_names([["Member", "", "Home"], ["No", "Name", "Name"]])
    ['Member No', 'Member Name', 'Home Name']
    """
    rows = [[name.strip() for name in row] for row in headers]
    whole = next((row for row in rows if all(row) and len(set(row)) == len(row)), None)
    if whole is not None or len(rows) < 2:
        return [name or f"column{at}" for at, name in enumerate(whole or (rows[0] if rows else []))]
    found: list[list[str]] = [[] for _ in rows[0]]
    for row in rows:
        above = ""
        for at in range(len(found)):
            own = row[at] if at < len(row) else ""
            above = own or ("" if row is rows[-1] else above)
            found[at] += [above] if above else []
    return [" ".join(dict.fromkeys(names)) or f"column{at}" for at, names in enumerate(found)]


def _ends_in_quotes(text: str, delimiter: str) -> bool:
    """Say whether a CSV text ends inside a field with marks around it: the rows in that field are lost."""
    with_end = f"{text.rstrip(_LINE_ENDS)}\n{_END}\n"
    try:
        rows = deque(csv.reader(io.StringIO(with_end, newline=""), delimiter=delimiter), maxlen=1)
    except csv.Error:  # a field of more than 128 KiB
        return True
    return rows.pop() != [_END]


def _row_of(text: str, delimiter: str, length: int) -> str:
    """Return the number of the first row with another number of fields, the header being row 1."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    found = next((at for at, row in enumerate(rows, start=1) if row and len(row) != length), None)
    return str(found or "?") + (", the last" if found and next(rows, None) is None else "")


def delimiter_of(text: str) -> str:
    r"""Return what parts the fields of a CSV text: the mark that its first lines hold equally often.

    >>> delimiter_of('a;b\n1,5;2\n'), delimiter_of('one\n')
    (';', ',')
    """
    best, most = ",", 0
    for delimiter in _DELIMITERS:
        rows = csv.reader(io.StringIO(text[:65536], newline=""), delimiter=delimiter)
        lengths = [len(row) for _, row in zip(range(20), rows, strict=False)][:-1] or [1]
        if min(lengths) == max(lengths) and lengths[0] > max(most, 1):
            best, most = delimiter, lengths[0]
    return best
