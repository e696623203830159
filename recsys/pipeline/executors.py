"""Who works through the parts of a step: this process, several, or a cluster; the bytes are the same."""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Final, Protocol

from recsys.errors import BusyError, explained


@dataclass(frozen=True)
class PartDone:
    """A finished part: its number, its rows, and counts the job keeps, summed over parts by who asks."""

    number: int
    rows: int
    counts: Mapping[str, int] = field(default_factory=dict)


WorkOnPart = Callable[[int], PartDone]


class Job(Protocol):
    """Work that falls into numbered parts which do not need each other.

    A job travels to other processes or machines, so it holds little: paths and plain settings.
    `open` is called once by each worker and may be expensive; what it returns does one part, writes
    the part's file itself, in full or not at all, and may be called for one part any number of times.
    """

    def open(self) -> WorkOnPart:
        """Return what does one part, with everything it needs laid out."""
        ...


class Executor(Protocol):
    """Does every part once it can, in any order, and says which are done.

    A worker that dies does not end the step: its parts are done again by another.
    """

    def run(self, job: Job, parts: Sequence[int]) -> Iterator[PartDone]:
        """Yield each part of `parts` as it is finished.

        Raises BusyError when workers keep dying, and whatever the job raises.
        """
        ...


class InProcess:
    """Does parts in order; the quickest way when there is one part or one processor."""

    def run(self, job: Job, parts: Sequence[int]) -> Iterator[PartDone]:
        """Yield each part as it is finished."""
        if not parts:
            return
        work = job.open()
        for number in parts:
            yield work(number)


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
