"""An age band is a proved age, so it comes with a verification."""

from collections.abc import Iterator

from recsys.errors import explained
from recsys.schema.columns import Columns as C
from recsys.schema.contract import Context, positions
from recsys.schema.fields.field import Fault


def proved_age(context: Context) -> Iterator[Fault]:
    """Refuse profiles with an age band that nothing proves.

    Somebody who is not verified yet has a null age band, is accepted, and is not listed.
    """
    rows = context.sound_rows
    verification = rows[C.VERIFICATION]
    unproved = rows[rows[C.AGE_BAND].notna() & (verification.isna() | verification.eq("none"))]
    reason = explained(
        "an age band without verification",
        where=C.AGE_BAND,
        remedy="leave the age band null until the age is proved, or say how it was in 'verification'",
    )
    yield Fault(f"{C.AGE_BAND}.unproved", positions(unproved), reason)
