"""Searches for better settings of the model on the tables of the last night.

    python -m pipelines.tune [--trials N] [--set key=value ...]

It reads what a night left in data/work and changes nothing there but data/work/tuned.json: the best
settings, every trial, and how they compare with the usual ones on answers that no trial saw.
"""

import argparse
import json
import sys

from recsys.batch.stage import run_with
from recsys.batch.stage_order import LogFields
from recsys.pipeline.night import Night
from recsys.pipeline.paths import PATHS
from recsys.pipeline.tuning import tune
from recsys.settings import read_settings
from recsys.storage.atomic_write import write_atomically


def step(trials: int, changes: list[str]) -> LogFields:
    settings = read_settings(PATHS.settings, changes=changes)
    found = tune(Night.current(settings, PATHS), trials=trials)
    print(found.comparison.drop(columns=["slice", "random"]).round(4).to_string(index=False))
    tables = {
        name: json.loads(getattr(found, name).to_json(orient="records")) for name in ("trials", "comparison")
    }
    content = {"model": settings.model.name, "options": found.options} | tables
    write_atomically(PATHS.tuned, json.dumps(content, indent=1).encode() + b"\n")
    return {"model": settings.model.name, "options": json.dumps(found.options), "trials": len(found.trials)}


def main(arguments: list[str] | None = None) -> int:
    """Search, and say what was found."""
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.tune", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--trials", type=int, default=30, help="settings to try (default 30)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting")
    given = parser.parse_args(arguments)
    return run_with("tune", lambda: step(given.trials, given.set))


if __name__ == "__main__":
    sys.exit(main())
