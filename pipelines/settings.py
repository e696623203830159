"""Settles the settings of this night: params.yaml, and what was changed for one run."""

import os
import sys

from pipelines.stage import WORK, Facts, run_with
from recsys.config import read_settings
from recsys.storage.durable import write_durably

CHANGES = "RECSYS_NIGHT_CHANGES"
"""Lines of `key=value` that `pipelines.night --set` hands over; kept in the settings file, so not hidden."""


def step() -> Facts:
    changes = os.environ.get(CHANGES, "").splitlines()
    settings = read_settings(changes=changes)
    WORK.root.mkdir(parents=True, exist_ok=True)
    write_durably(WORK.settings, settings.as_yaml().encode())
    return {"source": settings.source, "changes": ", ".join(changes) or "none"}


def main() -> int:
    """Run this stage."""
    return run_with("settings", step)


if __name__ == "__main__":
    sys.exit(main())
