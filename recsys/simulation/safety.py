"""Blocks, reports and holds as the safety tables keep them, read off the events."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from recsys.schema.columns import Columns as C
from recsys.schema.columns import Tables as T
from recsys.simulation.draws import Objects
from recsys.simulation.event_log import utc

REVIEW: Final = 12 * 3600
"""People of the review queue decide in so many seconds."""


def safety_after(
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
        due = told[told.groupby(C.TARGET).cumcount() + 1 == held_after]
        parts.append(_states(due[C.TARGET], due[C.TS], "active"))
        if ganged:
            lifted = due[C.TS] + pd.Timedelta(seconds=REVIEW)
            parts.append(_states(due[C.TARGET][lifted <= as_of], lifted[lifted <= as_of], "lifted"))
    return pd.concat(parts, ignore_index=True)


def _states(user: pd.Series, ts: pd.Series, state: str) -> pd.DataFrame:
    words = np.full(len(user), state, dtype=object)
    return pd.DataFrame({C.USER: user.to_numpy(object), C.TS: ts.to_numpy(), C.STATE: words})


def _joined(before: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([before, more[before.columns]], ignore_index=True) if len(more) else before


def safety_tables(
    events: pd.DataFrame, holds: list[tuple[int, int, str]], ids: Objects, end: int
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
