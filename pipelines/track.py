"""Keeps the night and its model, last of all. See `recsys.batch.report_stages`."""

import sys

from recsys.batch.stage_client import ask_server


def main() -> int:
    """Run this stage."""
    if (code := ask_server("track")) is not None:
        return code
    from recsys.batch import report_stages  # noqa: F401 what the stage loads, for `tests.pipeline.imports`
    from recsys.batch.stage import run

    return run("track")


if __name__ == "__main__":
    sys.exit(main())
