"""One night of this checkout: the stages for which something changed, in the order of DVC.

    python -m pipelines.night [--set key=value ...]

Exit codes: 0 published, 10 published with warnings, 20 refused by a gate, 30 try again, 40 broken
input or setting, 1 a defect. It is `recsys night` with DVC in place of the package's own order.
"""

import argparse
import sys
from pathlib import Path

from recsys.batch.night import run_night
from recsys.cli.app import language, settings_if_sound
from recsys.errors import RecsysError
from recsys.settings import PARAMS_FILE

DVC = (sys.executable, "-m", "dvc", "repro", "--quiet")


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
    lang = language(None, settings_if_sound(Path(PARAMS_FILE), changes))
    try:
        return run_night(".", command=DVC, changes=changes, lang=lang)
    except RecsysError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
