"""Events that came late: older than what the last night had seen, and not among what it saw."""

from pathlib import Path

from recsys.errors import PublicationError
from recsys.history.events import Events
from recsys.storage.manifest import read_manifest
from recsys.storage.published import RUNS, current_run


def late_events(events: Events, published: Path) -> int | None:
    """Return how many events of the time before the last publication it did not know; None without one.

    They count tonight like any other: a night reads the whole log. Events of people who were erased
    since, or that the source removed, are missing from the count.
    """
    try:
        run_id = current_run(published)
        if run_id is None:
            return None
        manifest = read_manifest(published / RUNS / run_id)
    except PublicationError:
        return None
    if manifest.events is None:
        return None
    return max(len(events.until(manifest.data_as_of)) - manifest.events, 0)
