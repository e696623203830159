"""Memory: how much there is, what was freed and is still held, what can wait in a file, and garbage.

The allocators of the C library and of Arrow keep what is freed for the next allocation. A process that makes
tables first and arrays of other sizes then holds both; after `return_freed_memory` only what is in use.
"""

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final


def return_freed_memory() -> None:
    """Give freed memory back to the operating system where the C library can; nothing in use is touched.

    It takes a hundredth of a second for a gigabyte.

    >>> return_freed_memory()
    """
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library than that of GNU
            ctypes.CDLL(None).malloc_trim(0)


SET_ASIDE_FROM: Final = 1 << 26
"""Bytes of an array that is worth a file."""


def set_aside(owner: object, *names: str) -> None:
    """Move large arrays of an object to a temporary file without a name, from where they are mapped.

    For what is not needed until much later: their values stay, and pages are in memory again when they are
    read. Where no file can be written the arrays stay as they are.

    names: attributes that hold arrays.
    """
    for name in names:
        array = vars(owner)[name]
        if array.nbytes >= SET_ASIDE_FROM and array.flags.c_contiguous:
            with suppress(OSError):
                vars(owner)[name] = _on_disk(array)


def _on_disk(array: Any) -> Any:
    import numpy as np

    with TemporaryFile() as file:
        array.tofile(file)
        return np.memmap(file, array.dtype, "c", shape=array.shape).view(np.ndarray)


_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where Linux keeps the limit of a container (control groups of version 2 and 1)."""


def machine_memory(limits: tuple[Path, ...] = _LIMITS) -> int | None:
    """Return bytes: what the machine has, or less where a container is given less; None when unknown.

    >>> (machine_memory() or 1 << 30) > 1 << 20
    True
    """
    try:
        found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, OSError, ValueError):  # not everywhere
        found = []
    found += [limit for path in limits if (limit := _limit(path)) is not None]
    return min(found, default=None)


_SHARE: Final = 0.4


def takes_too_much(n_bytes: int) -> bool:
    """Say whether so many bytes are more than two fifths of the machine's memory; never where it is unknown.

    >>> takes_too_much(0)
    False
    """
    memory = machine_memory()
    return memory is not None and n_bytes > _SHARE * memory


def _limit(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None  # "max": none is set


@contextmanager
def paused_collection() -> Iterator[None]:
    """Let no collection begin in this process until the end, where the collector was on.

    Reading a catalogue or opening a publication makes a hundred thousand objects, none of them garbage, and
    the collector looks through everything each time many were made: nearly half the time. Other threads may
    go on; what they leave in cycles waits for the next collection.

    >>> with paused_collection():
    ...     gc.isenabled()
    False
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
