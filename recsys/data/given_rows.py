"""Rows of a table in whatever form a caller hands it over."""

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from enum import Enum
from itertools import zip_longest
from typing import Any, Final

import numpy as np
import pandas as pd

from recsys.data.strict_json import any_json

_DEEPEST: Final = 50
_TEXT = str | bytes | bytearray
_BEGINS: Final = ("{", "[", '"')
_MARKS: Final = "\ufeff\ufffe\ufffd\u200b\u2060\x00\x1a\x1e\xa0\u3000 \t\r\n\v\f"
"""What programs write around a text: marks of byte order and of ends, separators, blanks, half a letter."""
_LINE_ENDS: Final = re.compile(r"[\r\n\x1e]+")
_ENCODINGS: Final = ("cp932", "gb18030", "big5")
"""Others than those of Unicode in which a byte of a letter may be that of a sign of JSON."""
_PLAIN: Final = (str, bytes, int, float, dt.date, type(None))


def opened(given: Any, around: tuple[int, ...] = ()) -> Any:
    r"""Return a value with the texts of JSON in it as what they hold, and the tables in it as their rows.

    A table is also an object of columns, each a list or an object by row, or names beside lists of values, or
    a list whose first row is names. Where a value may be read in two ways, both are there. A list that holds
    itself ends there.

    >>> opened('"[{\\"type\\": \\"end\\"}]"'), opened({"type": ["end", "hide"], "actor": "a"})
    ([{'type': 'end'}], [{'type': 'end', 'actor': 'a'}, {'type': 'hide', 'actor': 'a'}])
    >>> opened([["type", "actor"], ["end", "a"]])[-1]
    {'type': 'end', 'actor': 'a'}
    """
    given = given.tobytes() if isinstance(given, memoryview) else given
    given = given.value if isinstance(given, Enum) else given
    if isinstance(given, _TEXT):
        return _opened_text(given, around)
    if id(given) in around or len(around) > _DEEPEST:
        return None
    rows = None if isinstance(given, _PLAIN) else rows_given(given)
    if rows is not None:
        return [opened(row, (*around, id(given))) for row in rows]
    if isinstance(given, Mapping):
        given = _with_plain_names(given)
        return _rows_of_columns(given) or _opened_object(given, (*around, id(given)))
    if isinstance(given, Iterable) and not isinstance(given, _PLAIN):
        listed = [*given]
        inside = [opened(one, (*around, id(given))) for one in listed]
        return [*inside, *_rows_under_names(listed)]
    return given


def _opened_object(given: Mapping[Any, Any], around: tuple[int, ...]) -> Any:
    kept = {name: opened(value, around) for name, value in given.items()}
    more = [*_rows_of_objects(given), *_rows_beside_names(given)]
    return [kept, *more] if more else kept


def _opened_text(given: str | bytes | bytearray, around: tuple[int, ...]) -> Any:
    whole = bytes(given) if isinstance(given, bytearray) else given
    for text in _texts(whole) if len(around) <= _DEEPEST else ():
        if not text.startswith(_BEGINS):
            continue
        with suppress(ValueError, RecursionError):
            return opened(any_json(text), (*around, 0))
        lines = [line for one in _LINE_ENDS.split(text) if (line := one.strip(_MARKS))]
        with suppress(ValueError, RecursionError):
            return [opened(any_json(line), (*around, 0)) for line in lines]
    return whole


def _texts(given: str | bytes) -> Iterator[str]:
    """Yield what a text may be, without marks around it, in encodings that programs write unasked."""
    if isinstance(given, str):
        yield given.strip(_MARKS)
        return
    for encoding in (json.detect_encoding(given), *(() if given.isascii() else _ENCODINGS)):
        yield given.decode(encoding, "replace").strip(_MARKS)


