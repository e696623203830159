"""Parts shared out among the workers of an Apache Spark cluster (extra `spark`, Java 17 or newer)."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from recsys import errors
from recsys.errors import BusyError, RecsysError, explained, imported
from recsys.pipeline.executors import Job, PartDone, WorkOnPart

_GIVEN: Final = "part integer"
_DONE: Final = "part integer, rows bigint, counts string, failed string, message string"
_A_WORKER: Final = 4
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

    def run(self, job: Job, parts: Sequence[int]) -> Iterator[PartDone]:
        """Yield the parts of each Spark job as it ends.

        Raises BusyError when Spark gives up, MissingExtraError without the extra `spark`.
        """
        if not parts:
            return
        session = self._session()
        at_once = session.sparkContext.defaultParallelism * _A_WORKER
        for start in range(0, len(parts), at_once):
            yield from _done(session, job, parts[start : start + at_once])

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


def _done(session: Any, job: Job, parts: Sequence[int]) -> list[PartDone]:
    of_spark: Any = imported("pyspark.errors", extra="spark")
    of_java: Any = imported("py4j.protocol", extra="spark")
    given = session.createDataFrame([(int(part),) for part in parts], _GIVEN)
    spread = given.repartitionByRange(len(parts), "part").groupBy("part")
    try:
        rows = spread.applyInArrow(_on_worker(job), _DONE).collect()
    except (of_spark.PySparkException, of_java.Py4JError, OSError) as error:
        remedy = "see the log of the cluster, then run again: finished parts are kept"
        reason = " ".join(str(error).split())
        raise BusyError(
            explained("Spark gave up", where=type(job).__name__, got=reason, remedy=remedy)
        ) from error
    for row in rows:
        if row.failed:
            raise _as_it_was(row.failed, row.message)
    return [PartDone(row.part, row.rows, json.loads(row.counts)) for row in rows]


def _on_worker(job: Job) -> Callable[[pa.Table], pa.Table]:
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


class _Worker:
    """What a Python worker of Spark holds from one part to the next."""

    job: Job | None = None
    work: WorkOnPart | None = None


def _opened(job: Job) -> WorkOnPart:
    if _Worker.work is None or _Worker.job != job:
        _Worker.job, _Worker.work = job, job.open()
    return _Worker.work


def _as_it_was(name: str, message: str) -> RecsysError:
    """Return an error of the package that a worker met, of its own kind where its message is enough."""
    kind = getattr(errors, name, RecsysError)
    error: RecsysError = kind.__new__(kind)
    Exception.__init__(error, message)
    return error
