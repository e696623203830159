"""Evaluates the model on what happened after it learned. See `recsys.batch.learning_stages`."""

import sys

from recsys.batch import learning_stages  # noqa: F401 what the stage loads, for `tests.pipeline.imports`
from recsys.batch.stage import run


def main() -> int:
    """Run this stage."""
    return run("evaluate")


if __name__ == "__main__":
    sys.exit(main())
