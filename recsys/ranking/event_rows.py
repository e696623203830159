"""Rows of events in whatever a caller hands over: what is refused restricts all the same."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from recsys.data.given_rows import opened, rows_given
from recsys.safety.day_log import DayEvent
from recsys.safety.refused_rows import is_detail, is_type

_FEWEST: Final = 3
"""Values of a row without names: two ids and a type."""


def is_table(given: object) -> bool:
    """Say whether something is one table, of pandas, polars or Arrow or as columns by name, or one text.

    >>> import pandas as pd
    >>> is_table(pd.DataFrame()), is_table({"type": ["hide"]}), is_table("[]"), is_table([])
    (True, True, True, False)
    """
    return isinstance(given, Mapping | str | bytes | bytearray | memoryview) or rows_given(given) is not None


def rows_within(given: Any) -> Iterator[DayEvent | Mapping[str, Any]]:
    """Yield the events, and the rows that may be some, of anything that holds them; of anything else none.

    >>> import pandas as pd
    >>> rows = [{"actor": "a", "type": "hide"}, pd.DataFrame({"actor": ["b"], "target": [None]})]
    >>> [row["actor"] for row in rows_within([rows, '{"actor": "c"}', 7])]
    ['a', 'b', 'c']
    >>> next(rows_within(("e1", "a", "b", "end", "unsafe")))["type"]
    'end'
    """
    return _rows(opened(given))


def _rows(given: Any) -> Iterator[DayEvent | Mapping[str, Any]]:
    if isinstance(given, DayEvent):
        yield given
    elif isinstance(given, Mapping):
        yield given
        for value in given.values():
            yield from _rows(value) if isinstance(value, list | Mapping) else ()
    elif isinstance(given, list):
        for one in given:
            yield from _rows(one)
        yield from _rows_without_names(given)
    elif hasattr(given, "__dict__"):
        yield vars(given)


def _rows_without_names(values: list[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what a list of values may say as an event, by its words; whose they are stands under no name."""
    if len(values) < _FEWEST or any(isinstance(one, list | Mapping) for one in values):
        return
    for kind in filter(is_type, values):
        detail = next((one for one in values if one != kind and is_detail(one)), None)
        others = {str(place): one for place, one in enumerate(values) if one not in {kind, detail}}
        yield {**others, "type": kind, "detail": detail}
