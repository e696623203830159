"""Whether the first row of a CSV text is one of names or one of data, by what stands below it.

An export without a row of names (`COPY ... TO`, `SELECT INTO OUTFILE`, `bcp`, unloads of mainframes) would
lose its first row, such as a block, to the names of the columns.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from recsys.data.date_reading import read_date
from recsys.redaction import is_a_value

ROWS_LOOKED_AT: Final = 200
_KINDS: Final = tuple(
    map(
        re.compile,
        (
            r"[+-]?\d+",
            r"[+-]?\d*[.,]\d+",
            r"[^@\s]+@[^@\s]+",
            r"\{?[0-9A-Fa-f]{8}-?([0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}\}?",
        ),
    )
)
_FEWEST_NUMBERED: Final = 3


def is_row_of_data(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Say whether a first row is one of data: each field is such as those below it, and some surely no name.

    rows: those below it; without any, a first row of nothing but values is one of data.

    >>> is_row_of_data(["000001", "000031"], [["000002", "000032"], ["000003", "000033"]])
    True
    >>> is_row_of_data(["id", "2024"], [["1", "30"], ["2", "31"]])
    False
    """
    named = [name.strip() for name in first]
    known = [name for name in named if name]
    if not rows:
        return bool(known) and all(map(is_a_value, known))
    if _count_up(named):
        return False
    found = [_fits(name, [row[at].strip() for row in rows if len(row) > at and row[at].strip()])
             for at, name in enumerate(named) if name]  # fmt: skip
    return False not in found and True in found


def _fits(name: str, values: Sequence[str]) -> bool | None:
    """Say whether a name is one of the values of its column; None where nothing says it."""
    if not values:
        return None
    kind = next((kind for kind in _KINDS if all(map(kind.fullmatch, values))), None)
    if kind is not None:
        return kind.fullmatch(name) is not None
    if all(map(_is_date, values[:20])):
        return _is_date(name)
    shapes = set(map(_shape, values))
    if len(shapes) == 1 and "9" in (shape := shapes.pop()):
        return _shape(name) == shape
    return None


def _is_date(text: str) -> bool:
    return any(char.isdigit() for char in text) and read_date(text, "dmy")[0] is not None


def _shape(text: str) -> str:
    """Return a text with each number as one 9: `M-0017` and `M-2` are alike."""
    return re.sub(r"\d+", "9", text)


def _count_up(names: Sequence[str]) -> bool:
    """Say whether several names count up, as numbers of questions or years do."""
    numbers = [int(name) for name in names if name.isdecimal()]
    return len(numbers) >= _FEWEST_NUMBERED and all(b - a == 1 for a, b in pairwise(numbers))


def more_headers(table: Any) -> int:
    """Return how many of the first rows are headers too: they fit no column of numbers or dates."""
    if table.num_rows < 10:
        return 0
    marks: list[list[bool]] = []
    for column in table.columns:
        texts = [one for one in column.slice(0, 200).to_pylist() if isinstance(one, str)]
        rest = texts[3:]
        for reads in (is_whole, lambda text: read_date(text, "dmy")[0] is not None):
            if len(rest) > 20 and sum(map(reads, rest)) >= 0.95 * len(rest):
                marks += [[reads(text) for text in column.slice(0, 3).to_pylist() if text is not None]]
    n = 0
    while marks and n < 3 and all(len(one) > n and not one[n] for one in marks):
        n += 1
    return n


def is_whole(text: str) -> bool:
    """Say whether a text is a whole number."""
    return text.strip().lstrip("-").isdigit()
