"""Finds everybody's candidates. See `recsys.batch.lists`."""

import sys

from recsys.batch import lists  # noqa: F401 what the stage loads, for `tests.pipeline.imports`
from recsys.batch.stage import run


def main() -> int:
    """Run this stage."""
    return run("recommend")


if __name__ == "__main__":
    sys.exit(main())
