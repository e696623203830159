"""The log of stages: one line of JSON each, added in one step, read whatever was cut short."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final


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


_PUBLISH: Final = "publish"
_AFTERWARDS: Final = ("report", "track")


def seconds_until_published(log: Path) -> dict[str, float]:
    """Return seconds by run: what the stages took since the run before, each counted as it ran last.

    A stage that had nothing new to do is in no line and costs nothing; lines that cannot be read are
    left out.
    """
    if not log.exists():
        return {}
    seconds: dict[str, float] = {}
    stages: dict[str, float] = {}
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            said = json.loads(line)
            if said["stage"] not in _AFTERWARDS:
                stages[str(said["stage"])] = float(said["seconds"])
            if said["stage"] == _PUBLISH and "run" in said:
                seconds[str(said["run"])] = sum(stages.values())
                stages = {}
    return seconds
