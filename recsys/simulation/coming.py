"""What is known on a day and what is still to come; what people did, read off the events table."""

import numpy as np
import pandas as pd

from recsys.schema.columns import Columns as C
from recsys.schema.ids import IdIndex
from recsys.simulation.arrivals import Arrivals
from recsys.simulation.event_log import TYPES, seconds
from recsys.simulation.standing import Deeds


def due(
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


def deeds_of(events: pd.DataFrame, ids: IdIndex) -> Deeds:
    """Return what people of the town did to each other, as arrays; rows of nobody are left out."""
    chosen = events[events[C.TYPE].isin(Deeds.kinds()) & events[C.TARGET].notna() & events[C.TS].notna()]
    actor, target = (ids.find(chosen[c]).astype(np.int64) for c in (C.ACTOR, C.TARGET))
    known = (actor >= 0) & (target >= 0) & (actor != target)
    kind = pd.Categorical(chosen[C.TYPE], categories=list(TYPES)).codes.astype(np.int8)
    ts = np.asarray(chosen[C.TS].astype("datetime64[s, UTC]").astype("int64"), np.int64)
    return Deeds(ts, kind, actor, target).take(known)
