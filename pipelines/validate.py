"""Checks every row against its contract. See `recsys.batch.table_stages`."""

import sys

from recsys.batch.stage_client import ask_server


def main() -> int:
    """Run this stage."""
    if (code := ask_server("validate")) is not None:
        return code
    from recsys.batch import table_stages  # noqa: F401 what the stage loads, for `tests.pipeline.imports`
    from recsys.batch.stage import run

    return run("validate")


if __name__ == "__main__":
    sys.exit(main())
