"""How long each night took until it was published, from the log of stages."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Final

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
