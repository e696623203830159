"""Times however they are written: with or without a zone, as text or as seconds since 1970."""

from typing import Final, Literal

import numpy as np
import pandas as pd

from recsys.errors import InputError, explained

Unit = Literal["s", "ms", "us", "ns"]
_UNITS: Final[tuple[tuple[float, Unit], ...]] = ((1e17, "ns"), (1e14, "us"), (1e11, "ms"), (0.0, "s"))
"""From which number on a time since 1970 is counted in which unit; 1e11 seconds is the year 5138."""


def utc_times(column: pd.Series) -> pd.Series:
    """Return times in UTC, NaT where one is missing or cannot be read.

    A time without a zone is taken as UTC. Numbers count from 1970 in seconds, milliseconds,
    microseconds or nanoseconds, whichever puts the largest in our time.

    Raises InputError when no time can be read.

    >>> utc_times(pd.Series([0, 86400])).dt.day.tolist()
    [1, 2]
    >>> utc_times(pd.Series(["2024-02-03 10:00", "soon"])).isna().tolist()
    [False, True]
    """
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if pd.api.types.is_numeric_dtype(column) or kind in {"integer", "floating", "decimal"}:
        numbers = pd.to_numeric(column, errors="coerce").astype("float64")
        numbers = numbers.where(np.isfinite(numbers))
        largest = float(numbers.abs().max())
        unit: Unit = next((unit for least, unit in _UNITS if largest >= least), "s")
        times = pd.Series(pd.to_datetime(numbers.to_numpy(), unit=unit, utc=True, errors="coerce"))
    elif pd.api.types.is_datetime64_any_dtype(column):
        times = pd.to_datetime(column, utc=True)
    else:
        times = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
        if times.isna().all():
            times = pd.to_datetime(column, utc=True, errors="coerce", format="mixed")
    if len(column) and times.isna().all():
        got = str(column.iloc[0])
        remedy = "write times such as 2024-02-03T10:00:00Z, or leave ts out"
        raise InputError(explained("no time can be read", where=str(column.name), got=got, remedy=remedy))
    return times.astype("datetime64[us, UTC]")
