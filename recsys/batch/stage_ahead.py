"""A stage run ahead of being asked for, beside one that is under way: what it writes lies aside until then.

DVC runs one stage at a time, also where two read nothing of each other. The server of a night (see
`recsys.batch.stage_server`) begins the second with the first. When DVC asks for the second, its files are
moved into place, if what it reads is still what it read; otherwise, and where it failed, it is run as usual.
When DVC never asks, nothing of it stays.
"""

import json
import os
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from recsys.batch.stage import resources_taken
from recsys.batch.stage_order import LogFields, stage_of
from recsys.pipeline.paths import PATHS, NightPaths
from recsys.settings import read_settings

BESIDE: Final = {"train": "evaluate"}
"""By stage, the one that is begun with it: both read the tables, and what the first writes is not read."""
ASIDE: Final = NightPaths(PATHS.root / "ahead")
"""The work folder of a stage that was not asked for yet."""
_DONE: Final = ASIDE.root / "done.json"


def run_ahead(name: str) -> None:
    """Run a stage in the home that is the working directory, and leave what it writes aside.

    It says nothing: a stage that fails is run again when it is asked for, and says why.
    """
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    begun, stage = time.perf_counter(), stage_of(name)
    clear()
    ASIDE.root.mkdir(parents=True)
    for path in stage.reads:
        (ASIDE.root / path.name).symlink_to(path.resolve())
    read = state_of((PATHS.settings, *stage.reads))
    fields = stage.load()(read_settings(PATHS.settings), ASIDE)
    plain = {key: str(value) if isinstance(value, Path) else value for key, value in fields.items()}
    facts = {**plain, **resources_taken(begun)}
    _DONE.write_text(json.dumps({"read": read, "facts": facts}), encoding="utf-8")


def taken_over(name: str) -> LogFields | None:
    """Move what a stage wrote ahead to where it belongs; return its facts, None where it has to be run."""
    stage = stage_of(name)
    try:
        done = json.loads(_DONE.read_bytes())
    except (OSError, ValueError):
        return None
    if done["read"] != state_of((PATHS.settings, *stage.reads)):
        return None
    for target in stage.writes:
        if target.is_dir():
            shutil.rmtree(target)
        (ASIDE.root / target.name).replace(target)
    facts: LogFields = done["facts"]
    return facts


def clear() -> None:
    """Remove what was written ahead."""
    shutil.rmtree(ASIDE.root, ignore_errors=True)


def state_of(paths: Iterable[Path]) -> list[list[object]]:
    """Return name, size and time of change of every file: what is read is written anew, never changed."""
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
    found: list[list[object]] = []
    for file in files:
        with suppress(FileNotFoundError):
            known = file.stat()
            found.append([file.as_posix(), known.st_size, known.st_mtime_ns])
    return found
