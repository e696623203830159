"""Evaluates the model on what happened after it learned."""

import json
import sys

from pipelines.stage import LogFields, run
from recsys.pipeline.evaluation import evaluate_night
from recsys.pipeline.night import Night
from recsys.pipeline.paths import NightPaths
from recsys.settings import Settings
from recsys.storage.atomic_write import write_atomically


def step(settings: Settings, paths: NightPaths) -> LogFields:
    found = evaluate_night(Night.current(settings, paths), pairs=paths.evaluated_pairs)
    write_atomically(paths.evaluation, json.dumps(found, indent=1, ensure_ascii=False).encode() + b"\n")
    return {key: value for key, value in found.items() if not isinstance(value, list)}


def main() -> int:
    """Run this stage."""
    return run("evaluate", step)


if __name__ == "__main__":
    sys.exit(main())
