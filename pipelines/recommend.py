"""Finds everybody's candidates: the best people among those who may be shown to them."""

import sys
from dataclasses import asdict

from tqdm import tqdm

from pipelines.stage import LogFields, run
from recsys.pipeline.candidates import recommend_night
from recsys.pipeline.paths import NightPaths
from recsys.settings import Settings


def step(settings: Settings, paths: NightPaths) -> LogFields:
    with tqdm(desc="recommend", unit="people", disable=not sys.stderr.isatty()) as bar:
        return asdict(recommend_night(settings, paths, progress=bar.update))


def main() -> int:
    """Run this stage."""
    return run("recommend", step)


if __name__ == "__main__":
    sys.exit(main())
