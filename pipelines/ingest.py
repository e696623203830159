"""Copies tonight's tables from their source, so that every later stage sees the same rows."""

import sys

from pipelines.stage import Facts, run
from recsys.config import Settings
from recsys.publication.night import tables_of
from recsys.publication.work import WorkFolder
from recsys.storage.snapshot import take_snapshot


def step(settings: Settings, work: WorkFolder) -> Facts:
    source = tables_of(settings, work)
    take_snapshot(source, work.tables)
    return {"source": source, "tables": len(list(work.tables.iterdir()))}


def main() -> int:
    """Run this stage."""
    return run("ingest", step)


if __name__ == "__main__":
    sys.exit(main())
