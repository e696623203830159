"""Rows of events in whatever a caller hands over: what is refused restricts all the same."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import zip_longest
from typing import Any

import pandas as pd

from recsys.data.given_rows import rows_given
from recsys.safety.day_log import DayEvent

_DEEPEST = 8


def is_table(given: object) -> bool:
    """Say whether something is one table, of pandas, polars or Arrow or as columns by name, or one text.

    >>> is_table(pd.DataFrame()), is_table({"type": ["hide"]}), is_table("[]"), is_table([])
    (True, True, True, False)
    """
    return isinstance(given, Mapping | str | bytes) or rows_given(given) is not None


def rows_within(given: Any, deep: int = 0) -> Iterator[DayEvent | Mapping[str, Any]]:
    """Yield the events, and the rows that may be some, of anything that holds them; of anything else none.

    >>> rows = [{"actor": "a", "type": "hide"}, pd.DataFrame({"actor": ["b"], "target": [None]})]
    >>> [row["actor"] for row in rows_within([rows, '{"actor": "c"}', 7])]
    ['a', 'b', 'c']
    """
    if isinstance(given, DayEvent):
        yield given
    elif isinstance(given, str | bytes):
        with suppress(ValueError, RecursionError):
            parsed = json.loads(given)
            yield from () if isinstance(parsed, str) else rows_within(parsed, deep + 1)
    elif (rows := rows_given(given)) is not None:
        yield from rows
    elif isinstance(given, Mapping) and "type" not in given and deep < _DEEPEST:
        for value in given.values():
            yield from rows_within(value, deep + 1) if isinstance(value, Mapping | list | tuple) else ()
        yield given
    elif isinstance(given, Mapping):
        yield from _mapping_rows(given)
    elif isinstance(given, Iterable):
        for one in given if deep < _DEEPEST else ():
            yield from rows_within(one, deep + 1)
    elif hasattr(given, "__dict__"):
        yield vars(given)


def _mapping_rows(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a mapping, which is one row, unless each of its values is a column."""
    if not all(isinstance(value, list | tuple | pd.Series) for value in given.values()):
        return [dict(given)]
    return [dict(zip(given, row, strict=True)) for row in zip_longest(*given.values())]
