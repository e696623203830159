"""How long rows of the day stay in the log: until every publication that is kept has read them."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from recsys.errors import RecsysError
from recsys.safety.day_log import DayLog
from recsys.storage.manifest import read_manifest
from recsys.storage.publication import RUNS

_log = structlog.get_logger(__name__)

_MARGIN: Final = timedelta(days=1)
"""How long beyond that rows are kept, for a worker that still serves a publication removed since."""


def forget_read_rows(log: DayLog, published: Path) -> None:
    """Forget the rows of the day that every publication kept in `published` has read.

    A publication that is rolled back to finds what came after it. Where one cannot be read, or the log cannot
    be asked, everything stays.
    """
    try:
        times = [
            datetime.fromisoformat(read_manifest(run).data_as_of)
            for run in (published / RUNS).iterdir()
            if run.is_dir()
        ]
        if times:
            log.drop(min(times) - _MARGIN)
    except (RecsysError, OSError, ValueError) as error:
        _log.warning("rows of the day stay for now", why=type(error).__name__)
