"""The log of stages: one line for each stage that ended, with what it took and what it found."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from recsys.storage.json_lines import add_json_line, read_json_lines

_READABLE: Final = 0o644


def append_line(log: Path, facts: Mapping[str, object]) -> None:
    """Add one line and wait until it is on the disk; a line an earlier crash left open is closed first."""
    add_json_line(log, json.dumps(facts, ensure_ascii=False), mode=_READABLE, wait=True)


def read_lines(log: Path) -> list[dict[str, Any]]:
    """Return what every line says that names a stage; none when there is no log.

    A line that a crash or a full disk cut short says nothing and is left out.
    """
    found: list[dict[str, Any]] = []
    for line in read_json_lines(log):
        with suppress(ValueError):
            fields = json.loads(line)
            if isinstance(fields, dict) and "stage" in fields:
                found.append(fields)
    return found


_PUBLISH: Final = "publish"
_AFTERWARDS: Final = ("report", "track")


def seconds_until_published(log: Path) -> dict[str, float]:
    """Return seconds by run: what the stages took since the run before, each counted as it ran last.

    A stage that had nothing new to do is in no line and costs nothing; lines that cannot be read are
    left out.
    """
    seconds: dict[str, float] = {}
    stages: dict[str, float] = {}
    for line in read_json_lines(log):
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            fields = json.loads(line)
            if fields["stage"] not in _AFTERWARDS:
                stages[str(fields["stage"])] = float(fields["seconds"])
            if fields["stage"] == _PUBLISH and "run" in fields:
                seconds[str(fields["run"])] = sum(stages.values())
                stages = {}
    return seconds
