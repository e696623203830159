"""Short event tables for tests: one line an event."""

from typing import Any

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data import Events

START = pd.Timestamp("2026-01-01T00:00:00", tz="UTC")


def day(number: float) -> pd.Timestamp:
    """Return the time `number` days after the start."""
    return START + pd.Timedelta(days=number)


def events(*lines: tuple[Any, ...]) -> Events:
    """Return events from (day, actor, type, target, detail, count); the last two may be left out."""
    rows = [
        {
            C.EVENT: f"e{number:03d}",
            C.TS: day(line[0]),
            C.ACTOR: line[1],
            C.TYPE: line[2],
            C.TARGET: line[3] if len(line) > 3 else None,
            C.DETAIL: line[4] if len(line) > 4 else None,
            C.COUNT: line[5] if len(line) > 5 else None,
        }
        for number, line in enumerate(lines)
    ]
    return Events.of(
        pd.DataFrame(rows, columns=[C.EVENT, C.TS, C.ACTOR, C.TYPE, C.TARGET, C.DETAIL, C.COUNT])
    )