def _with_plain_names(given: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Return an object of which no name has marks or blanks around it that nobody sees."""
    if not any(isinstance(name, str) and name != name.strip(_MARKS) for name in given):
        return given
    plain = {name.strip(_MARKS) if isinstance(name, str) else name: value for name, value in given.items()}
    return plain if len(plain) == len(given) else given


def _is_column(value: object) -> bool:
    is_list = isinstance(value, list | tuple | pd.Series | np.ndarray)
    return is_list and all(isinstance(one, _PLAIN) for one in value)  # type: ignore[attr-defined]


def _rows_of_columns(given: Mapping[Any, Any]) -> list[dict[Any, Any]]:
    """Return the rows of an object of columns; a value that is no list is that of each row."""
    columns = {name: [*value] for name, value in given.items() if _is_column(value) and len(value)}
    others = {name: value for name, value in given.items() if name not in columns}
    if not columns or not all(isinstance(value, _PLAIN) for value in others.values()):
        return []
    rows = zip_longest(*columns.values())
    return [{name: row.get(name, others.get(name)) for name in given} for row in _named(columns, rows)]


def _rows_of_objects(given: Mapping[Any, Any]) -> list[dict[Any, Any]]:
    """Return the rows of an object of columns that are objects by row."""
    columns = {name: value for name, value in given.items() if isinstance(value, Mapping) and value}
    plain = all(isinstance(one, _PLAIN) for column in columns.values() for one in column.values())
    if not columns or not plain or len(columns) < len(given):
        return []
    places = dict.fromkeys(place for column in columns.values() for place in column)
    return [{name: column.get(place) for name, column in columns.items()} for place in places]


def _rows_beside_names(given: Mapping[Any, Any]) -> list[dict[Any, Any]]:
    """Return the rows of an object that holds names and, beside them, lists of as many values."""
    listed = [value for value in given.values() if isinstance(value, list | tuple)]
    names = [value for value in listed if value and all(isinstance(one, str) for one in value)]
    return [row for one in names for rows in listed if rows is not one for row in _named(one, rows)]


def _rows_under_names(given: list[Any]) -> list[dict[Any, Any]]:
    """Return the rows of a list whose first one is names."""
    names = given[0] if given and isinstance(given[0], list | tuple) else ()
    return [*_named(names, given[1:])] if names and all(isinstance(one, str) for one in names) else []


def _named(names: Iterable[Any], rows: Iterable[Any]) -> Iterator[dict[Any, Any]]:
    """Yield the rows that have a value for each name."""
    named = [*names]
    for row in rows:
        if isinstance(row, list | tuple) and len(row) == len(named):
            yield dict(zip(named, row, strict=True))


def rows_given(given: Any) -> list[dict[Any, Any]] | None:
    """Return the rows of one table, or of one row of it, with None for what it has as not known.

    A table is of pandas, polars, Arrow or numpy (with named fields), or `Events`; a row is a Series, a record
    or a tuple with names. None is returned for anything else.

    >>> frame = pd.DataFrame({"user_id": ["a"], "account_state": [None]})
    >>> rows_given(frame) == rows_given(frame.to_records(index=False))
    True
    >>> rows_given(next(frame.itertuples(index=False))), rows_given("a"), rows_given([1])
    ([{'user_id': 'a', 'account_state': None}], None, None)
    """
    if isinstance(frame := getattr(given, "frame", None), pd.DataFrame):
        given = frame
    if isinstance(given, pd.DataFrame):
        given = _with_index(given)
    if isinstance(given, pd.Series):
        return None if isinstance(given.index, pd.RangeIndex) else [_plain(given.to_dict())]
    if isinstance(given, np.ndarray | np.void):
        names = given.dtype.names
        return (
            None
            if names is None
            else [_plain(dict(zip(names, row.item(), strict=True))) for row in np.ravel(given)]
        )
    if isinstance(given, tuple):
        return [_plain(given._asdict())] if hasattr(given, "_asdict") else None
    if not (hasattr(given, "columns") or hasattr(given, "column_names")) or isinstance(given, Mapping):
        return None
    for method, arguments in (("to_pylist", ()), ("to_dicts", ()), ("to_dict", ("records",))):
        if hasattr(given, method):
            return [_plain(row) for row in getattr(given, method)(*arguments)]
    return None


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with what names of its index hold as columns, where it has no such column."""
    levels = enumerate(frame.index.names)
    named = {str(name): at for at, name in levels if name is not None and name not in frame}
    return frame.assign(**{name: frame.index.get_level_values(at) for name, at in named.items()})


def _plain(row: Mapping[Any, Any]) -> dict[Any, Any]:
    return {name: None if _is_unknown(value) else value for name, value in row.items()}


def _is_unknown(value: object) -> bool:
    """Say whether a table has a value as not known; a list or an array is a value."""
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value)  # noqa: PLR0124
