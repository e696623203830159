"""How many rows one person may have."""

from collections.abc import Iterator
from typing import Final

import pandas as pd

from recsys.errors import explained
from recsys.schema.columns import Columns as C
from recsys.schema.contract import Context, Rule, positions
from recsys.schema.fields.field import Fault

MOST_INTERESTS: Final = 30
MOST_ANSWERS: Final = 60
MOST_MANDATORY: Final = 5


def at_most(limit: int, what: str, column: str) -> Rule:
    """Return the rule that keeps, for each person, the first `limit` different values of `column`.

    The order is the order of the table; later values of the same kind stay with the first.
    """

    def rule(context: Context) -> Iterator[Fault]:
        yield _beyond(context.sound_rows, limit, what, column)

    return rule


def at_most_mandatory(context: Context) -> Iterator[Fault]:
    """Keep, for each person, the first five mandatory questions."""
    rows = context.sound_rows
    mandatory = rows[rows[C.MANDATORY].astype(bool)]
    yield _beyond(mandatory, MOST_MANDATORY, "mandatory answers", C.QUESTION, name=C.MANDATORY)


def _beyond(rows: pd.DataFrame, limit: int, what: str, column: str, *, name: str = "") -> Fault:
    first = rows[[C.USER, column]].drop_duplicates()
    over = first[first.groupby(C.USER, sort=False).cumcount() >= limit]
    beyond = pd.MultiIndex.from_frame(rows[[C.USER, column]]).isin(pd.MultiIndex.from_frame(over))
    remedy = f"at most {limit} a person; the first {limit} are kept"
    return Fault(
        f"{name or column}.too_many",
        positions(rows[beyond]),
        explained(f"more than {limit} {what}", where=name or column, remedy=remedy),
    )
