"""Settles the settings of this night: params.yaml, and what was changed for one run."""

import os
import sys

from pipelines.stage import LogFields, run_with
from recsys.pipeline.erasure import clear_work_naming_erased
from recsys.pipeline.paths import PATHS, PUBLISHED
from recsys.plugins import plugin_versions
from recsys.safety.erasure_list import ErasureList
from recsys.settings import TOWN, read_settings
from recsys.simulation.town import DEFAULT_AS_OF
from recsys.storage.atomic_write import write_atomically

CHANGES = "RECSYS_NIGHT_CHANGES"
"""Lines of `key=value` that `pipelines.night --set` hands over; kept in the settings file, so not hidden."""


def step() -> LogFields:
    changes = os.environ.get(CHANGES, "").splitlines()
    settings = read_settings(changes=changes)
    if settings.source == TOWN and settings.as_of is None:
        settings = settings.model_copy(update={"as_of": DEFAULT_AS_OF})
    settings = settings.model_copy(update={"plugins": plugin_versions()})
    PATHS.root.mkdir(parents=True, exist_ok=True)
    cleared = clear_work_naming_erased(PATHS, ErasureList.of(PUBLISHED).now())
    write_atomically(PATHS.settings, settings.as_yaml().encode())
    summary = {"source": settings.source, "changes": ", ".join(changes) or "none"}
    return {**summary, "cleared": "people asked to be erased"} if cleared else summary


def main() -> int:
    """Run this stage."""
    return run_with("settings", step)


if __name__ == "__main__":
    sys.exit(main())
