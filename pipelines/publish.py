"""Runs the gates on the lists and serves them when none blocks. See `recsys.batch.list_stages`."""

import sys

from recsys.batch import list_stages  # noqa: F401 what the stage loads, for `tests.pipeline.imports`
from recsys.batch.stage import run


def main() -> int:
    """Run this stage."""
    return run("publish")


if __name__ == "__main__":
    sys.exit(main())
