"""Who asked to be erased is in no table any more, from whatever time the tables are read."""

import numpy as np
import pandas as pd

from recsys.errors import explained
from recsys.schema.columns import Columns as C
from recsys.schema.contract import Checked
from recsys.schema.quarantine import CODES, REASON, REDACTED, ROW_NUMBER

_PERSONS = (C.USER, C.ACTOR, C.TARGET)
_REASON = explained("a person of this row asked to be erased", remedy="nothing; the row is not used")


def without_erased(checked: Checked, erased: frozenset[str]) -> Checked:
    """Move every row that names an erased person to the quarantine, and empty those records.

    The erasures themselves stay: what comes later must know of them.
    """
    if not erased:
        return checked
    rows, refused = checked.accepted, checked.quarantined
    gone = _names(rows, erased)
    if C.TYPE in rows:
        gone &= ~rows[C.TYPE].eq("erase").to_numpy(bool)
    position = np.delete(np.arange(len(rows) + len(refused)), refused[ROW_NUMBER].to_numpy())
    known = refused.copy()
    forgotten = _names(refused, erased)
    values = [name for name in refused.columns if name not in {ROW_NUMBER, C.USER, CODES, REASON}]
    known.loc[forgotten, values] = REDACTED
    known.loc[forgotten, C.USER] = None
    emptied = {name: pd.Series([REDACTED] * int(gone.sum()), dtype=object) for name in values}
    moved = pd.DataFrame(
        {
            ROW_NUMBER: position[gone],
            C.USER: pd.Series([None] * int(gone.sum()), dtype=object),
            CODES: "person.erased",
            REASON: _REASON,
        }
        | emptied
    )
    quarantined = pd.concat([known, moved], ignore_index=True) if len(known) else moved
    quarantined = quarantined.sort_values(ROW_NUMBER, kind="stable").reset_index(drop=True)
    return Checked(rows[~gone].reset_index(drop=True), quarantined, checked.precaution)


def _names(rows: pd.DataFrame, erased: frozenset[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    named = np.zeros(len(rows), bool)
    for column in _PERSONS:
        if column in rows:
            named |= rows[column].isin(erased).to_numpy(bool)
    return named
