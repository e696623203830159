"""One writer at a time; the lock of a writer that died is free."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from recsys.errors import BusyError, explained

LOCK: Final = ".lock"


@contextmanager
def writer_lock(published: Path) -> Iterator[None]:
    """Hold the right to write to `published`; the system gives it back when the process ends, however.

    Raises BusyError when another writer holds it.
    """
    published.mkdir(parents=True, exist_ok=True)
    path = published / LOCK
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            remedy = "wait until it has finished and run again"
            raise BusyError(
                explained("another writer is at work", where=str(published), got=file.read(), remedy=remedy)
            ) from error
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid()}))
        file.flush()
        yield
