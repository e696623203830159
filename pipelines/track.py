"""Keeps the night and its model, last of all: nothing that is served waits for it or depends on it."""

import json
import sys
from dataclasses import asdict

from pipelines.stage import LogFields, run
from recsys.pipeline.paths import PUBLISHED, NightPaths
from recsys.safety.erasure_list import ErasureList
from recsys.settings import Settings
from recsys.storage.atomic_write import write_atomically
from recsys.tracking.mlflow_tracker import erase_from_tracking
from recsys.tracking.night_tracking import FinishedNight, track_night


def step(settings: Settings, paths: NightPaths) -> LogFields:
    tracked = asdict(track_night(FinishedNight.read(settings, paths)))
    erase_from_tracking(settings.tracking.store, ErasureList.of(PUBLISHED).now())
    write_atomically(paths.tracked, json.dumps(tracked, indent=1).encode() + b"\n")
    return tracked


def main() -> int:
    """Run this stage; a night it cannot keep stays published, see `pipelines.night`."""
    return run("track", step)


if __name__ == "__main__":
    sys.exit(main())
