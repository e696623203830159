"""Executors of the parts of a step: this process, several processes, or a Spark cluster.

The bytes are the same whichever does the parts. Spark is loaded when it is used (extra `spark`, Java 17
or newer).
"""

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa

from recsys import errors
from recsys.errors import BusyError, RecsysError, explained, imported


@dataclass(frozen=True)
class PartResult:
    """A finished part: its number, its rows, and counts the job keeps, summed over parts by who asks."""

    number: int
    rows: int
    counts: Mapping[str, int] = field(default_factory=dict)


PartFunction = Callable[[int], PartResult]


class Job(Protocol):
    """Work that falls into numbered parts which do not need each other.

    A job travels to other processes or machines, so it holds little: paths and plain settings.
    `open` is called once by each worker and may be expensive; what it returns does one part, writes
    the part's file itself, in full or not at all, and may be called for one part any number of times.
    """

    def open(self) -> PartFunction:
        """Return what does one part, with everything it needs laid out."""
        ...


class Executor(Protocol):
    """Does every part once it can, in any order, and says which are done.

    A worker that dies does not end the step: its parts are done again by another.
    """

    def run(self, job: Job, parts: Sequence[int]) -> Iterator[PartResult]:
        """Yield each part of `parts` as it is finished.

        Raises BusyError when workers keep dying, and whatever the job raises.
        """
        ...


class InProcess:
    """Does parts in order; the quickest way when there is one part or one processor."""

    def run(self, job: Job, parts: Sequence[int]) -> Iterator[PartResult]:
        """Yield each part as it is finished."""
        if not parts:
            return
        work = job.open()
        for number in parts:
            yield work(number)


def _as_done(submitted: Sequence[Future[PartResult]]) -> Iterator[PartResult]:
    """Yield each part as it is finished; those that have not begun are given up when nobody asks for more."""
    try:
        for done in as_completed(submitted):
            yield done.result()
    finally:
        for future in submitted:
            future.cancel()


@dataclass(frozen=True)
class Threads:
    """Does parts in `workers` threads of this process, which share what the job opened.

    For jobs whose time goes into kernels: nothing is loaded or read a second time. Should the process die,
    the next try goes on from the parts that are finished.
    """

    workers: int

    def run(self, job: Job, parts: Sequence[int]) -> Iterator[PartResult]:
        """Yield each part as it is finished."""
        if not parts:
            return
        work = job.open()
        with ThreadPoolExecutor(self.workers) as pool:
            yield from _as_done([pool.submit(work, number) for number in parts])


_MAX_DEATHS: Final = 3
"""Workers that may die before the step gives up: one killed for its memory will be killed again."""


@dataclass(frozen=True)
class Processes:
    """Does parts in `workers` processes, started anew (spawn), so that they share nothing by accident."""

    workers: int

    def run(self, job: Job, parts: Sequence[int]) -> Iterator[PartResult]:
        """Yield each part as it is finished; parts of a worker that died are done again.

        Raises BusyError when workers keep dying.
        """
        with self.kept() as pool:
            yield from pool.run(job, parts)

    @contextmanager
    def kept(self) -> "Iterator[ProcessesKept]":
        """Give an executor whose processes stay for one job after another, and end with the context."""
        pool = ProcessesKept(self.workers)
        try:
            yield pool
        finally:
            pool.close()


