"""Copies tonight's tables from their source, so that every later stage sees the same rows."""

import sys

from pipelines.stage import LogFields, run
from recsys.pipeline.erasure import note_erasures_applied
from recsys.pipeline.from_settings import catalogue_from_settings
from recsys.pipeline.night import night_source
from recsys.pipeline.paths import PUBLISHED, NightPaths
from recsys.safety.erase_files import erase_from_tables
from recsys.safety.erasure_list import ErasureList
from recsys.settings import Settings
from recsys.storage.source_snapshot import take_snapshot


def step(settings: Settings, paths: NightPaths) -> LogFields:
    source = night_source(settings, paths)
    take_snapshot(source, paths.tables, catalogue=catalogue_from_settings(settings))
    erasures = ErasureList.of(PUBLISHED)
    erased_rows = erase_from_tables(paths.tables, erasures)
    note_erasures_applied(paths, erasures.now())
    return {"source": source, "tables": len(list(paths.tables.iterdir())), "erased_rows": erased_rows}


def main() -> int:
    """Run this stage."""
    return run("ingest", step)


if __name__ == "__main__":
    sys.exit(main())
