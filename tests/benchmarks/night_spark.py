"""What Spark costs beside processes: the lists of a night made again by both, on two workers each."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from recsys.pipeline.paths import PATHS
from recsys.storage.atomic_write import sha256_of

Run = Callable[[Path, str], float]
_PARTS = 8
"""Parts the lists are made in, so that both workers of each have several."""


def spark_beside_processes(project: Path, viewers: int, run: Run) -> dict[str, Any]:
    """Make the lists of the night again with two processes and on `local[2,4]`.

    Returns whether the bytes are the same, the seconds of each (start, search and writing), and the
    seconds of Spark over those of processes. The settings of the night are left as they were.
    """
    before = (project / PATHS.settings).read_text(encoding="utf-8")
    change_execution(project, people_a_part=max(1, -(-viewers // _PARTS)), workers=2)
    try:
        processes_seconds, by_processes = _made(project, run)
        change_execution(project, executor="spark", spark_master="local[2,4]")
        spark_seconds, by_spark = _made(project, run)
    finally:
        (project / PATHS.settings).write_text(before, encoding="utf-8")
    return {
        "spark_same_bytes": by_spark == by_processes,
        "processes_seconds": processes_seconds,
        "spark_seconds": spark_seconds,
        "spark_over_processes": spark_seconds / processes_seconds,
    }


def change_execution(project: Path, **changes: object) -> None:
    """Change how the work of a night is shared out."""
    path = project / PATHS.settings
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings["execution"] |= changes
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")


def _made(project: Path, run: Run) -> tuple[float, str]:
    """Make all parts afresh; return the seconds of the stage and what was made."""
    shutil.rmtree(project / PATHS.parts / "recommend", ignore_errors=True)
    run(project, "pipelines.recommend")
    said = json.loads((project / PATHS.log).read_text(encoding="utf-8").splitlines()[-1])
    return float(said["seconds"]), sha256_of(project / PATHS.pool)
