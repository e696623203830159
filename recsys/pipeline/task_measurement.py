"""How long a task of a step took, and the most memory its process held meanwhile."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from recsys.pipeline.executors import PartFunction, PartResult

MILLISECONDS: Final = "milliseconds"
PEAK_KB: Final = "peak_kb"
"""Counts of a measured task; the second is 0 where the system does not tell it."""

_PROCESS: Final = Path("/proc/self")
_FORGET_PEAK: Final = "5"


def measured(function: PartFunction) -> PartFunction:
    """Return a function that does the same part and counts what it took.

    >>> found = measured(lambda number: PartResult(number, 3))(7)
    >>> found.number, found.rows, sorted(found.counts)
    (7, 3, ['milliseconds', 'peak_kb'])
    """

    def one(number: int) -> PartResult:
        with suppress(OSError):  # not everywhere: the peak is then that of all tasks of the process so far
            (_PROCESS / "clear_refs").write_text(_FORGET_PEAK, encoding="ascii")
        begun = time.perf_counter()
        done = function(number)
        took: Mapping[str, int] = {
            MILLISECONDS: round(1000 * (time.perf_counter() - begun)),
            PEAK_KB: peak_kb(),
        }
        return replace(done, counts={**done.counts, **took})

    return one


def peak_kb() -> int:
    """Return the most memory this process held, in KB; 0 where the system does not tell it."""
    try:
        lines = (_PROCESS / "status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)
