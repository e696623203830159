"""Checks every row against its contract; broken rows are set aside with their reason."""

import json
import sys

from pipelines.stage import LogFields, run
from recsys.pipeline.night import Night, count_late_events
from recsys.pipeline.paths import PUBLISHED, NightPaths
from recsys.pipeline.stage_outputs import write_accepted
from recsys.settings import Settings
from recsys.storage.atomic_write import atomic_file, write_atomically


def step(settings: Settings, paths: NightPaths) -> LogFields:
    night = Night.current(settings, paths)
    tables = night.tables
    with atomic_file(paths.quarantine) as file:
        tables.quarantine.to_parquet(file, index=False)
    counts = tables.counts.to_dict("records")
    as_of = None if tables.as_of is None else tables.as_of.isoformat()
    summary = {"as_of": as_of, "source": settings.source, "tables": counts}
    write_accepted(paths.accepted, night.people, night.events, fingerprint=night.fingerprint)
    write_atomically(paths.validation, json.dumps(summary, indent=1).encode() + b"\n")
    totals = tables.counts[["accepted", "quarantined"]].sum()
    late = count_late_events(night.events, PUBLISHED)
    return {
        "accepted": int(totals["accepted"]),
        "quarantined": int(totals["quarantined"]),
        "late": "not known" if late is None else late,
        "as_of": as_of,
    }


def main() -> int:
    """Run this stage."""
    return run("validate", step)


if __name__ == "__main__":
    sys.exit(main())
