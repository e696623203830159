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
from recsys.config import BudgetSettings, read_settings
from recsys.errors import EXIT_PUBLISHED, EXIT_PUBLISHED_WITH_WARNINGS, EXIT_TRY_AGAIN
from recsys.publication.run_log import read_lines
from recsys.publication.work import PUBLISHED, WORK
from recsys.storage.published import current_run

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
    WORK.failure.unlink(missing_ok=True)
    here = str(Path(sys.executable).parent)  # stages run with this Python, whatever else is installed
    environment = os.environ | {CHANGES: "\n".join(changes), "PATH": here + os.pathsep + os.environ["PATH"]}
    begun = datetime.now(UTC)
    returned = run_group([sys.executable, "-m", "dvc", "repro"], environment)
    if returned is None:
        print("night: interrupted; run it again", file=sys.stderr)
        return EXIT_TRY_AGAIN
    code, said = outcome_of(returned)
    late = over_budget(begun)
    if late:
        code = EXIT_PUBLISHED_WITH_WARNINGS if code == EXIT_PUBLISHED else code
        said += f"; over its time budget: {late}"
    print(said, file=sys.stderr)
    return code


def outcome_of(returned: int) -> tuple[int, str]:
    """Return the exit code of the night and one line about it."""
    if WORK.failure.exists():
        failure = _read(WORK.failure)
        first = failure["message"].splitlines()[0]
        if failure["stage"] == TRACK:
            told = (
                f"{current_run(PUBLISHED)} is served from {PUBLISHED}, but it could not be tracked: {first}"
            )
            return EXIT_PUBLISHED_WITH_WARNINGS, f"night: published with warnings, {told}"
        return failure["exit_code"], f"night: {failure['stage']} failed ({failure['exit_code']}): {first}"
    if returned != 0:
        return EXIT_TRY_AGAIN, f"night: stopped by DVC or a signal ({returned}); run it again"
    code = _read(WORK.outcome)["exit_code"]
    how = {EXIT_PUBLISHED: "published", EXIT_PUBLISHED_WITH_WARNINGS: "published with warnings"}[code]
    return code, f"night: {how}, {current_run(PUBLISHED)} is served from {PUBLISHED}"


def over_budget(begun: datetime) -> str:
    """Return what of the stages that ended since `begun` took longer than its budget, as text."""
    if not (WORK.settings.exists() and WORK.log.exists()):
        return ""
    budget = read_settings(WORK.settings).budget
    lines = read_lines(WORK.log)
    since = begun.replace(microsecond=0)
    minutes = {
        line["stage"]: line["seconds"] / 60
        for line in lines
        if "at" in line and datetime.fromisoformat(line["at"]) >= since
    }
    late = [f"{name} {taken:.1f} min" for name, taken in minutes.items() if taken > _limit(budget, name)]
    if sum(minutes.values()) > budget.night_minutes:
        late.append(f"the night {sum(minutes.values()):.1f} min")
    return ", ".join(late)


def _limit(budget: BudgetSettings, stage: str) -> float:
    return budget.stage_minutes.get(stage, math.inf)


def _read(path: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content


if __name__ == "__main__":
    sys.exit(main())
