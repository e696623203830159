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
_MEMORY_OF_TWO: Final = 14 << 10
"""Bytes for each person, beside those in all, of the largest stage and the evaluation that runs beside it."""
_MEMORY_PREPARED: Final = 30 << 10
"""The same with what is prepared beside them, too."""


def stages_at_once(settings: Settings | None) -> int:
    """Return how many stages may run at the same time: two, or one where one worker was asked for.

    The evaluation then runs beside what learns and makes the lists. Which bytes are written never depends
    on it. One, too, where what would be in memory at once does not fit into three quarters of it.
    """
    workers = n_processors() if settings is None else settings.execution.workers or n_processors()
    return min(workers, 2) if _fits(_MEMORY_OF_TWO) else 1


def may_prepare(settings: Settings | None) -> bool:
    """Say whether processes of stages to come may load what they need beside those under way."""
    return stages_at_once(settings) > 1 and _fits(_MEMORY_PREPARED)


def _fits(a_person: int) -> bool:
    memory = machine_memory()
    return memory is None or _MEMORY_AT_LEAST + a_person * _people_checked() <= 0.75 * memory


def _people_checked() -> int:
    """Return how many profiles the last check of the tables saw; 0 before the first."""
    for line in reversed(read_lines(PATHS.log)):
        if line["stage"] == "validate" and isinstance(line.get("rows"), dict):
            return int(line["rows"].get("profiles", 0))
    return 0
