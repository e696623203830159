"""Evaluates the model on what happened after it learned. See `recsys.batch.learning_stages`."""

import sys

from recsys.batch.stage_client import ask_server


def main() -> int:
    """Run this stage."""
    if (code := ask_server("evaluate")) is not None:
        return code
    from recsys.batch import learning_stages  # noqa: F401 what the stage loads, for `tests.pipeline.imports`
    from recsys.batch.stage import run

    return run("evaluate")


if __name__ == "__main__":
    sys.exit(main())
