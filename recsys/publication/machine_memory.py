"""How much memory the processes of this machine may take."""

import os
from pathlib import Path
from typing import Final

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


def _limit(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None  # "max": none is set
