"""Blocks, reports and holds as the safety tables keep them, read off the events."""

import numpy as np
import pandas as pd

from recsys.schema.columns import Columns as C
from recsys.schema.columns import Tables as T
from recsys.simulation.draws import Objects
from recsys.simulation.event_log import utc


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
