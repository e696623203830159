"""A disk that fails on purpose: it counts every step a process takes on it, and does harm at one of them.

A step is a write to a file, a flush to the disk, a rename, a new folder, a removed file or folder. The
harm is to kill the process right after the step (SIGKILL: nothing is cleaned up), to kill it in the
middle of a write so that half of it is there, or to have no room from this step on.
"""

import errno
import io
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import pytest

Harm = Literal["killed", "torn", "full"]
CALLS: Final = ("fsync", "rename", "replace", "mkdir", "unlink", "rmdir")
NEEDS_ROOM: Final = ("write", "fsync", "mkdir")


def felt(kinds: Sequence[str], harm: Harm, every: int = 1) -> list[int]:
    """Return the steps at which a harm does what it does at no other, every so many of each kind.

    A process can be killed after each. Only a write can be torn: elsewhere that is to be killed. No room
    from a step that needs none is no room from the next that does. Steps come in rounds, such as a write, a
    flush and a rename: every n-th of all could be of one kind alone.

    >>> felt(["write", "fsync", "replace"] * 4, "killed", every=3)
    [1, 2, 3, 10, 11, 12]
    """
    needed = {"killed": kinds, "torn": ("write",), "full": NEEDS_ROOM}[harm]
    steps: dict[str, list[int]] = {}
    for at, kind in enumerate(kinds, 1):
        if kind in needed:
            steps.setdefault(kind, []).append(at)
    return sorted(at for of_kind in steps.values() for at in of_kind[::every])


class Disk:
    """Counts steps and does `harm` at the `at`-th; with `at` 0 it only counts.

    kinds: of which kind each step so far was.
    """

    def __init__(self, harm: Harm = "killed", at: int = 0) -> None:
        self.harm, self.at = harm, at
        self.kinds: list[str] = []

    @property
    def steps(self) -> int:
        """How many steps there were so far."""
        return len(self.kinds)

    def before(self, kind: str) -> bool:
        """Count a step; raise when there is no room for it, and say whether to tear it."""
        self.kinds.append(kind)
        if self.harm == "full" and 0 < self.at <= self.steps and kind in NEEDS_ROOM:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.harm == "torn" and self.steps == self.at

    def after(self) -> None:
        """Kill the process when this was the step."""
        if self.harm != "full" and self.steps == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


class CountedFile:
    """A file whose writes are steps on a disk."""

    def __init__(self, file: Any, disk: Disk) -> None:
        self._file, self._disk = file, disk

    def write(self, content: Any) -> int:
        torn = self._disk.before("write")
        written = content if not torn else memoryview(content).cast("B")[: memoryview(content).nbytes // 2]
        done = self._file.write(written)
        if self._disk.steps == self._disk.at:
            self._file.flush()
        self._disk.after()
        return int(done)

    def __enter__(self) -> "CountedFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def failing(disk: Disk) -> Iterator[Disk]:
    """Let every step this process takes on the disk go through `disk`."""

    def counted(original: Callable[..., Any], kind: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            disk.before(kind)
            result = original(*args, **kwargs)
            disk.after()
            return result

        return call

    opened = Path.open

    def counted_open(self: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        file = opened(self, mode, *args, **kwargs)
        writes = isinstance(file, io.BufferedWriter)
        return CountedFile(file, disk) if writes else file

    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, counted(getattr(os, name), name))
        patch.setattr(Path, "open", counted_open)
        yield disk
