"""The last stages of a night: the page about it, and the run that tracks it."""

import json
from dataclasses import asdict
from pathlib import Path

from recsys.batch.stage_order import LogFields
from recsys.pipeline.night import Night
from recsys.pipeline.paths import PUBLISHED, NightPaths
from recsys.plots.style import families
from recsys.report.night_summary import read_night
from recsys.report.page import render_report
from recsys.safety.erasure_list import ErasureList
from recsys.settings import Settings
from recsys.storage.atomic_write import write_atomically
from recsys.tracking.mlflow_tracker import erase_from_tracking
from recsys.tracking.night_tracking import FinishedNight, track_night, tracking_store


def load_figures(settings: Settings) -> None:
    """Load what draws the figures of the page, which takes longer than to draw them."""
    del settings
    from matplotlib import pyplot  # noqa: F401

    families()


def open_tracking(settings: Settings) -> None:
    """Open the store of the tracking, a new one too: loading it takes longer than to track a night.

    Raises TrackingError when the store cannot be used.
    """
    if settings.tracking.enabled:
        tracker, _ = tracking_store(settings.tracking)
        tracker.store.experiment_id(tracker.experiment)


def write_report(settings: Settings, paths: NightPaths) -> LogFields:
    """Write the page about this night."""
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
    page = render_report(
        summary,
        settings.report.lang,
        sample_lists=settings.report.sample_lists,
        time_zone=settings.report.time_zone,
    )
    write_atomically(paths.report, page.encode())
    return {
        "page": paths.report.as_posix(),
        "violations": summary.violations,
        "coverage": round(summary.coverage, 3),
    }


def track(settings: Settings, paths: NightPaths) -> LogFields:
    """Keep the night and its model, last of all: nothing that is served waits for it or depends on it.

    A night it cannot keep stays published, see `recsys.batch.night`.
    """
    tracked = asdict(track_night(FinishedNight.read(settings, paths)))
    erase_from_tracking(settings.tracking.store, ErasureList.of(PUBLISHED).now())
    write_atomically(paths.tracked, json.dumps(tracked, indent=1).encode() + b"\n")
    return tracked
