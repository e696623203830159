"""Rows as of a moment: which version of a row was valid then."""

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.future_rows import in_other_capitals, tightened, undated_beside_dated


def latest(
    table: pd.DataFrame, keys: list[str], as_of: pd.Timestamp, time: str = C.VALID_FROM
) -> pd.DataFrame:
    """Return, for each key, the last row known at `as_of`; a row without a time holds from the start.

    >>> rows = pd.DataFrame({"user_id": ["a", "a"], "gender": ["man", "woman"],
    ...                      "valid_from": pd.to_datetime(["2026-01-01", "2026-02-01"], utc=True)})
    >>> latest(rows, ["user_id"], pd.Timestamp("2026-01-15", tz="UTC")).gender.tolist()
    ['man']
    """
    if time not in table or table.empty:
        return table
    known = table[~(table[time] > as_of)]
    ordered = known.sort_values(time, na_position="first", kind="stable")
    return ordered.drop_duplicates(keys, keep="last")


def latest_holds(holds: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the last row known at `as_of` of each hold: of one person and owner."""
    named = [name for name in (C.USER, C.OWNER) if name in holds]
    return latest(holds, named, as_of, time=C.TS)


def present_rows(rows: pd.DataFrame, as_of: pd.Timestamp, later: pd.DataFrame | None) -> pd.DataFrame:
    """Return the row of each person that holds, tightened by whatever may be a later word of theirs."""
    present = tightened(latest(rows, [C.USER], as_of), later)
    present = tightened(present, undated_beside_dated(rows))
    return tightened(present, in_other_capitals(present))
