"""Abuse: bad actors, brigades of false reports, blocks, and the safety tables that follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.random import KeyedGenerator
from recsys.simulation.conversations import ABUSE_KINDS
from recsys.simulation.event_log import EventLog, utc
from recsys.simulation.night_state import DAY, NOT_ABUSIVE
from recsys.simulation.sampling import Step, one_of
from recsys.simulation.settings import AbuseSettings
from recsys.types import Int64Array, ObjectArray


def draw_abuse_kinds(n: int, rng: np.random.Generator, s: AbuseSettings) -> npt.NDArray[np.int8]:
    """Draw the bad actors: -1 for nearly everybody, else the kind, `(n,)` int8."""
    bad = rng.random(n) < s.bad_actors
    total = sum(s.kinds.values())
    kind = one_of({name: share / total for name, share in s.kinds.items()}, n, rng)
    codes = np.array([ABUSE_KINDS.index(name) for name in kind], dtype=np.int8)
    return np.where(bad, codes, NOT_ABUSIVE).astype(np.int8)


@dataclass(frozen=True, eq=False)
class Brigades:
    """Groups who report one person they never talked with; aligned rows, one a report."""

    actor: Int64Array
    victim: Int64Array
    ts: Int64Array


def make_brigades(
    joined: Int64Array, start: int, end: int, rng: np.random.Generator, s: AbuseSettings
) -> Brigades:
    """Draw brigades among people who had joined before the past began, at some hour of the past."""
    there = np.flatnonzero(joined < start)
    count = int(rng.poisson(s.brigades_per_1000 * len(joined) / 1000.0))
    if len(there) <= s.brigade_size or end - start < 2 * DAY:
        count = 0
    actors, victims, times = [], [], []
    for _ in range(count):
        group = rng.choice(there, s.brigade_size + 1, replace=False)
        when = int(rng.integers(start + DAY, end))
        actors.append(group[1:])
        victims.append(np.full(s.brigade_size, group[0]))
        times.append(np.minimum(when + rng.integers(0, 3600, s.brigade_size), end))
    none = np.empty(0, np.int64)
    return Brigades(*(np.concatenate([none, *parts]).astype(np.int64) for parts in (actors, victims, times)))


def log_brigades(
    random: KeyedGenerator, there: npt.NDArray[np.bool_], at: int, log: EventLog, *, a_night: float, size: int
) -> None:
    """Log brigades of one night, `a_night` of them on average, among the people who are there."""
    rows = np.flatnonzero(there)
    count = int(a_night + float(random.uniform(Step.BRIGADE, 0, 0, 0)))
    if len(rows) <= size:
        return
    for number in range(count):
        u = random.uniform(Step.BRIGADE, np.arange(size + 1), number, 1)
        group = rows[np.unique((u * len(rows)).astype(np.int64))]
        when = at + int(random.uniform(Step.BRIGADE, number, 0, 2) * (DAY - 3600)) + np.arange(len(group) - 1)
        log.add("report", when, group[1:], np.full(len(group) - 1, group[0]), detail="harassment")


def log_known_blocks(
    joined: Int64Array, start: int, log: EventLog, rng: np.random.Generator, s: AbuseSettings
) -> tuple[Int64Array, Int64Array]:
    """Log blocks made before the past began, of people known from elsewhere; return the pairs."""
    there = np.flatnonzero(joined < start)
    count = int(rng.poisson(s.known_blocks_per_100 * len(there) / 100.0)) if len(there) > 1 else 0
    pairs = rng.integers(0, max(len(there), 1), (count, 2))
    pairs = np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
    actor, target = there[pairs[:, 0]], there[pairs[:, 1]]
    later = np.maximum(joined[actor], joined[target])
    log.add("block", later + ((start - later) * rng.random(len(later))).astype(np.int64), actor, target)
    return actor, target


REVIEW: Final = 12 * 3600
"""People of the review queue decide in so many seconds."""


def updated_safety_tables(
    tables: Mapping[str, pd.DataFrame], more: pd.DataFrame, as_of: pd.Timestamp, *, held_after: int
) -> dict[str, pd.DataFrame]:
    """Return the tables of blocks, reports and holds once `more` events are known.

    tables: the three tables and all events up to `as_of`, those of `more` among them.
    """
    new = safety_tables(more, [], np.empty(0, object), 0)
    reports = tables[T.EVENTS][tables[T.EVENTS][C.TYPE] == "report"]
    found = {name: _joined(tables[name], new[name]) for name in (T.BLOCKS, T.REPORTS)}
    wanted = holds_of(reports, as_of, held_after=held_after)
    known = pd.MultiIndex.from_frame(tables[T.HOLDS][[C.USER, C.STATE]])
    fresh = wanted[~pd.MultiIndex.from_frame(wanted[[C.USER, C.STATE]]).isin(known)]
    return found | {T.HOLDS: _joined(tables[T.HOLDS], fresh)}


def holds_of(reports: pd.DataFrame, as_of: pd.Timestamp, *, held_after: int) -> pd.DataFrame:
    """Return who is held by these reports, and whose hold was lifted by `as_of`.

    Whoever `held_after` others have reported is held. People of the review queue lift it when the
    reporters never talked with them, as a brigade has not.
    """
    brigade = reports[C.SURFACE].isna()
    parts = []
    for ganged in (False, True):
        told = reports[brigade == ganged].drop_duplicates([C.ACTOR, C.TARGET])
        told = told.sort_values(C.TS, kind="stable")
        split_due = told[told.groupby(C.TARGET).cumcount() + 1 == held_after]
        parts.append(_states(split_due[C.TARGET], split_due[C.TS], "active"))
        if ganged:
            lifted = split_due[C.TS] + pd.Timedelta(seconds=REVIEW)
            parts.append(_states(split_due[C.TARGET][lifted <= as_of], lifted[lifted <= as_of], "lifted"))
    return pd.concat(parts, ignore_index=True)


def _states(user: pd.Series, ts: pd.Series, state: str) -> pd.DataFrame:
    words = np.full(len(user), state, dtype=object)
    return pd.DataFrame({C.USER: user.to_numpy(object), C.TS: ts.to_numpy(), C.STATE: words})


def _joined(before: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([before, more[before.columns]], ignore_index=True) if len(more) else before


def safety_tables(
    events: pd.DataFrame, holds: list[tuple[int, int, str]], ids: ObjectArray, end: int
) -> dict[str, pd.DataFrame]:
    """Return the tables of blocks, reports and holds up to `end` (seconds); a block counts once."""
    blocks = events.loc[events[C.TYPE] == "block", [C.ACTOR, C.TARGET, C.TS]]
    reports = events.loc[events[C.TYPE] == "report", [C.ACTOR, C.TARGET, C.TS, C.DETAIL]]
    known = sorted(hold for hold in holds if hold[1] <= end)
    rows = np.array([row for row, _, _ in known], dtype=np.int64)
    return {
        T.BLOCKS: blocks.drop_duplicates([C.ACTOR, C.TARGET]).reset_index(drop=True),
        T.REPORTS: reports.rename(columns={C.DETAIL: C.CATEGORY})
        .drop_duplicates([C.ACTOR, C.TARGET, C.TS])
        .reset_index(drop=True),
        T.HOLDS: pd.DataFrame(
            {
                C.USER: ids[rows],
                C.TS: utc([ts for _, ts, _ in known]),
                C.STATE: np.array([state for _, _, state in known], dtype=object),
            }
        ),
    }
