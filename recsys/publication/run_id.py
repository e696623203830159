"""One immutable name for a run: it sorts by time, and two runs never share it."""

from datetime import UTC, datetime, timedelta
from typing import Final

_TIME: Final = "%Y%m%dT%H%M%SZ"


def new_run_id(now: datetime, token: str, *, after: str | None = None) -> str:
    """Return the id of a run that starts `now`; `token` is eight hexadecimal digits.

    It sorts after the run `after`, also when the clock went backwards.

    >>> now = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
    >>> new_run_id(now, "0a1b2c3d")
    '20260105T030000Z-0a1b2c3d'
    >>> new_run_id(now, "0a1b2c3d", after="20260106T030000Z-ffffffff")
    '20260106T030001Z-0a1b2c3d'
    """
    moment = now.astimezone(UTC).replace(microsecond=0)
    if after is not None:
        last = datetime.strptime(after.partition("-")[0], _TIME).replace(tzinfo=UTC)
        moment = max(moment, last + timedelta(seconds=1))
    return f"{moment.strftime(_TIME)}-{token}"
