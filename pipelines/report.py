"""Writes the page about this night. See `recsys.batch.report_stages`."""

import sys

from recsys.batch.stage_client import ask_server


def main() -> int:
    """Run this stage."""
    if (code := ask_server("report")) is not None:
        return code
    from recsys.batch import report_stages  # noqa: F401 what the stage loads, for `tests.pipeline.imports`
    from recsys.batch.stage import run

    return run("report")


if __name__ == "__main__":
    sys.exit(main())
