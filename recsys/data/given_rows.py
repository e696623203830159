"""Rows of a table in whatever form a caller hands it over."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


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


def _plain(row: Mapping[Any, Any]) -> dict[Any, Any]:
    return {name: None if _is_unknown(value) else value for name, value in row.items()}


def _is_unknown(value: object) -> bool:
    """Say whether a table has a value as not known; a list or an array is a value."""
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value)  # noqa: PLR0124
