"""Checks every row against its contract. See `recsys.batch.table_stages`."""

import sys

from recsys.batch import table_stages  # noqa: F401 what the stage loads, for `tests.pipeline.imports`
from recsys.batch.stage import run


def main() -> int:
    """Run this stage."""
    return run("validate")


if __name__ == "__main__":
    sys.exit(main())
