"""A lock for each kernel in work: the process that compiles it holds the lock, others wait for its entry.

At the first night of an installation kernels are compiled beside the stages that need them. Without a lock a
stage that comes to a kernel in work compiles it a second time. The lock is one of the operating system on a
file beside the entry: it ends with the process that holds it, however that ends, and a forked child has none.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Final

LONGEST_WAIT: Final = 300.0
"""Seconds after which a process compiles a kernel by itself; a slow one takes ten, more on a busy machine."""
_BETWEEN_LOOKS: Final = 0.02


class KernelLock:
    """The lock of one kernel in this process; the compiler's own lock keeps its threads apart.

    A kernel is compiled with those it calls, each under its own lock. No kernel calls one that calls it, so
    that two processes never wait for each other.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lock = KernelLock(Path(folder) / "twice.lock")
    ...     lock.acquire()
    ...     lock.release()
    True
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: tuple[int, int] | None = None

    def acquire(self, longest_wait: float = LONGEST_WAIT) -> bool:
        """Wait until no other process has the lock and take it; say False where none can be had.

        longest_wait: in seconds.
        """
        if self._held is not None and self._held[0] == os.getpid():
            return True
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError:  # a folder that can be read only: nothing is kept there
            return False
        last = monotonic() + longest_wait
        while not _taken(descriptor):
            if monotonic() > last:
                os.close(descriptor)
                return False
            sleep(_BETWEEN_LOOKS)
        self._held = (os.getpid(), descriptor)
        return True

    def release(self) -> None:
        """Let the others in, and leave no file behind."""
        held, self._held = self._held, None
        if held is not None and held[0] == os.getpid():
            with suppress(OSError):
                self._path.unlink()
            os.close(held[1])


def _taken(descriptor: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a file system without locks
        return True
    return True
