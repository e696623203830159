"""One process at a time changes what a database serves."""

from typing import Any, Final

from recsys.errors import BusyError, explained
from recsys.storage.postgres.connection import rows

LOCK: Final = 7_265_637_379
"""The advisory lock of the one writer; any number that nobody else uses."""


def be_the_writer(cursor: Any) -> None:
    """Hold the lock until the transaction ends, or raise BusyError."""
    if not rows(cursor, f"SELECT pg_try_advisory_xact_lock({LOCK}) AS free")[0]["free"]:
        raise BusyError(explained("another process is loading lists", remedy="try again when it is done"))
