"""One night from the command line: all stages that have something new, one line of outcome, an exit code.

    python -m pipelines.night [--set key=value ...]

Exit codes: 0 published, 10 published with warnings, 20 refused by a gate, 30 try again, 40 broken
input or setting, 1 a defect. A night that was published but could not be tracked ends with 10, and the
next one tracks it.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipelines.settings import CHANGES
from recsys.errors import EXIT_PUBLISHED, EXIT_PUBLISHED_WITH_WARNINGS, EXIT_TRY_AGAIN
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
    done = subprocess.run([sys.executable, "-m", "dvc", "repro"], env=environment, check=False)
    code, said = outcome_of(done.returncode)
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


def _read(path: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content


if __name__ == "__main__":
    sys.exit(main())
