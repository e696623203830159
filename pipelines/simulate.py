"""Makes the synthetic town when it is the source; another source needs none. See `recsys.batch.tables`."""

import sys

from recsys.batch import tables  # noqa: F401 what the stage loads, for `tests.pipeline.imports`
from recsys.batch.stage import run


def main() -> int:
    """Run this stage."""
    return run("simulate")


if __name__ == "__main__":
    sys.exit(main())
