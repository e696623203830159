"""The last stages of a night: the page about it, and the run that tracks it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

import pandas as pd

from recsys.batch.stage_order import LogFields
from recsys.constraints.funnel import funnel
from recsys.data.population import Population
from recsys.pipeline.night import Night
from recsys.pipeline.paths import PATHS, PUBLISHED, NightPaths
from recsys.pipeline.stage_outputs import is_accepted
from recsys.plots.style import families
from recsys.report.night_summary import read_night
from recsys.report.page import render_report
from recsys.safety.erasure_list import ErasureList
from recsys.settings import Settings
from recsys.storage.atomic_write import write_atomically
from recsys.tracking.mlflow_tracker import erase_from_tracking
from recsys.tracking.night_tracking import FinishedNight, track_night, tracking_store

_COUNTED: Final[dict[tuple[str, str], tuple[Population, pd.DataFrame]]] = {}
"""People and funnel that `prepare_report` has ready, by what was validated and by the policy."""


def prepare_report(settings: Settings) -> None:
    """Load what draws the figures of the page, and count the funnel of the night's people.

    Neither waits for the lists, and both take longer than the rest of the page.
    """
    from matplotlib import pyplot  # noqa: F401

    families()
    night = Night.current(settings, PATHS)
    if is_accepted(PATHS.accepted, night.fingerprint):
        counted = funnel(night.policy, night.people)
        _COUNTED[night.fingerprint, night.policy.version] = night.people, counted


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
    people, steps = _COUNTED.pop((night.fingerprint, night.policy.version), (None, None))
    summary = read_night(
        run_folder,
        night.people if people is None else people,
        night.policy,
        paths=paths,
        source=settings.source,
        budget_minutes=settings.budget.night_minutes,
        steps=steps,
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
