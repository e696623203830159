"""Who is due for a feeling check."""

import numpy as np
import pandas as pd

from recsys.history.events import Events, microseconds
from recsys.history.pair_facts import Between
from recsys.history.pair_stages import pair_stages
from recsys.history.stage_facts import SAFE
from recsys.schema.catalogue import load_catalogue
from recsys.schema.columns import Columns as C
from recsys.schema.population import as_utc

OTHER, DUE_SINCE = "other_id", "due_since"
_DAY = 86_400_000_000


def due_checks(events: Events, as_of: str | pd.Timestamp) -> pd.DataFrame:
    """Return who is due for a feeling check about whom: user_id, other_id, due_since; by person.

    One is due `check_days` after both came to trust each other or after the same person's last check,
    while the pair is `ongoing`. What the other answered, or whether, changes nothing.

    >>> due_checks(Events.none(), "2026-01-05").empty
    True
    """
    time = as_utc(as_of)
    known = events.until(time)
    stages, between = pair_stages(known), Between.of(known.coded)
    a, b = between.people[:, 0], between.people[:, 1]
    names = known.coded.people
    ongoing = stages.of(names[a], names[b]) == "ongoing"
    trusted = between.first(known.coded.detailed("meet_feedback", *SAFE)).max(axis=1)
    checked = between.last(known.coded.are("feeling_check"))
    wait = round(load_catalogue().stages.check_days * _DAY)
    pair = np.flatnonzero(ongoing)
    since = np.maximum(trusted[pair, None], checked[pair]) + wait
    rows = pd.DataFrame(
        {
            C.USER: names[np.concatenate([a[pair], b[pair]])],
            OTHER: names[np.concatenate([b[pair], a[pair]])],
            "since": np.concatenate([since[:, 0], since[:, 1]]),
        }
    )
    due = rows[rows["since"] <= microseconds(time)].sort_values([C.USER, OTHER], ignore_index=True)
    due[DUE_SINCE] = pd.to_datetime(due.pop("since").astype("int64"), unit="us", utc=True)
    return due