class ProcessesKept:
    """Processes that stay between jobs; a job need not wait for them to start."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def run(self, job: Job, parts: Sequence[int]) -> Iterator[PartResult]:
        """Yield each part as it is finished, as `Processes.run` does."""
        left = list(parts)
        for _ in range(_MAX_DEATHS):
            try:
                for done in self._attempt(job, left):
                    left.remove(done.number)
                    yield done
            except BrokenProcessPool:
                self.close()
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

    def _attempt(self, job: Job, parts: Sequence[int]) -> Iterator[PartResult]:
        if not parts:
            return
        if self._pool is None:
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._workers, mp_context=spawn)  # a process starts when needed
        yield from _as_done([self._pool.submit(_run_part, job, number) for number in parts])

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


@contextmanager
def keeping_workers(executor: Executor) -> Iterator[Executor]:
    """Give an executor for several jobs that keeps its workers between them, where they would start anew."""
    if isinstance(executor, Processes):
        with executor.kept() as pool:
            yield pool
    else:
        yield executor


class _Worker:
    """What one worker keeps from one part to the next: its job, opened when the first part came."""

    job: Job | None = None
    function: PartFunction | None = None


def _opened(job: Job) -> PartFunction:
    if _Worker.function is None or _Worker.job != job:
        _Worker.job, _Worker.function = job, job.open()
    return _Worker.function


def _run_part(job: Job, number: int) -> PartResult:
    return _opened(job)(number)


_PART_SCHEMA: Final = "part integer"
_RESULT_SCHEMA: Final = "part integer, rows bigint, counts string, failed string, message string"
_PARTS_A_WORKER: Final = 4
"""Parts a worker is given in one Spark job: as one ends, its parts are reported and progress is seen."""


@dataclass(frozen=True)
class Spark:
    """Does each part as one group of `applyInArrow`, on the session `master` names.

    master: such as `local[2,4]` (two workers on this machine, four tries a task), `yarn` or
    `spark://host:7077`; None takes the session that is active, as on a managed cluster.

    Only part numbers and counts go through Spark. Workers read the night's work folder and write their
    parts to it, so it lies on storage they all share, and this package is installed where they are.
    Spark tries the task of a worker that died again; an error the job raised on purpose is not tried
    again and comes through as itself.
    """

    master: str | None = None

    def run(self, job: Job, parts: Sequence[int]) -> Iterator[PartResult]:
        """Yield the parts of each Spark job as it ends.

        Raises BusyError when Spark gives up, MissingExtraError without the extra `spark`.
        """
        if not parts:
            return
        session = self._session()
        at_once = session.sparkContext.defaultParallelism * _PARTS_A_WORKER
        for start in range(0, len(parts), at_once):
            yield from _run_parts(session, job, parts[start : start + at_once])

    def _session(self) -> Any:
        sql = imported("pyspark.sql", extra="spark")
        active = sql.SparkSession.getActiveSession()
        if self.master is None and active is not None:
            return active
        builder = sql.SparkSession.builder.appName("recsys")
        if self.master is not None:
            builder = builder.master(self.master)
            if self.master.startswith("local"):
                os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # the workers are this Python
                builder = builder.config("spark.ui.enabled", "false")
        return builder.getOrCreate()


def _run_parts(session: Any, job: Job, parts: Sequence[int]) -> list[PartResult]:
    of_spark: Any = imported("pyspark.errors", extra="spark")
    of_java: Any = imported("py4j.protocol", extra="spark")
    given = session.createDataFrame([(int(part),) for part in parts], _PART_SCHEMA)
    spread = given.repartitionByRange(len(parts), "part").groupBy("part")
    try:
        rows = spread.applyInArrow(_part_function(job), _RESULT_SCHEMA).collect()
    except (of_spark.PySparkException, of_java.Py4JError, OSError) as error:
        remedy = "see the log of the cluster, then run again: finished parts are kept"
        reason = " ".join(str(error).split())
        raise BusyError(
            explained("Spark gave up", where=type(job).__name__, got=reason, remedy=remedy)
        ) from error
    for row in rows:
        if row.failed:
            raise _rebuilt_error(row.failed, row.message)
    return [PartResult(row.part, row.rows, json.loads(row.counts)) for row in rows]


def _part_function(job: Job) -> Callable[[pa.Table], pa.Table]:
    """Return what a worker does with a group: one part, with the job opened once a worker."""

    def work(group: pa.Table) -> pa.Table:
        number = group["part"][0].as_py()
        try:
            done = _opened(job)(number)
            found = (number, done.rows, json.dumps(dict(done.counts)), "", "")
        except RecsysError as error:
            found = (number, 0, "{}", type(error).__name__, str(error))
        types = (pa.int32(), pa.int64(), pa.string(), pa.string(), pa.string())
        names = ("part", "rows", "counts", "failed", "message")
        columns = [pa.array([value], kind) for value, kind in zip(found, types, strict=True)]
        return pa.table(columns, names=list(names))

    return work


def _rebuilt_error(name: str, message: str) -> RecsysError:
    """Return an error of the package that a worker met, of its own kind where its message is enough."""
    kind = getattr(errors, name, RecsysError)
    error: RecsysError = kind.__new__(kind)
    Exception.__init__(error, message)
    return error


MILLISECONDS: Final = "milliseconds"
PEAK_KB: Final = "peak_kb"
"""Counts of a measured task; the second is 0 where the system does not tell it."""

_PROCESS: Final = Path("/proc/self")
_FORGET_PEAK: Final = "5"


def measured(function: PartFunction) -> PartFunction:
    """Return a function that does the same part and counts what it took.

    >>> found = measured(lambda number: PartResult(number, 3))(7)
    >>> found.number, found.rows, sorted(found.counts)
    (7, 3, ['milliseconds', 'peak_kb'])
    """

    def one(number: int) -> PartResult:
        with suppress(OSError):  # not everywhere: the peak is then that of all tasks of the process so far
            (_PROCESS / "clear_refs").write_text(_FORGET_PEAK, encoding="ascii")
        begun = time.perf_counter()
        done = function(number)
        took: Mapping[str, int] = {
            MILLISECONDS: round(1000 * (time.perf_counter() - begun)),
            PEAK_KB: peak_kb(),
        }
        return replace(done, counts={**done.counts, **took})

    return one


def peak_kb() -> int:
    """Return the most memory this process held, in KB; 0 where the system does not tell it."""
    try:
        lines = (_PROCESS / "status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)
