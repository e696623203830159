"""The log of stages: one line of JSON each, added in one step, read whatever was cut short."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any


def add_line(log: Path, facts: Mapping[str, object]) -> None:
    """Add one line and wait until it is on the disk; a line an earlier crash left open is closed first."""
    log.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(facts, ensure_ascii=False).encode() + b"\n"
    descriptor = os.open(log, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            line = b"\n" + line
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_lines(log: Path) -> list[dict[str, Any]]:
    """Return what every line says that names a stage; none when there is no log.

    A line that a crash or a full disk cut short says nothing and is left out.
    """
    if not log.exists():
        return []
    found: list[dict[str, Any]] = []
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(ValueError):
            said = json.loads(line)
            if isinstance(said, dict) and "stage" in said:
                found.append(said)
    return found
