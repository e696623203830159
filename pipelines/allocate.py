"""Chooses everybody's list from their candidates. See `recsys.batch.list_stages`."""

import sys

from recsys.batch.stage_client import ask_server


def main() -> int:
    """Run this stage."""
    if (code := ask_server("allocate")) is not None:
        return code
    from recsys.batch import list_stages  # noqa: F401 what the stage loads, for `tests.pipeline.imports`
    from recsys.batch.stage import run

    return run("allocate")


if __name__ == "__main__":
    sys.exit(main())
