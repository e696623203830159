"""CSV reading: UTF-8, a header line, commas, every column text.

An empty field is null; "" in quotes is an empty text. A line with too few or too many fields is an
error of the file: which column was meant cannot be known.
"""

import codecs
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import SourceError, explained, warn
from recsys.storage.atomic_write import unreadable

LONGEST_FIELD: Final = 1 << 20
"""Bytes between two separators, quotes or line ends that are left alone."""

CUT_TO: Final = 1 << 14
"""Bytes kept of a longer run: still too long for any column, so its row is quarantined."""

_CHUNK: Final = 1 << 26
_MARKS: Final = np.frombuffer(b',"\r\n', np.uint8)


def with_long_fields_cut(path: Path) -> bytes:
    r"""Return the content of a CSV file with every run longer than `LONGEST_FIELD` cut to `CUT_TO` bytes.

    A run is what stands between commas, quotes and line ends. Cut inside a character, the rest of
    that character goes too, so UTF-8 stays UTF-8.
    """
    content = np.memmap(path, np.uint8, "r")
    parts: list[bytes] = []
    written = 0
    for start, end in _long_runs(content):
        kept = content[start : start + CUT_TO].tobytes().decode("utf-8", "ignore").encode()
        parts += [content[written:start].tobytes(), kept]
        written = end
    return b"".join([*parts, content[written:].tobytes()])


def _long_runs(content: npt.NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Return where each long run starts and ends, in order."""
    runs: list[tuple[int, int]] = []
    begin = 0
    for offset in range(0, len(content), _CHUNK):
        chunk = content[offset : offset + _CHUNK]
        ends = np.flatnonzero(np.isin(chunk, _MARKS)).astype(np.int64) + offset
        starts = np.concatenate([[begin], ends[:-1] + 1]) if len(ends) else ends
        long = ends - starts > LONGEST_FIELD
        runs += zip(starts[long].tolist(), ends[long].tolist(), strict=True)
        begin = int(ends[-1]) + 1 if len(ends) else begin
    if len(content) - begin > LONGEST_FIELD:
        runs.append((begin, len(content)))
    return runs


_OTHER_MARKS: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BLOCK: Final = 1 << 24
"""Bytes the reader takes at once; no line may be longer."""

_ROWS_IN_QUOTES: Final = "a field in quotation marks holds whole rows"
_REMEDY: Final = "save it as CSV in UTF-8 with one header line, commas between, as many fields in each line"


def read_csv(path: Path) -> pd.DataFrame:
    """Return a CSV file as text columns, null where a field is empty.

    Raises SourceError when the file is not UTF-8, has uneven lines, or cannot be read at all.
    """
    import pyarrow as pa

    try:
        _refuse_other_marks(path)
        try:
            return _parsed(lambda: path, str(path))
        except pa.ArrowInvalid as error:
            if "straddl" not in str(error):
                raise
            content = with_long_fields_cut(path)
            return _parsed(lambda: pa.BufferReader(content), str(path))
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _not_utf8(path) if "UTF8" in str(error) else unreadable(path, error, _REMEDY) from None


def _parsed(opened: Callable[[], Any], where: str) -> pd.DataFrame:
    """Read everything as text: the names first, since only named columns can be given a type."""
    import pyarrow as pa
    from pyarrow import csv

    parse = csv.ParseOptions(newlines_in_values=True)
    reading = csv.ReadOptions(block_size=_BLOCK)
    with csv.open_csv(opened(), reading, parse) as stream:
        names = stream.schema.names
    if len({*names}) < len(names):  # which column was meant is asked of whoever knows the table
        return _with_repeated_names(opened, names, parse)
    as_text = csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.large_string()),
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    table = csv.read_csv(opened(), reading, parse, as_text)
    _refuse_rows_in_quotes(table, where)
    return table.to_pandas()


def _refuse_rows_in_quotes(table: Any, where: str) -> None:
    """Raise SourceError for a field over several lines with commas: no column holds such a text.

    A quotation mark that was opened by mistake is closed rows later, and the rows between are gone.
    """
    import pyarrow.compute as pc

    for name in table.column_names:
        values = table.column(name)
        trimmed = pc.utf8_trim_whitespace(values.filter(pc.match_substring(values, ",").fill_null(False)))
        if pc.any(pc.match_substring_regex(trimmed, r"[\r\n]")).as_py():
            remedy = "look for a quotation mark that is opened and not closed"
            raise SourceError(explained(_ROWS_IN_QUOTES, where=where, remedy=remedy))


def _with_repeated_names(opened: Callable[[], Any], names: list[str], parse: Any) -> pd.DataFrame:
    """Return a table in which a name stands twice, its columns in order."""
    import pyarrow as pa
    from pyarrow import csv

    places = [str(at) for at in range(len(names))]
    reading = csv.ReadOptions(block_size=_BLOCK, column_names=places, skip_rows=1)
    as_text = csv.ConvertOptions(
        column_types=dict.fromkeys(places, pa.large_string()),
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    return csv.read_csv(opened(), reading, parse, as_text).to_pandas().set_axis(names, axis=1)


def warn_of_rows_in_quotes(table: Any, delimiter: str, where: str) -> None:
    """Warn where fields in quotation marks seem to hold the ends, or the whole, of other rows.

    A mark that was opened by mistake is closed rows later: what stands between is the text of one field, and
    the rows are gone. Such a field has, line by line, as many delimiters as its row and the others would.

    table: an Arrow table of texts, whose columns may share a name: those under merged cells have none.
    """
    import pyarrow.compute as pc

    rows, lost, last = 0, 0, table.num_columns - 1
    for at, values in enumerate(table.columns):
        for value in values.filter(pc.match_substring(values, "\n").fill_null(False)).to_pylist():
            first, *between, end = [line.count(delimiter) for line in value.split("\n")]
            if first == last - at and end == at and all(count == last for count in between) and last:
                rows, lost = rows + 1, lost + 1 + len(between)
    if rows:
        got = f"{rows} fields with the text of {lost} more rows"
        remedy = "look for a quotation mark that is opened and not closed; write one within a field twice"
        warn(explained(_ROWS_IN_QUOTES, where=where, got=got, remedy=remedy))


def _refuse_other_marks(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(_OTHER_MARKS) or (len(start) == 4 and 0 in start):
        raise _not_utf8(path)


def _not_utf8(path: Path) -> SourceError:
    return SourceError(explained("not UTF-8 text", where=str(path), remedy="save the file as CSV in UTF-8"))
