"""Chooses everybody's list from their candidates. See `recsys.batch.list_stages`."""

import sys

from recsys.batch import list_stages  # noqa: F401 what the stage loads, for `tests.pipeline.imports`
from recsys.batch.stage import run


def main() -> int:
    """Run this stage."""
    return run("allocate")


if __name__ == "__main__":
    sys.exit(main())
