"""The lock of a folder: one writer at a time; the lock of a writer that died is free."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from recsys.errors import BusyError, explained

LOCK: Final = ".lock"


def is_locked(folder: Path) -> bool:
    """Say whether somebody holds the lock of a folder now; nothing is changed."""
    path = folder / LOCK
    if not path.exists():
        return False
    with path.open(encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


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
