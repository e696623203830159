"""What every stage has around it: its settings, one line of outcome, an exit code."""

import json
import sys
import time
from collections.abc import Callable, Mapping
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
        log.error(name, exit_code=error.exit_code)  # noqa: TRY400 the message says it all
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except Exception as error:
        _failed(name, EXIT_DEFECT, f"{type(error).__name__}: {error}")
        raise
    plain = {key: str(value) if isinstance(value, Path) else value for key, value in facts.items()}
    said = {**plain, "seconds": round(time.perf_counter() - start, 2)}
    log.info(name, **said)
    _write(WORK.log, {"stage": name, **said}, mode="a")
    return 0


def _failed(stage: str, exit_code: int, message: str) -> None:
    _write(WORK.failure, {"stage": stage, "exit_code": exit_code, "message": message})


def _write(path: Path, content: Facts, *, mode: str = "w") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open(mode, encoding="utf-8") as file:
        file.write(json.dumps(content, ensure_ascii=False) + "\n")
