"""The executor of the settings."""

import os

from recsys.config import ExecutionSettings
from recsys.publication.executors.executor import Executor
from recsys.publication.executors.in_process import InProcess
from recsys.publication.executors.processes import Processes
from recsys.publication.executors.spark import Spark


def chosen_executor(settings: ExecutionSettings, *, parts: int) -> Executor:
    """Return who does `parts` parts: starting processes for one part alone would only cost time.

    >>> chosen_executor(ExecutionSettings(workers=2), parts=5)
    Processes(workers=2)
    """
    if settings.executor == "spark":
        return Spark(settings.spark_master)
    workers = min(settings.workers or os.cpu_count() or 1, parts)
    return InProcess() if workers <= 1 or settings.executor == "in_process" else Processes(workers)
