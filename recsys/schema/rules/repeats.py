"""A thing that comes twice counts once."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from recsys.errors import explained
from recsys.schema.columns import Columns as C
from recsys.schema.contract import Context, Rule, positions
from recsys.schema.fields.field import Fault
from recsys.schema.repeated import repeated


def once(*columns: str) -> Rule:
    """Return the rule that keeps the first of the rows equal in `columns` and refuses the others.

    A repeat that differs elsewhere is refused with a reason of its own: the first word stands.
    """

    def rule(context: Context) -> Iterator[Fault]:
        keys = context.sound_columns(*columns)
        again = repeated(keys[columns[0]]) if len(columns) == 1 else keys.duplicated().to_numpy(bool)
        if not again.any():
            return
        # a row equal in every column is equal in these, so only rows of a repeated key are looked at
        at, group = np.flatnonzero(again), keys[columns[0]]
        rows = context.rows.loc[keys.index[group.isin(group.iloc[at]).to_numpy(bool)]]
        copies = rows.index[rows.duplicated()]
        again = np.isin(rows.index, keys.index[at])
        same = rows.index[again].isin(copies)
        where, name = ", ".join(columns), columns[0]
        yield Fault(
            f"{name}.duplicate",
            positions(rows[again][same]),
            explained("a duplicate of an earlier row", where=where, remedy="it is counted once"),
        )
        yield Fault(
            f"{name}.conflict",
            positions(rows[again][~same]),
            explained(
                "an earlier row has the same key and says something else",
                where=where,
                remedy="the first stands",
            ),
        )

    return rule


def newest_or_none(context: Context) -> Iterator[Fault]:
    """Refuse what somebody said before a row of theirs that was refused.

    The refused row is the newer word; falling back to the older one could bring back a boundary they
    tightened. A row that is only in the future has said nothing yet. A refused row whose time is not
    known may be the newest of all.
    """
    refused = context.rows[~context.sound & context.rows[C.USER].notna().to_numpy(bool)]
    refused = refused[~refused.index.isin(context.only_future)]
    if refused.empty:
        return
    time = refused[C.VALID_FROM].fillna(pd.Timestamp.max.tz_localize("UTC").as_unit("us"))
    last = time.groupby(refused[C.USER].to_numpy(object)).max()
    rows = context.sound_rows
    until = rows[C.USER].map(last)
    earlier = until.notna() & (rows[C.VALID_FROM].isna() | (rows[C.VALID_FROM] <= until))
    yield Fault(
        f"{C.USER}.superseded",
        positions(rows[np.asarray(earlier, bool)]),
        explained(
            "a newer row of the same person was refused",
            where=C.USER,
            remedy="put that row right: what they last said is not known",
        ),
    )
