"""Lists allocated region by region beside the undivided ones of the same night.

    python -m tests.benchmarks.regions --people 4000 --regions 4 [--executors processes,spark]

Prints expected matches and welfare by the model of the whole candidate graph, the memory of the largest task,
and what is done again after a worker is killed. The aim: expected matches within 1 % of the undivided night.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from recsys.allocation.graph import CandidateGraph
from recsys.allocation.objective import MeanFieldModel
from recsys.allocation.rounding import RankedEdges
from recsys.catalogue.columns import Columns as C
from recsys.data.conversations import DECIDING, at_capacity
from recsys.pipeline.allocation import activity, allocate_night, allocation_config, read_pool
from recsys.pipeline.attention import attention_limits
from recsys.pipeline.executors import Executor, InProcess, PartFunction, Processes, Spark
from recsys.pipeline.night import Night
from recsys.pipeline.paths import PATHS, NightPaths
from recsys.pipeline.region_tasks import RegionJob
from recsys.pipeline.regions import allocate_regions
from recsys.ranking.allocated_lists import mutual_candidate_graph
from recsys.ranking.recommend import Recommender
from recsys.settings import RegionSettings, Settings, read_settings
from recsys.storage.atomic_write import sha256_of
from tests.benchmarks.command import Result, run
from tests.pipeline.nights import STAGES, Folder


@dataclass(frozen=True, eq=False)
class Judge:
    """What lists bring by the model of everybody's candidates at once."""

    night: Night
    graph: CandidateGraph

    @classmethod
    def of(cls, settings: Settings, paths: NightPaths) -> "Judge":
        night = Night.current(settings, paths)
        rules = Recommender(night.people, night.policy)
        full = at_capacity(night.people, night.events_of_types(*DECIDING))
        limits, pool = attention_limits(night, settings.seed), read_pool(paths, night.people.ids)
        return cls(night, mutual_candidate_graph(pool, rules.compiled, rules.likes, full, limits=limits))

    def row(self, name: str, settings: Settings, paths: NightPaths, seconds: float) -> dict[str, Any]:
        """Return one line of the table for the lists of the night."""
        people, graph = self.night.people, self.graph
        table = pq.read_table(paths.lists, columns=[C.VIEWER, C.CANDIDATE])
        viewer, candidate = (
            people.ids.rows(table[c].to_numpy()).astype(np.int64) for c in (C.VIEWER, C.CANDIDATE)
        )
        keys = graph.viewer.astype(np.int64) * graph.n_people + graph.candidate
        edge = np.searchsorted(keys, viewer * graph.n_people + candidate).astype(np.int32)
        indptr = np.append(0, np.cumsum(np.bincount(viewer, minlength=graph.n_people)))
        model = MeanFieldModel(graph, allocation_config(settings), activity(settings.allocate, people))
        exposure = model.exposure_of(RankedEdges(indptr, edge))
        utility = model.unweighted().utilities(exposure)
        return {
            "lists": name,
            "matches": 0.5 * float(utility.sum()),
            "welfare": model.objective(utility),
            "shown": len(np.unique(candidate)),
            "seconds": seconds,
        }


def _own_peak_kb() -> float:
    """Return the most memory this program held; `getrusage` of a started process tells that of its parent."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((float(line.split()[1]) for line in lines if line.startswith("VmHWM")), float("nan"))


@dataclass(frozen=True)
class MeasuredJob(RegionJob):
    """A wave whose tasks note the memory of their process, one of which may be killed once."""

    kill: int = -1

    def open(self) -> PartFunction:
        work = RegionJob(self.settings, self.paths, self.wave).open()

        def measured(number: int) -> Any:
            mark = self.paths.root / "killed"
            if number == self.kill and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            done = work(number)
            with (self.paths.root / "tasks.txt").open("a") as file:
                file.write(f"{self.wave} {number} {_own_peak_kb()}\n")
            return done

        return measured


class Measured:
    """Does the waves by another executor with `MeasuredJob`; a task of `kill_in` kills its worker."""

    def __init__(self, executor: Executor, kill_in: str) -> None:
        self._executor, self._kill_in = executor, kill_in

    def run(self, job: Any, parts: Sequence[int]) -> Any:
        kill = 0 if job.wave == self._kill_in else -1
        return self._executor.run(MeasuredJob(job.settings, job.paths, job.wave, kill), parts)


def measure(args: argparse.Namespace) -> Result:
    """Make one night up to its candidates, then its lists in every way."""
    with TemporaryDirectory() as name:
        folder = Folder(Path(name))
        until = [stage for stage in STAGES[: STAGES.index("recommend") + 1] if stage != "evaluate"]
        codes = folder.run(f"people={args.people or 4000}", f"seed={args.seed}", stages=tuple(until))
        if set(codes.values()) != {0}:
            sys.exit("the night did not come as far as its candidates")
        paths = NightPaths(folder.root / PATHS.root)
        with chdir(folder.root):
            return _compared(read_settings(paths.settings), paths, args)


def _compared(settings: Settings, paths: NightPaths, args: argparse.Namespace) -> Result:
    judge = Judge.of(settings, paths)
    rows = []
    unordered = settings.model_copy(update={"allocate": settings.allocate.model_copy(update={"steps": 0})})
    for name, given in (("by product", unordered), ("undivided", settings)):
        start = perf_counter()
        allocate_night(given, paths)
        rows.append(judge.row(name, settings, paths, perf_counter() - start))
    undivided_mb = _own_peak_kb() / 1024
    listed = int(judge.night.policy.compile(judge.night.people).listed.sum())
    cut = RegionSettings(people=max(50, listed // args.regions), rounds=args.rounds)
    divided = settings.model_copy(update={"regions": cut})
    bytes_, redone, largest = set(), {}, float("nan")
    by_name = {"in_process": InProcess(), "processes": Processes(2), "spark": Spark("local[2,4]")}
    for name in args.executors.split(","):
        kill = "" if name == "in_process" else "1"
        (paths.root / "killed").unlink(missing_ok=True)
        (paths.root / "tasks.txt").unlink(missing_ok=True)
        start = perf_counter()
        summary = allocate_regions(divided, paths, executor=Measured(by_name[name], kill))
        rows.append(judge.row(f"{summary.regions} regions, {name}", settings, paths, perf_counter() - start))
        bytes_.add(sha256_of(paths.lists))
        tasks = [line.split() for line in (paths.root / "tasks.txt").read_text().splitlines()]
        redone[name] = len(tasks) - summary.tasks
        if name != "in_process":
            largest = max(float(task[2]) for task in tasks) / 1024
    share = rows[2]["matches"] / rows[1]["matches"] - 1.0
    figures = {
        "matches_beside_undivided": share,
        "welfare_beside_undivided": rows[2]["welfare"] / rows[1]["welfare"] - 1.0,
        "same_bytes": len(bytes_) == 1,
        "regions": summary.regions,
        "people_largest": summary.largest,
        "undivided_peak_mb": undivided_mb,
        "task_peak_mb": largest,
    }
    figures |= {f"finished_tasks_done_again_{name}": n for name, n in redone.items()}
    return Result(rows, figures, ["a worker was killed in the first round of processes and of Spark"])


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--regions", type=int, default=4, help="regions (default 4)")
    parser.add_argument("--rounds", type=int, default=10, help="rounds of exchange (default 10)")
    given = "comma-separated, of in_process, processes, spark (default in_process,processes)"
    parser.add_argument("--executors", default="in_process,processes", help=given)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    about = "Lists allocated region by region beside undivided ones."
    return run("regions", measure, about=about, argv=argv, arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
