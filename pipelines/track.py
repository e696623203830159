"""Keeps the night and its model, last of all. See `recsys.batch.report_stages`."""

import sys

from recsys.batch import report_stages  # noqa: F401 what the stage loads, for `tests.pipeline.imports`
from recsys.batch.stage import run


def main() -> int:
    """Run this stage."""
    return run("track")


if __name__ == "__main__":
    sys.exit(main())
