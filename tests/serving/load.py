"""Clients that ask all the time, and what can be said of their answers afterwards."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from time import monotonic, sleep
from typing import Final

import numpy as np

from tests.serving.server import Answer, Backend

_LATE: Final = 20
_PAUSE_S: Final = 0.004  # members do not hammer; the machine has other work


@dataclass
class Load:
    """What clients got: `(viewer, answer)` in the order of asking, per client; and calls that broke."""

    pages: list[tuple[str, Answer]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def workers_on(self, run_id: str) -> set[int]:
        """Return the workers that lately served a run."""
        late = self.pages[-_LATE:]
        return {p.worker for _, p in late if p.status == 200 and p.body["run_id"] == run_id}

    def unsafe(self, events: Sequence["ExcludedPairs"]) -> list[tuple[str, str]]:
        """Return pairs shown to each other by a call that began after they had been separated."""
        apart = {(a, b): at for a, b, at in events} | {(b, a): at for a, b, at in events}
        return [
            (viewer, other)
            for viewer, answer in self.pages
            for other in answer.ids
            if answer.asked > apart.get((viewer, other), float("inf"))
        ]

    def shown_while_away(self, since: float, until: float) -> int:
        """Return how many pages were given by calls that began and ended while nobody could be asked."""
        return sum(
            answer.status == 200
            for _, answer in self.pages
            if since < answer.asked and answer.answered < until
        )

    def failed(self, away: Sequence[tuple[float, float]] = ()) -> int:
        """Return how many calls failed, apart from those that met a time without the store."""
        return len(self.why_failed(away))

    def why_failed(self, away: Sequence[tuple[float, float]] = ()) -> list[str]:
        """Return the status of each such call, how long it took, and how long after the store was back."""
        refused = [
            answer
            for _, answer in self.pages
            if answer.status != 200
            and not any(answer.asked < until and since < answer.answered for since, until in away)
        ]
        return [_told(answer, away) for answer in refused] + self.broken


def _told(answer: Answer, away: Sequence[tuple[float, float]]) -> str:
    since = min((answer.asked - until for _, until in away if until < answer.asked), default=float("nan"))
    return f"{answer.status} after {answer.answered - answer.asked:.3f} s, {since:.3f} s after a return"


ExcludedPairs = tuple[str, str, float]
"""Two people, and when the store had said yes to keeping them apart."""


@contextmanager
def clients(
    backend: Backend,
    viewers: Sequence[str],
    *,
    per_worker: int,
    k: int = 10,
    seed: int = 0,
    pause_s: float = _PAUSE_S,
) -> Iterator[Load]:
    """Keep clients of each worker asking for pages of random viewers while the block runs."""
    load, stop = Load(), threading.Event()
    of_workers = [worker for worker in backend.workers for _ in range(per_worker)]
    threads = [
        threading.Thread(
            target=_ask, args=(backend, worker, viewers, k, seed + number, load, pause_s, stop.is_set)
        )
        for number, worker in enumerate(of_workers)
    ]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _ask(
    backend: Backend,
    worker: int,
    viewers: Sequence[str],
    k: int,
    seed: int,
    load: Load,
    pause_s: float,
    stopped: Callable[[], bool],
) -> None:
    rng, client = np.random.default_rng(seed), backend.client_of(worker)
    while not stopped():
        viewer = viewers[rng.integers(len(viewers))]
        try:
            load.pages.append((viewer, client.page(viewer, k)))
            sleep(pause_s)
        except (OSError, HTTPException) as error:
            load.broken.append(type(error).__name__)
            client.close()
            client = backend.client_of(worker)
    client.close()


def wait_for(happened: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Return whether something happens within some seconds."""
    last = monotonic() + seconds
    while monotonic() < last:
        if happened():
            return True
        threading.Event().wait(0.02)
    return happened()
