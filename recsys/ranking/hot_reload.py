"""Hot reload: the snapshot in use, and the thread that swaps to the next publication."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import structlog

from recsys.errors import PublicationError, RecsysError, SafetyUnavailable, explained
from recsys.ranking.hooks import Listeners, Load
from recsys.ranking.snapshot import Snapshot
from recsys.ranking.snapshot_files import open_snapshot, snapshot_without_reasons
from recsys.safety.store import SafetyStore
from recsys.storage.publication import current_run, is_overtaken

_log = structlog.get_logger(__name__)


class CurrentSnapshot(NamedTuple):
    """What is served now; degraded: a newer publication is there and could not be loaded."""

    snapshot: Snapshot
    degraded: bool


def _run_to_serve(published: Path) -> tuple[str, bool]:
    """Return the run that is named to be served, and whether it is served without reasons.

    Raises PublicationError where there is none.
    """
    run_id = current_run(published)
    if run_id is None:
        remedy = "publish first: make nightly"
        raise PublicationError(explained("nothing is published", where=str(published), remedy=remedy))
    return run_id, is_overtaken(published, run_id)


class SnapshotReloader:
    """Serves one publication and swaps to the next in one step.

    `now` is one reference, read once a call: calls under way finish on what they began with. A
    publication that cannot be loaded leaves the old one in use and is not tried again until the
    pointer moves or `retry_s` have passed. `swapped` is called after another one was taken into use.
    """

    def __init__(
        self,
        published: Path,
        safety: SafetyStore,
        *,
        policy: str | None,
        listeners: Listeners,
        poll_s: float,
        retry_s: float = 60.0,
        swapped: Callable[[], None] = lambda: None,
    ) -> None:
        # absolute: the folder stays the same when the process changes its own
        self._published, self._safety, self._policy = published.absolute(), safety, policy
        self._listeners, self._poll_s, self._retry_s = listeners, poll_s, retry_s
        self._swapped = swapped
        self._lock = threading.Lock()
        self._failed: tuple[str, float] = ("", 0.0)
        self._stop = threading.Event()
        self._watcher: threading.Thread | None = None
        self._watching = -1
        run_id, self._overtaken = _run_to_serve(published)
        self.now = CurrentSnapshot(self._load(run_id), degraded=False)
        self._watch()

    def current(self) -> CurrentSnapshot:
        """Return what is served; a process forked after opening gets a watcher of its own."""
        if self._watching != os.getpid():
            self._watch()
        return self.now

    def refresh(self) -> bool:
        """Look at the pointer now, load what it names, and say whether something new is served."""
        with self._lock:
            return self._refresh()

    def close(self) -> None:
        """Stop watching; what is served stays."""
        self._stop.set()

    def _refresh(self) -> bool:
        try:
            run_id, overtaken = _run_to_serve(self._published)
        except PublicationError as error:
            self._keep_old("", error)
            return False
        if run_id == self.now.snapshot.run_id and overtaken == self._overtaken:
            self._failed = ("", 0.0)
            self.now = CurrentSnapshot(self.now.snapshot, degraded=False)
            return False
        failed, at = self._failed
        if run_id == failed and perf_counter() - at < self._retry_s:
            return False
        try:
            self.now = CurrentSnapshot(self._load(run_id), degraded=False)
            self._overtaken = overtaken
        except Exception as error:  # whatever is wrong with the new one, the old one goes on
            self._keep_old(run_id, error)
            return False
        self._swapped()
        return True

    def _load(self, run_id: str) -> Snapshot:
        start = perf_counter()
        try:
            snapshot = open_snapshot(self._published, run_id, self._safety, policy=self._policy)
        except Exception as error:
            self._listeners.loaded(Load(run_id, perf_counter() - start, type(error).__name__))
            raise
        seconds = perf_counter() - start
        self._listeners.loaded(Load(run_id, seconds, ""))
        _log.info("publication loaded", run=run_id, seconds=round(seconds, 3))
        return snapshot

    def _keep_old(self, run_id: str, error: Exception) -> None:
        again_at_once = isinstance(error, SafetyUnavailable)  # nothing is wrong with the publication
        self._failed = ("" if again_at_once else run_id, perf_counter())
        kept = self.now.snapshot
        if (
            not self._overtaken
        ):  # a later night is not known here, or may not be: what reasons say may be past
            kept, self._overtaken = snapshot_without_reasons(kept), True
        self.now = CurrentSnapshot(kept, degraded=True)
        why = str(error) if isinstance(error, RecsysError) else type(error).__name__
        _log.error("publication not loaded, the old one is served", run=run_id, why=why)

    def _watch(self) -> None:
        """Start the thread that polls the pointer; once a process."""
        if self._poll_s <= 0:
            self._watching = os.getpid()
            return
        with self._lock_of_this_process():
            if self._watching == os.getpid():
                return
            self._watcher = threading.Thread(target=self._poll, name="recsys-publications", daemon=True)
            self._watching = os.getpid()
            self._watcher.start()

    def _lock_of_this_process(self) -> threading.Lock:
        """Return a lock that no thread of a parent process can have left locked."""
        if self._watching not in (-1, os.getpid()):
            self._lock, self._stop = threading.Lock(), threading.Event()
        return self._lock

    def _poll(self) -> None:
        stop = self._stop
        while not stop.wait(self._poll_s):
            self.refresh()
