"""Responsiveness: how quickly and how often a person answers, as of a time."""

from dataclasses import dataclass, replace
from typing import ClassVar, Final, Self

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.events import Events
from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.features.base import Block, BlockRows, FittedBlock
from recsys.types import Float32Array, Float64Array, Int32Array

ACTS: Final = (
    "pass",
    "hide",
    "like",
    "message",
    "optin",
    "rules_agreed",
    "meet_planned",
    "meet_feedback",
    "feeling_check",
)
"""Events that show that their actor was active."""
ACTIVE_DAYS: Final = 28
"""Days before the time that count as recent activity."""
LAG_DAYS: Final = 90
"""Days before the time whose replies count."""
USUAL_REPLIES: Final = 3.0
"""Replies of usual speed added to everybody's own."""
_EPOCH: Final = pd.Timestamp("1970-01-01", tz="UTC")


class Responsiveness(Block):
    """Reply lag and activity from events, as of the time of the population they are applied to.

    >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> Responsiveness().fit(people, events=Events.none()).fitted_.columns
    ('speed', 'active_days', 'activity')
    """

    name = "responsiveness"

    def __init__(self, *, name: str = "responsiveness") -> None:
        self.name = name

    def _learn(self, people: Population, events: Events) -> "FittedResponsiveness":
        acts = events.frame[[C.ACTOR, C.TS, C.REPLY_LAG_H]][events.frame[C.TYPE].isin(ACTS)]
        state = _by_day(acts[acts[C.ACTOR].isin(people.ids.values) & acts[C.TS].notna()])
        before = day_of(people.as_of)
        total, count = state.lags(before)
        means = total[count > 0] / count[count > 0]
        days = state.active_days(before)
        activity = np.log1p(days[~np.isnan(days)])
        return replace(
            state,
            usual_lag=float(means.mean()) if len(means) else 0.0,
            lag_spread=_spread(means),
            usual_activity=float(activity.mean()) if len(activity) else 0.0,
            activity_spread=_spread(activity),
        )


@dataclass(frozen=True, eq=False)
class FittedResponsiveness(FittedBlock):
    """Reply speed, recent activity and the profile's activity word, each in [-1, 1].

    Only whole UTC days before the day of `people.as_of` count, whatever was known at fit. Speed is
    `tanh((usual - own) / spread)` over the mean of `log(1 + hours)`, activity the same over
    `log(1 + active days of the last 28)` with the sign turned. Someone without events has 0 in both.
    The pair score is the mean of the three products, the same in both directions.

    ids:                of the people with events; `person` counts into them.
    person, day:        `(n_days,)` one entry a person and day with an event, sorted.
    lag_sum, lag_count: `(n_days,)` of `log(1 + reply lag in hours)`.
    """

    name: ClassVar[str] = "responsiveness"
    from_events: ClassVar[bool] = True

    ids: IdIndex
    person: Int32Array
    day: Int32Array
    lag_sum: Float32Array
    lag_count: Int32Array
    usual_lag: float = 0.0
    lag_spread: float = 1.0
    usual_activity: float = 0.0
    activity_spread: float = 1.0

    @property
    def columns(self) -> tuple[str, ...]:
        """Speed, activity by events, activity by profile."""
        return ("speed", "active_days", "activity")

    def without_people(self) -> Self:
        """Return the usual pace alone, without anybody's."""
        days = {name: getattr(self, name)[:0] for name in ("person", "day", "lag_sum", "lag_count")}
        return replace(self, ids=IdIndex([]), **days)

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
        rows = np.column_stack([_values_at(speed, at), _values_at(active, at), _profile_activity(people)])
        matrix = (rows / np.sqrt(3.0)).astype(np.float32)
        return BlockRows(matrix, matrix)


def _spread(values: Float64Array) -> float:
    """Return the standard deviation, 1 when there is none to speak of."""
    spread = float(values.std()) if len(values) > 1 else 0.0
    return spread if spread > 1e-6 else 1.0


def _by_day(acts: pd.DataFrame) -> "FittedResponsiveness":
    """Return one entry for each person and UTC day on which they did something."""
    person, ids = pd.factorize(acts[C.ACTOR], sort=True)
    day = acts[C.TS].dt.tz_convert("UTC").dt.floor("D")
    day = ((day - _EPOCH) // pd.Timedelta(days=1)).to_numpy(np.int64)
    lag = pd.to_numeric(acts[C.REPLY_LAG_H], errors="coerce").to_numpy(np.float64)
    usable = np.isfinite(lag) & (lag >= 0)
    frame = pd.DataFrame(
        {
            "person": person,
            "day": day,
            "lag_sum": np.where(usable, np.log1p(np.where(usable, lag, 0.0)), 0.0),
            "lag_count": usable.astype(np.int64),
        }
    )
    days = frame.groupby(["person", "day"], as_index=False).sum()
    return FittedResponsiveness(
        ids=IdIndex(ids),
        person=days["person"].to_numpy(np.int32),
        day=days["day"].to_numpy(np.int32),
        lag_sum=days["lag_sum"].to_numpy(np.float32),
        lag_count=days["lag_count"].to_numpy(np.int32),
    )


def day_of(time: pd.Timestamp) -> int:
    """Return the number of the UTC day a time lies in.

    >>> day_of(pd.Timestamp("1970-01-02 23:00", tz="UTC"))
    1
    """
    return int((time.tz_convert("UTC") - _EPOCH) // pd.Timedelta(days=1))


def _values_at(values: Float64Array, at: Int32Array) -> Float64Array:
    padded = np.append(np.nan_to_num(values, nan=0.0), 0.0)
    return padded[at]


def _profile_activity(people: Population) -> Float64Array:
    """Return the profile's activity from 1 (today) to -1 (dormant), 0 unknown."""
    codes = people.codes(C.ACTIVITY).astype(np.float64)
    most = len(ENUMERATIONS[C.ACTIVITY].words) - 1
    return np.where(codes >= 0, 1.0 - 2.0 * codes / most, 0.0)
