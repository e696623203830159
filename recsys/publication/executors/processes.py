"""Parts shared out among spawned processes of this machine."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Final

from recsys.errors import BusyError, explained
from recsys.publication.executors.executor import Job, PartDone, WorkOnPart

_MOST_DEATHS: Final = 3
"""Workers that may die before the step gives up: one killed for its memory will be killed again."""


@dataclass(frozen=True)
class Processes:
    """Does parts in `workers` processes, started anew (spawn), so that they share nothing by accident."""

    workers: int

    def run(self, job: Job, parts: Sequence[int]) -> Iterator[PartDone]:
        """Yield each part as it is finished; parts of a worker that died are done again.

        Raises BusyError when workers keep dying.
        """
        left = list(parts)
        for _ in range(_MOST_DEATHS):
            try:
                for done in self._tried(job, left):
                    left.remove(done.number)
                    yield done
            except BrokenProcessPool:
                continue
            if not left:
                return
        raise BusyError(
            explained(
                "workers of this machine keep dying",
                where=type(job).__name__,
                got=f"{len(left)} parts left",
                remedy="see whether memory runs out, then set execution.workers lower and run again",
            )
        )

    def _tried(self, job: Job, parts: Sequence[int]) -> Iterator[PartDone]:
        if not parts:
            return
        spawn = multiprocessing.get_context("spawn")
        workers = min(self.workers, len(parts))
        with ProcessPoolExecutor(workers, mp_context=spawn, initializer=_start, initargs=(job,)) as pool:
            under_way: list[Future[PartDone]] = [pool.submit(_one, number) for number in parts]
            try:
                for done in as_completed(under_way):
                    yield done.result()
            finally:
                for future in under_way:
                    future.cancel()


class _Worker:
    """What a spawned process holds: the job, and once it was needed, the job opened."""

    job: Job
    work: WorkOnPart | None = None


def _start(job: Job) -> None:
    _Worker.job, _Worker.work = job, None


def _one(number: int) -> PartDone:
    if _Worker.work is None:
        _Worker.work = _Worker.job.open()
    return _Worker.work(number)
