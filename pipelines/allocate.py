"""Chooses everybody's list from their candidates. See `recsys.batch.lists`."""

import sys

from recsys.batch import lists  # noqa: F401 what the stage loads, for `tests.pipeline.imports`
from recsys.batch.stage import run


def main() -> int:
    """Run this stage."""
    return run("allocate")


if __name__ == "__main__":
    sys.exit(main())
