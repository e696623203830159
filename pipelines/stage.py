"""What every stage has around it: its settings, one line of outcome, an exit code."""

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from recsys.config import Settings, read_settings
from recsys.errors import RecsysError
from recsys.publication.work import WORK, WorkFolder

EXIT_DEFECT: Final = 1
"""Exit code of an error nobody raised on purpose."""

Facts = Mapping[str, object]


def run(name: str, step: Callable[[Settings, WorkFolder], Facts]) -> int:
    """Run one stage of the night and return its exit code; what it returns is logged as one line."""
    return run_with(name, lambda: step(read_settings(WORK.settings), WORK))


def run_with(name: str, step: Callable[[], Facts]) -> int:
    """Run a step that finds its own settings."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    log = structlog.get_logger()
    start = time.perf_counter()
    try:
        facts = step()
    except RecsysError as error:
        _failed(name, error.exit_code, str(error))
        _log(name, start, exit_code=error.exit_code)
        log.error(name, exit_code=error.exit_code)  # noqa: TRY400 the message says it all
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except Exception as error:
        _failed(name, EXIT_DEFECT, f"{type(error).__name__}: {error}")
        _log(name, start, exit_code=EXIT_DEFECT)
        raise
    plain = {key: str(value) if isinstance(value, Path) else value for key, value in facts.items()}
    said = _log(name, start, **{"exit_code": 0, **plain})
    log.info(name, **said)
    return 0


def _log(name: str, start: float, **facts: object) -> dict[str, object]:
    """Add one line to the log of runs: what ended when, after how long, with how much memory."""
    said = {**facts, "seconds": round(time.perf_counter() - start, 2), "peak_mb": round(_peak_mb())}
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    _write(WORK.log, {"stage": name, "at": moment, **said}, mode="a")
    return said


def _peak_mb() -> float:
    """Return the most memory this process and any one of its workers held, added up."""
    own, workers = (
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return (own + workers) / (2**20 if sys.platform == "darwin" else 2**10)


def _failed(stage: str, exit_code: int, message: str) -> None:
    _write(WORK.failure, {"stage": stage, "exit_code": exit_code, "message": message})


def _write(path: Path, content: Facts, *, mode: str = "w") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open(mode, encoding="utf-8") as file:
        file.write(json.dumps(content, ensure_ascii=False) + "\n")
