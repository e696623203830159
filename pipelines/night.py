"""One night from the command line: all stages that have something new, one line of outcome, an exit code.

    python -m pipelines.night [--set key=value ...]

Exit codes: 0 published, 10 published with warnings, 20 refused by a gate, 30 try again, 40 broken
input or setting, 1 a defect. A night that was published but could not be tracked ends with 10, and the
next one tracks it.

SIGINT or SIGTERM to this process ends every stage under way with it, and the night with 30.
"""

import argparse
import json
import math
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.process_group import run_group
from pipelines.settings import CHANGES
from recsys.catalogue import Language, load_catalogue
from recsys.cli.app import language, settings_if_sound
from recsys.errors import EXIT_PUBLISHED, EXIT_PUBLISHED_WITH_WARNINGS, EXIT_TRY_AGAIN, BusyError
from recsys.pipeline.history import read_lines
from recsys.pipeline.lock import writer_lock
from recsys.pipeline.paths import PATHS, PUBLISHED
from recsys.settings import BudgetSettings, read_settings
from recsys.storage.publication import current_run

TRACK = "track"
"""The one stage that may fail after the publication was made."""


def main(arguments: list[str] | None = None) -> int:
    """Run the stages and return the exit code of the night."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.night", description="Run one night.")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting for this run, for example people=20000 or recommend.k=10",
    )
    changes = parser.parse_args(arguments).set
    try:
        with writer_lock(PATHS.root):
            return _run(changes)
    except BusyError:
        print(_text("busy", night_language()), file=sys.stderr)
        return EXIT_TRY_AGAIN


def _run(changes: list[str]) -> int:
    PATHS.failure.unlink(missing_ok=True)
    PATHS.current_stage.unlink(missing_ok=True)
    here = str(Path(sys.executable).parent)  # stages run with this Python, whatever else is installed
    environment = os.environ | {CHANGES: "\n".join(changes), "PATH": here + os.pathsep + os.environ["PATH"]}
    begun = datetime.now(UTC)
    returned, spoken = run_group([sys.executable, "-m", "dvc", "repro"], environment), night_language()
    if returned is None:
        print(_text("interrupted", spoken), file=sys.stderr)
        return EXIT_TRY_AGAIN
    code, message = outcome_of(returned, spoken)
    over_time = over_budget(begun, spoken)
    if over_time:
        code = EXIT_PUBLISHED_WITH_WARNINGS if code == EXIT_PUBLISHED else code
        message += _text("over", spoken, over_time=over_time)
    print(message, file=sys.stderr)
    return code


def night_language() -> Language:
    """Return the language the settings of the night name, else the one of the locale."""
    return language(None, settings_if_sound(PATHS.settings if PATHS.settings.exists() else None))


def outcome_of(returned: int, lang: Language = "en") -> tuple[int, str]:
    """Return the exit code of the night and one line about it."""
    if PATHS.failure.exists():
        failure = _read(PATHS.failure)
        first = failure["message"].splitlines()[0]
        if failure["stage"] == TRACK:
            served = {"run": current_run(PUBLISHED), "folder": PUBLISHED}
            return EXIT_PUBLISHED_WITH_WARNINGS, _text("not_tracked", lang, **served, error=first)
        code = failure["exit_code"]
        return code, _text("failed", lang, stage=failure["stage"], code=code, error=first)
    if returned != 0 and PATHS.current_stage.exists():
        stage = PATHS.current_stage.read_text(encoding="utf-8").strip()
        return EXIT_TRY_AGAIN, _text("killed", lang, stage=stage)
    if returned != 0:
        return EXIT_TRY_AGAIN, _text("stopped", lang, code=returned)
    code = _read(PATHS.outcome)["exit_code"]
    how = {EXIT_PUBLISHED: "published", EXIT_PUBLISHED_WITH_WARNINGS: "warned"}[code]
    return code, _text(how, lang, run=current_run(PUBLISHED), folder=PUBLISHED, page=PATHS.report)


def _text(key: str, lang: Language, **values: object) -> str:
    return load_catalogue().text(f"night.{key}", lang, **values)


def over_budget(begun: datetime, lang: Language = "en") -> str:
    """Return what of the stages that ended since `begun` took longer than its budget, as text."""
    if not (PATHS.settings.exists() and PATHS.log.exists()):
        return ""
    budget = read_settings(PATHS.settings).budget
    lines = read_lines(PATHS.log)
    since = begun.replace(microsecond=0)
    minutes = {
        line["stage"]: line["seconds"] / 60
        for line in lines
        if "at" in line and datetime.fromisoformat(line["at"]) >= since
    }
    over_time = [
        _text("stage_took", lang, stage=name, minutes=f"{taken:.1f}")
        for name, taken in minutes.items()
        if taken > _limit(budget, name)
    ]
    if sum(minutes.values()) > budget.night_minutes:
        over_time.append(_text("all_took", lang, minutes=f"{sum(minutes.values()):.1f}"))
    return ", ".join(over_time)


def _limit(budget: BudgetSettings, stage: str) -> float:
    return budget.stage_minutes.get(stage, math.inf)


def _read(path: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content


if __name__ == "__main__":
    sys.exit(main())
