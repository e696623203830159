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
from recsys.publication.work import WorkFolder

WORK: Final = WorkFolder(Path("data/work"))
PUBLISHED: Final = Path("data/published")
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
        WORK.failure.parent.mkdir(parents=True, exist_ok=True)
        failure = {"stage": name, "exit_code": error.exit_code, "message": str(error)}
        WORK.failure.write_text(json.dumps(failure, ensure_ascii=False), encoding="utf-8")
        log.error(name, exit_code=error.exit_code)  # noqa: TRY400 the message says it all
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    log.info(name, **facts, seconds=round(time.perf_counter() - start, 2))
    return 0
