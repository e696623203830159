"""How many stages of a night run at the same time, and how long before its turn one is prepared."""

from typing import Final

from recsys.memory import machine_memory
from recsys.parallel import n_processors
from recsys.pipeline.paths import PATHS
from recsys.pipeline.stage_log import read_lines
from recsys.settings import Settings

PREPARED_BEFORE: Final = 2
"""So many stages before its turn the process of a stage is started, to load what it needs: it fills what the
stages before it leave of the processors."""
_MEMORY_AT_LEAST: Final = 2 << 30
_MEMORY_EACH: Final = 30 << 10
"""Bytes, in all and for each person, of the largest stage and what runs or is prepared beside it."""


def stages_at_once(settings: Settings | None) -> int:
    """Return how many stages may run at the same time: two, or one where one worker was asked for.

    The evaluation then runs beside what learns and makes the lists. Which bytes are written never depends
    on it. One, too, where what would be in memory at once does not fit into three quarters of it.
    """
    workers = n_processors() if settings is None else settings.execution.workers or n_processors()
    memory = machine_memory()
    needed = _MEMORY_AT_LEAST + _MEMORY_EACH * _people_checked()
    return 1 if memory is not None and needed > 0.75 * memory else min(workers, 2)


def _people_checked() -> int:
    """Return how many profiles the last check of the tables saw; 0 before the first."""
    for line in reversed(read_lines(PATHS.log)):
        if line["stage"] == "validate" and isinstance(line.get("rows"), dict):
            return int(line["rows"].get("profiles", 0))
    return 0
