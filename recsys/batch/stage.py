"""What every stage has around it: its settings, one line of outcome, an exit code.

    python -P -m recsys.batch.stage NAME

runs one stage in the home that is the working directory.
"""

import errno
import json
import resource
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from recsys.batch.progress import Ticker, expected_seconds, summary_line
from recsys.batch.stage_order import LogFields, stage_of
from recsys.catalogue import Language
from recsys.errors import EXIT_TRY_AGAIN, RecsysError
from recsys.pipeline.paths import PATHS
from recsys.pipeline.stage_log import append_line
from recsys.redaction import library_reason
from recsys.settings import Settings, read_settings
from recsys.storage.atomic_write import write_atomically

EXIT_DEFECT: Final = 1
"""Exit code of an error nobody raised on purpose."""


def run(name: str, ahead: Callable[[], LogFields | None] = lambda: None) -> int:
    """Run one stage of the night and return its exit code; what it returns is logged as one line.

    ahead: takes over what the stage wrote before it was asked for, None where it has to be run.
    """
    step = stage_of(name).load()
    if name == "settings":  # it writes the settings that every other stage reads
        return run_with(name, step)  # type: ignore[arg-type]
    return run_with(name, lambda: ahead() or step(read_settings(PATHS.settings), PATHS))


def run_with(name: str, step: Callable[[], LogFields]) -> int:
    """Run a step that finds its own settings."""
    start, settings = time.perf_counter(), _settings()
    lang: Language = "en" if settings is None else settings.report.lang
    try:
        _begin(name)
        with Ticker(name, expected_seconds(PATHS.log, settings).get(name), lang):
            fields = step()
        plain = {key: str(value) if isinstance(value, Path) else value for key, value in fields.items()}
        summary = _log(name, start, **{"exit_code": 0, **plain})
    except RecsysError as error:
        _failed(name, error.exit_code, str(error))
        _log(name, start, exit_code=error.exit_code)
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            _defect(name, start, error)
            raise
        text = f"the disk is full: got '{error}'; free some space and run again"
        with suppress(OSError):  # there may be no room to say so but here
            _failed(name, EXIT_TRY_AGAIN, text)
            _log(name, start, exit_code=EXIT_TRY_AGAIN)
        print(f"error: {text}", file=sys.stderr)
        return EXIT_TRY_AGAIN
    except Exception as error:
        _defect(name, start, error)
        print(defect_text(error), file=sys.stderr)
        return EXIT_DEFECT
    finally:
        (PATHS.running / name).unlink(missing_ok=True)
    settings = settings or _settings()  # the first stage has just written them
    zone = ZoneInfo("UTC" if settings is None else settings.report.time_zone)
    print(summary_line(name, summary, datetime.now(zone), lang), file=sys.stderr)
    return 0


def _settings() -> Settings | None:
    """Return the settings of the night, None where none are written yet or they cannot be read."""
    try:
        return read_settings(PATHS.settings)
    except RecsysError:
        return None


def _begin(name: str) -> None:
    """Note which stage is under way: one that is killed can say nothing itself."""
    PATHS.running.mkdir(parents=True, exist_ok=True)
    (PATHS.running / name).touch()


def _log(name: str, start: float, **facts: object) -> dict[str, object]:
    """Add one line to the log of runs: what ended when, after how long, with how much memory.

    What a stage took that had been run ahead is among its facts.
    """
    summary = {**resources_taken(start), **facts}
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    append_line(PATHS.log, {"stage": name, "at": moment, **summary})
    return summary


def resources_taken(start: float) -> dict[str, float]:
    """Return the seconds since a time of `time.perf_counter`, processor seconds and memory of this process.

    cpu_seconds: of the stage and its workers, which a busy machine does not lengthen. peak_mb: in megabytes.
    """
    seconds = round(time.perf_counter() - start, 2)
    return {"seconds": seconds, "cpu_seconds": round(_cpu_seconds(), 2), "peak_mb": round(_peak_mb())}


def _cpu_seconds() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in both)


def _peak_mb() -> float:
    """Return the most memory this process and any one of its workers held, added up."""
    own, workers = (
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return (own + workers) / (2**20 if sys.platform == "darwin" else 2**10)


def _defect(stage: str, start: float, error: Exception) -> None:
    raised = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(raised.filename).name} line {raised.lineno}"
    _failed(stage, EXIT_DEFECT, f"{type(error).__name__} in {where}: {library_reason(error)}")
    _log(stage, start, exit_code=EXIT_DEFECT)


def defect_text(error: BaseException) -> str:
    """Return the lines that an error went through, its kind and its words, without the values it failed on.

    >>> print(defect_text(ValueError("could not convert string to float: 'hana@example.com'")))
    Traceback (most recent call last):
    ValueError: could not convert string to float: ...
    """
    lines = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{lines}{type(error).__name__}: {library_reason(error)}"


def _failed(stage: str, exit_code: int, message: str) -> None:
    PATHS.root.mkdir(parents=True, exist_ok=True)
    summary = {"stage": stage, "exit_code": exit_code, "message": message}
    write_atomically(PATHS.failure, json.dumps(summary, ensure_ascii=False).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(run(sys.argv[1]))
