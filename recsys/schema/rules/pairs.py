"""Rows about two people are about two different people."""

from collections.abc import Iterator

from recsys.errors import explained
from recsys.schema.columns import Columns as C
from recsys.schema.contract import Context, positions
from recsys.schema.fields.field import Fault


def two_people(context: Context) -> Iterator[Fault]:
    """Refuse pairs of one person with themselves."""
    rows = context.sound_columns(C.ACTOR, C.TARGET)
    same = rows[(rows[C.ACTOR] == rows[C.TARGET]) & rows[C.TARGET].notna()]
    reason = explained("actor and target are one person", where=C.TARGET, remedy="name the other person")
    yield Fault(f"{C.TARGET}.self", positions(same), reason)
