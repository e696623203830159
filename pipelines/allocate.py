"""Chooses everybody's list from their candidates, so that likes meet inboxes with room."""

import sys
from dataclasses import asdict

from pipelines.stage import LogFields, run
from recsys.pipeline.allocation import allocate_night
from recsys.pipeline.paths import NightPaths
from recsys.settings import Settings


def step(settings: Settings, paths: NightPaths) -> LogFields:
    return asdict(allocate_night(settings, paths))


def main() -> int:
    """Run this stage."""
    return run("allocate", step)


if __name__ == "__main__":
    sys.exit(main())
