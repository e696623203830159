"""Writes the page about this night."""

import json
import sys
from pathlib import Path

from pipelines.stage import LogFields, run
from recsys.pipeline.night import Night
from recsys.pipeline.paths import NightPaths
from recsys.report.night_summary import read_night
from recsys.report.page import render_report
from recsys.settings import Settings
from recsys.storage.atomic_write import write_atomically


def step(settings: Settings, paths: NightPaths) -> LogFields:
    night = Night.current(settings, paths)
    run_folder = Path(json.loads(paths.outcome.read_bytes())["folder"])
    summary = read_night(
        run_folder,
        night.people,
        night.policy,
        paths=paths,
        source=settings.source,
        budget_minutes=settings.budget.night_minutes,
    )
    page = render_report(summary, settings.report.lang, sample_lists=settings.report.sample_lists)
    write_atomically(paths.report, page.encode())
    return {
        "page": paths.report.as_posix(),
        "violations": summary.violations,
        "coverage": round(summary.coverage, 3),
    }


def main() -> int:
    """Run this stage."""
    return run("report", step)


if __name__ == "__main__":
    sys.exit(main())
