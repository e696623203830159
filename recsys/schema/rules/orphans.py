"""Rows of people who have no profile."""

from collections.abc import Iterator

from recsys.errors import explained
from recsys.schema.columns import Columns as C
from recsys.schema.contract import Context, positions
from recsys.schema.fields.field import Fault


def has_profile(context: Context) -> Iterator[Fault]:
    """Refuse rows of people without an accepted profile, when profiles are at hand."""
    if context.users is None:
        return
    rows = context.sound_rows
    lonely = rows[~rows[C.USER].isin(context.users)]
    reason = explained(
        "no accepted profile has this id", where=C.USER, remedy="add the person's profile or drop the row"
    )
    yield Fault(f"{C.USER}.orphan", positions(lonely), reason)
