"""Keeps the night and its model, last of all: nothing that is served waits for it or depends on it."""

import json
import sys
from dataclasses import asdict

from pipelines.stage import Facts, run
from recsys.config import Settings
from recsys.publication.work import PUBLISHED, WorkFolder
from recsys.storage.durable import write_durably
from recsys.storage.erasures import ErasureList
from recsys.tracking.finished_night import FinishedNight
from recsys.tracking.forget_tracked import forget_tracked
from recsys.tracking.track_night import track_night


def step(settings: Settings, work: WorkFolder) -> Facts:
    tracked = asdict(track_night(FinishedNight.read(settings, work)))
    forget_tracked(settings.tracking.store, ErasureList.of(PUBLISHED).now())
    write_durably(work.tracked, json.dumps(tracked, indent=1).encode() + b"\n")
    return tracked


def main() -> int:
    """Run this stage; a night it cannot keep stays published, see `pipelines.night`."""
    return run("track", step)


if __name__ == "__main__":
    sys.exit(main())
