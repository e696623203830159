"""The rhythm block: learns what speed and activity are usual."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.ids import packed_strings
from recsys.data.population import Population
from recsys.features.applied.rhythm import AppliedRhythm, day_of
from recsys.features.block import Block

ACTS = (
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
"""Events that show that their actor was there."""


class Rhythm(Block):
    """Reply lag and activity from events, as of the time of the population they are asked for."""

    name = "rhythm"

    def _learn(self, people: Population, events: Events) -> AppliedRhythm:
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


def _spread(values: npt.NDArray[np.float64]) -> float:
    """Return the standard deviation, 1 when there is none to speak of."""
    spread = float(values.std()) if len(values) > 1 else 0.0
    return spread if spread > 1e-6 else 1.0


def _by_day(acts: pd.DataFrame) -> AppliedRhythm:
    """Return one entry for each person and UTC day on which they did something."""
    person, ids = pd.factorize(acts[C.ACTOR], sort=True)
    day = acts[C.TS].dt.tz_convert("UTC").dt.floor("D")
    day = ((day - pd.Timestamp("1970-01-01", tz="UTC")) // pd.Timedelta(days=1)).to_numpy(np.int64)
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
    text, ends = packed_strings(np.asarray(ids, dtype=object))
    return AppliedRhythm(
        ids_text=text,
        ids_ends=ends,
        person=days["person"].to_numpy(np.int32),
        day=days["day"].to_numpy(np.int32),
        lag_sum=days["lag_sum"].to_numpy(np.float32),
        lag_count=days["lag_count"].to_numpy(np.int32),
    )
