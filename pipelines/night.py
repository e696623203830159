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
from recsys.errors import RecsysError, SettingsError, explained
from recsys.settings import PARAMS_FILE

DVC = (sys.executable, "-m", "recsys.batch.stage_server", sys.executable, "-m", "dvc", "repro", "--quiet")


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
        _require_dvc_folder(Path.cwd())
        return run_night(".", command=DVC, changes=changes, lang=lang)
    except RecsysError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _require_dvc_folder(here: Path) -> None:
    """Raise SettingsError where DVC knows no stages: another try would end the same way."""
    missing = "dvc.yaml" if not (here / "dvc.yaml").is_file() else ".dvc"
    if missing == ".dvc" and any((folder / ".dvc").is_dir() for folder in (here, *here.parents)):
        return
    remedy = "run it at the root of a checkout, after dvc init if need be; recsys night needs no DVC"
    raise SettingsError(
        explained("this is no DVC folder", where=str(here), got=f"no {missing}", remedy=remedy)
    )


if __name__ == "__main__":
    sys.exit(main())
