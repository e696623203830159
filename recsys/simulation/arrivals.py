"""When people join, leave, move and prove who they are."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import USUAL_DISTANCES_KM
from recsys.data.ids import IdIndex
from recsys.random import KeyedGenerator
from recsys.simulation.event_log import TYPES, EventLog, seconds, utc
from recsys.simulation.night_state import DAY, HOUR, RecentEvents
from recsys.simulation.sampling import Step
from recsys.simulation.settings import HistorySettings
from recsys.types import Int64Array

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Arrivals:
    """When each person joined and left (`NEVER`), seconds, `(n,)`; the past runs from start to end."""

    joined: Int64Array
    left: Int64Array
    start: int
    end: int

    def there(self, at: int) -> npt.NDArray[np.bool_]:
        """Say who has joined and not left at a time, `(n,)` bool."""
        return (self.joined <= at) & (self.left > at)


def departures(
    arrivals: Arrivals,
    talking: Int64Array,
    random: KeyedGenerator,
    *,
    since: int,
    until: int,
    leaves_a_night: float,
) -> Arrivals:
    """Return the arrivals with those who left between two times because nobody talked with them.

    talking: `(n,)` conversations each was in; each divides the chance of a night by e. The numbers belong to
    the person and the night, so that copies of a town that serve alike lose the same people.
    """
    left, everyone = arrivals.left.copy(), np.arange(len(arrivals.left))
    chance = leaves_a_night * np.exp(-talking.astype(np.float64))
    for at in range(since + DAY, until + 1, DAY):
        goes = arrivals.there(at) & (left > at)
        goes &= random.uniform(Step.LEAVE, everyone, everyone, at // DAY) < chance
        left[goes] = at
    return replace(arrivals, left=left)


def newcomers(n: int, nights_ahead: int, s: HistorySettings) -> int:
    """Return how many people join a town of `n` in the nights ahead: as many a night as in its past."""
    return round(n * s.joined_within * nights_ahead / max(s.days, 1))


def make_arrivals(
    n: int, end: int, rng: np.random.Generator, s: HistorySettings, *, nights_ahead: int = 0
) -> Arrivals:
    """Draw who was there before the past began, who joined during it, and who left.

    With nights ahead, so many more people join after the end, the last ones by row, and some leave.
    """
    before = _past_arrivals(n, end, rng, s)
    return before if nights_ahead < 1 else _with_nights_ahead(before, nights_ahead, rng, s)


def _with_nights_ahead(
    before: Arrivals, nights_ahead: int, rng: np.random.Generator, s: HistorySettings
) -> Arrivals:
    n, horizon = len(before.joined), nights_ahead * DAY
    leaves = rng.random(n) < s.left_within * nights_ahead / max(s.days, 1)
    later = before.end + rng.integers(1, horizon + 1, n)
    left = np.where(leaves & (before.left == NEVER), later, before.left)
    more = newcomers(n, nights_ahead, s)
    return Arrivals(
        joined=np.concatenate([before.joined, np.sort(before.end + rng.integers(1, horizon + 1, more))]),
        left=np.concatenate([left, np.full(more, NEVER)]),
        start=before.start,
        end=before.end,
    )


def _past_arrivals(n: int, end: int, rng: np.random.Generator, s: HistorySettings) -> Arrivals:
    start = end - s.days * DAY
    joined = start - HOUR - rng.integers(0, s.first_join_days * DAY, n)
    left = np.full(n, NEVER, np.int64)
    if s.days > 1:
        u = rng.random(n)
        newcomer, leaver = u < s.joined_within, u > 1.0 - s.left_within
        joined[newcomer] = rng.integers(start, end - HOUR, int(newcomer.sum()))
        left[leaver] = rng.integers(start + HOUR, end, int(leaver.sum()))
    return Arrivals(joined=joined, left=left, start=start, end=end)


def log_arrivals(
    arrivals: Arrivals, profiles: pd.DataFrame, suggestible: npt.NDArray[np.bool_], log: EventLog
) -> None:
    """Log the terms accepted and the proof given on joining, and the opt-ins of the discreet."""
    everyone = np.arange(len(profiles))
    nobody = np.full(len(profiles), -1)
    log.add("terms_accepted", arrivals.joined, everyone, nobody)
    tier = profiles[C.VERIFICATION].to_numpy(object)
    proved = tier != "none"
    log.add("verified", arrivals.joined[proved] + 60, everyone[proved], nobody[proved], detail=tier[proved])
    log.add(
        "optin",
        arrivals.joined[suggestible] + 120,
        everyone[suggestible],
        nobody[suggestible],
        detail="suggestion",
    )


def with_changes(
    profiles: pd.DataFrame, arrivals: Arrivals, rng: np.random.Generator, s: HistorySettings
) -> pd.DataFrame:
    """Add what profiles said before people moved, and what they say since people left."""
    moved = np.flatnonzero((rng.random(len(profiles)) < s.moved) & (arrivals.joined < arrivals.start - DAY))
    before = profiles.iloc[moved].copy()
    radius = np.array(USUAL_DISTANCES_KM)
    before[C.MAX_DISTANCE_KM] = radius[rng.integers(0, len(radius), len(moved))]
    since = arrivals.joined[moved]
    now = profiles.copy()
    changed = since + ((arrivals.start - since) * rng.random(len(moved))).astype(np.int64)
    now.loc[now.index[moved], C.VALID_FROM] = utc(changed).array
    gone = np.flatnonzero(arrivals.left < NEVER)
    after = profiles.iloc[gone].copy()
    after[C.ACTIVITY] = "dormant"
    after[C.VALID_FROM] = utc(arrivals.left[gone]).array
    whole = pd.concat([before, now, after], ignore_index=True)
    return whole.sort_values([C.USER, C.VALID_FROM], kind="stable", ignore_index=True)


def with_departures(profiles: pd.DataFrame, ids: IdIndex, before: Arrivals, after: Arrivals) -> pd.DataFrame:
    """Return profiles with what those say since who left between two states of the arrivals: dormant."""
    gone = np.flatnonzero(after.left < before.left)
    if not len(gone):
        return profiles
    latest = profiles.sort_values(C.VALID_FROM, kind="stable").drop_duplicates(C.USER, keep="last")
    latest = latest[latest[C.USER].isin(ids.ids(gone))].copy()
    latest[C.ACTIVITY] = "dormant"
    latest[C.VALID_FROM] = utc(after.left[ids.rows(latest[C.USER])]).array
    return pd.concat([profiles, latest], ignore_index=True)


def split_due(
    rows: pd.DataFrame, ids: IdIndex, arrivals: Arrivals, as_of: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of a table that are known by `as_of`, and those still to come.

    A row with a time of its own is known from then on, any other from the day its person joined.
    """
    for column in (C.TS, C.VALID_FROM):
        if column in rows:
            known = (rows[column] <= as_of).to_numpy(bool)
            break
    else:
        joined = arrivals.joined[ids.rows(rows[C.USER])] if len(rows) else np.empty(0, np.int64)
        known = joined <= seconds(as_of)
    return rows[known].reset_index(drop=True), rows[~known].reset_index(drop=True)


def recent_events_of(events: pd.DataFrame, ids: IdIndex) -> RecentEvents:
    """Return what people of the town did to each other, as arrays; rows of nobody are left out."""
    chosen = events[
        events[C.TYPE].isin(RecentEvents.kinds()) & events[C.TARGET].notna() & events[C.TS].notna()
    ]
    actor, target = (ids.find(chosen[c]).astype(np.int64) for c in (C.ACTOR, C.TARGET))
    known = (actor >= 0) & (target >= 0) & (actor != target)
    kind = pd.Categorical(chosen[C.TYPE], categories=list(TYPES)).codes.astype(np.int8)
    ts = np.asarray(chosen[C.TS].astype("datetime64[s, UTC]").astype("int64"), np.int64)
    return RecentEvents(ts, kind, actor, target).take(known)
