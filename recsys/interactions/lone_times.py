"""Times that stand alone: a mistaken year would age all other rows, and move the end of the log."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import explained, warn
from recsys.types import BoolArray

_FEWEST: Final = 10
_SHARE: Final = 0.01
"""Share of the rows, or one of them, up to which times at an end may be mistaken."""
_YEAR: Final = np.timedelta64(365, "D").astype("timedelta64[us]").astype(np.int64)
_DAY: Final = np.timedelta64(1, "D").astype("timedelta64[us]").astype(np.int64)


def times_alone(times: pd.Series) -> BoolArray:
    """Say which times lie alone before or after all others, and warn of them.

    They are at most a hundredth, or one, and the gap to the others is larger than the span of these. By a gap
    of more than a year rows are to be set aside; of a smaller one, and of rows dated after the clock beside
    earlier ones, a warning tells.

    times: `datetime64[us, UTC]`, NaT where there is none.

    >>> days = pd.Series(pd.date_range("2025-01-01", periods=20, tz="UTC")).astype("datetime64[us, UTC]")
    >>> days[3] = pd.Timestamp("1999-12-31", tz="UTC")
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     np.flatnonzero(times_alone(days))
    array([3])
    """
    micros = times.astype("int64").to_numpy(np.int64)
    there = times.notna().to_numpy(bool)
    known = np.sort(micros[there]).astype(np.int64)
    alone = np.zeros(len(times), bool)
    if len(known) < _FEWEST:
        return alone
    first, last = _ends(known)
    before, after = (
        known[first] - known[max(first - 1, 0)],
        known[min(last + 1, len(known) - 1)] - known[last],
    )
    if before > _YEAR:
        alone |= there & (micros < known[first])
    if after > _YEAR:
        alone |= there & (micros > known[last])
    if before or after:
        _warn_of(times, there & ((micros < known[first]) | (micros > known[last])), alone)
    _warn_of_future(times[~alone], str(times.name))
    return alone


def _ends(known: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Return the first and the last place of ascending times between gaps that are larger than their span."""
    few, first, last = max(1, int(_SHARE * len(known))), 0, len(known) - 1
    inner = known[last - few]
    for at in range(few):
        if known[at + 1] - known[at] > max(inner - known[at + 1], _DAY):
            first = at + 1
    for at in range(len(known) - 1, len(known) - 1 - few, -1):
        if known[at] - known[at - 1] > max(known[at - 1] - known[max(first, few)], _DAY):
            last = at - 1
    return first, last


def _warn_of(times: pd.Series, far: BoolArray, alone: BoolArray) -> None:
    """Warn of rows that lie far from all others; alone: those of them that are set aside."""
    done = f", {int(alone.sum()):,} of them set aside" if alone.any() else ""
    got = f"{int(far.sum()):,} of {len(times):,} rows, such as of {times[far].iloc[0]:%Y-%m-%d}{done}"
    remedy = "mend or drop them where they are mistaken: the end of a log says how old all else is"
    what = "times further from all others than these lie apart"
    warn(explained(what, where=str(times.name), got=got, remedy=remedy))


def _warn_of_future(times: pd.Series, name: str) -> None:
    """Warn where some rows, and fewer than the others, are dated a day and more after the clock."""
    known = times.dropna()
    later = known > pd.Timestamp.now("UTC") + pd.Timedelta(days=1)
    if later.any() and 2 * int(later.sum()) < len(known):
        got = f"{int(later.sum()):,} of {len(known):,} rows, the last of {known.max():%Y-%m-%d}"
        remedy = "mend or drop them, or say as_of= of the data: lists are made for the time of the last row"
        warn(explained("rows dated after today", where=name, got=got, remedy=remedy))
