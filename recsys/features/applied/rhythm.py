"""Rhythm: how quickly and how often a person answers, as of a time."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.ids import IdIndex, unpacked_strings
from recsys.data.population import Population
from recsys.features.applied.block import AppliedBlock
from recsys.features.rows import BlockRows
from recsys.types import Float64Array

ACTIVE_DAYS: Final = 28
"""Days before the time that count as recent activity."""
LAG_DAYS: Final = 90
"""Days before the time whose replies count."""
USUAL_REPLIES: Final = 3.0
"""Replies of usual speed added to everybody's own."""
_EPOCH = pd.Timestamp("1970-01-01", tz="UTC")


def day_of(time: pd.Timestamp) -> int:
    """Return the number of the UTC day a time lies in.

    >>> day_of(pd.Timestamp("1970-01-02 23:00", tz="UTC"))
    1
    """
    return int((time.tz_convert("UTC") - _EPOCH) // pd.Timedelta(days=1))


@dataclass(frozen=True, eq=False)
class AppliedRhythm(AppliedBlock):
    """Reply speed, recent activity and the profile's activity word, each in [-1, 1].

    Only whole UTC days before the day of `people.as_of` count, whatever was known at fit. Speed is
    `tanh((usual - own) / spread)` over the mean of `log(1 + hours)`, activity the same over
    `log(1 + active days of the last 28)` with the sign turned. Someone without events has 0 in both.
    The pair score is the mean of the three products, the same in both directions.

    ids_text, ids_ends: packed ids, ascending; `person` counts into them.
    person, day:        `(n_days,)` one entry a person and day with an event, sorted.
    lag_sum, lag_count: `(n_days,)` of `log(1 + reply lag in hours)`.
    """

    name: ClassVar[str] = "rhythm"
    from_events: ClassVar[bool] = True

    ids_text: npt.NDArray[np.uint8] | npt.NDArray[np.int64]
    ids_ends: npt.NDArray[np.int64]
    person: npt.NDArray[np.int32]
    day: npt.NDArray[np.int32]
    lag_sum: npt.NDArray[np.float32]
    lag_count: npt.NDArray[np.int32]
    usual_lag: float = 0.0
    lag_spread: float = 1.0
    usual_activity: float = 0.0
    activity_spread: float = 1.0

    @cached_property
    def ids(self) -> IdIndex:
        """The people with events."""
        return IdIndex(unpacked_strings(self.ids_text, self.ids_ends))

    @property
    def columns(self) -> tuple[str, ...]:
        """Speed, activity by events, activity by profile."""
        return ("speed", "active_days", "activity")

    def for_newcomers(self) -> Self:
        """Return the usual pace alone, without anybody's."""
        days = {name: getattr(self, name)[:0] for name in ("person", "day", "lag_sum", "lag_count")}
        return replace(self, ids_text=self.ids_text[:0], ids_ends=self.ids_ends[:0], **days)

    def lags(self, before: int) -> tuple[Float64Array, Float64Array]:
        """Return each person's sum and count of log lags before a day, `(n_ids,)` each."""
        recent = (self.day < before) & (self.day >= before - LAG_DAYS)
        who, n_ids = self.person[recent], len(self.ids)
        total = np.bincount(who, self.lag_sum[recent], n_ids)
        count = np.bincount(who, self.lag_count[recent], n_ids)
        return np.asarray(total, np.float64), np.asarray(count, np.float64)

    def active_days(self, before: int) -> Float64Array:
        """Return on how many of the last days each person did something; NaN when never, `(n_ids,)`."""
        past = self.day < before
        recent = past & (self.day >= before - ACTIVE_DAYS)
        n_ids = len(self.ids)
        days = np.bincount(self.person[recent], minlength=n_ids).astype(np.float64)
        return np.where(np.bincount(self.person[past], minlength=n_ids) > 0, days, np.nan)

    def rows(self, people: Population) -> BlockRows:
        """Return the rows of everybody as of `people.as_of`; both are the same."""
        before = day_of(people.as_of)
        total, count = self.lags(before)
        own = (total + USUAL_REPLIES * self.usual_lag) / (count + USUAL_REPLIES)
        speed = np.tanh((self.usual_lag - own) / self.lag_spread)
        active = np.tanh((np.log1p(self.active_days(before)) - self.usual_activity) / self.activity_spread)
        at = self.ids.find(people.ids.values)
        rows = np.column_stack([_looked_up(speed, at), _looked_up(active, at), _by_word(people)])
        matrix = (rows / np.sqrt(3.0)).astype(np.float32)
        return BlockRows(matrix, matrix)


def _looked_up(values: Float64Array, at: npt.NDArray[np.int32]) -> Float64Array:
    known = np.append(np.nan_to_num(values, nan=0.0), 0.0)
    return known[at]


def _by_word(people: Population) -> Float64Array:
    """Return the profile's activity from 1 (today) to -1 (dormant), 0 unknown."""
    codes = people.codes(C.ACTIVITY).astype(np.float64)
    most = len(ENUMERATIONS[C.ACTIVITY].words) - 1
    return np.where(codes >= 0, 1.0 - 2.0 * codes / most, 0.0)
