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
from recsys.pipeline.allocation import activity, allocate_night, read_pool
from recsys.pipeline.arm_lists import allocation_config
from recsys.pipeline.attention import attention_limits
from recsys.pipeline.executors import (
    MILLISECONDS,
    PEAK_KB,
    Executor,
    InProcess,
    PartFunction,
    Processes,
    Spark,
    peak_kb,
)
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


@dataclass(frozen=True)
class MeasuredJob(RegionJob):
    """A wave whose tasks are noted, one of which may be killed once."""

    kill: int = -1

    def open(self) -> PartFunction:
        work = super().open()

        def noted(number: int) -> Any:
            mark = self.paths.root / "killed"
            if number == self.kill and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            done = work(number)
            with (self.paths.root / "tasks.txt").open("a") as file:
                file.write(f"{self.wave} {number} {done.counts[MILLISECONDS]} {done.counts[PEAK_KB]}\n")
            return done

        return noted


class Measured:
    """Does the waves by another executor with `MeasuredJob`; a task of `kill_in` kills its worker."""

    def __init__(self, executor: Executor, kill_in: str) -> None:
        self._executor, self._kill_in = executor, kill_in

    def run(self, job: Any, parts: Sequence[int]) -> Any:
        kill = 0 if job.wave == self._kill_in else -1
        return self._executor.run(MeasuredJob(job.settings, job.paths, job.wave, job.arm, kill), parts)


def measure(args: argparse.Namespace) -> Result:
    """Make one night up to its candidates, then its lists in every way."""
    with TemporaryDirectory() as name:
        folder = Folder(Path(args.folder or name).resolve())
        until = [stage for stage in STAGES[: STAGES.index("recommend") + 1] if stage != "evaluate"]
        changes = (f"people={args.people or 4000}", f"seed={args.seed}", *args.set)
        for stage in until:
            done = folder.root / f"done.{stage}"
            if done.exists():
                continue
            if set(folder.run(*changes, stages=(stage,)).values()) != {0}:
                sys.exit("the night did not come as far as its candidates")
            done.touch()
        paths = NightPaths(folder.root / PATHS.root)
        with chdir(folder.root):
            return _compared(read_settings(paths.settings), paths, args)


def _compared(settings: Settings, paths: NightPaths, args: argparse.Namespace) -> Result:
    rows, judge = [], None if args.unjudged else Judge.of(settings, paths)
    unordered = settings.model_copy(update={"allocate": settings.allocate.model_copy(update={"steps": 0})})
    for name, given in (("by product", unordered), ("undivided", settings)) if judge else ():
        start = perf_counter()
        allocate_night(given, paths)
        rows.append(judge.row(name, settings, paths, perf_counter() - start))
        print(rows[-1], file=sys.stderr, flush=True)
    undivided_mb = peak_kb() / 1024
    night = Night.current(settings, paths)
    listed = int(night.policy.compile(night.people).listed.sum())
    del night
    cut = RegionSettings(people=max(50, listed // args.regions), rounds=args.rounds)
    divided = settings.model_copy(update={"regions": cut})
    bytes_, figures = set(), dict[str, Any]()
    by_name = {"in_process": InProcess(), "processes": Processes(2), "spark": Spark("local[2,4]")}
    for name in args.executors.split(","):
        (paths.root / "killed").unlink(missing_ok=True)
        (paths.root / "tasks.txt").unlink(missing_ok=True)
        start = perf_counter()
        measured = Measured(by_name[name], "" if name == "in_process" else "1")
        summary = allocate_regions(divided, paths, executor=measured)
        row = {"lists": f"{summary.regions} regions, {name}", "seconds": perf_counter() - start}
        if judge is not None:
            row = judge.row(str(row["lists"]), settings, paths, float(str(row["seconds"])))
        rows.append(row)
        print(row, file=sys.stderr, flush=True)
        bytes_.add(sha256_of(paths.lists))
        tasks = [line.split() for line in (paths.root / "tasks.txt").read_text().splitlines()]
        figures[f"finished_tasks_done_again_{name}"] = len(tasks) - summary.tasks
        figures[f"task_peak_mb_{name}"] = max(float(task[3]) for task in tasks) / 1024
        figures[f"task_seconds_{name}"] = _seconds_by_wave(tasks)
    if judge is not None:
        for what in ("matches", "welfare"):
            figures[f"{what}_beside_undivided"] = rows[2][what] / rows[1][what] - 1.0
        figures["undivided_peak_mb"] = undivided_mb
    figures |= {
        "same_bytes": len(bytes_) == 1,
        "regions": summary.regions,
        "people_smallest": summary.smallest,
        "people_largest": summary.largest,
        "rows": summary.rows,
    }
    return Result(rows, figures, ["a worker was killed in the first round of processes and of Spark"])


def _seconds_by_wave(tasks: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return the seconds of the tasks of each wave, added up, rounds together."""
    found = dict[str, float]()
    for wave, _, milliseconds, _ in tasks:
        name = "rounds" if wave.isdigit() else wave
        found[name] = round(found.get(name, 0.0) + float(milliseconds) / 1000, 1)
    return found


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--regions", type=int, default=4, help="regions (default 4)")
    parser.add_argument("--rounds", type=int, default=20, help="rounds of exchange (default 20)")
    given = "comma-separated, of in_process, processes, spark (default in_process,processes)"
    parser.add_argument("--folder", help="keep the night here and go on from what is there")
    parser.add_argument("--set", action="append", default=[], help="a setting of the night, key=value")
    unjudged = "regions alone, where the graph of everybody does not fit"
    parser.add_argument("--unjudged", action="store_true", help=unjudged)
    parser.add_argument("--executors", default="in_process,processes", help=given)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    about = "Lists allocated region by region beside undivided ones."
    return run("regions", measure, about=about, argv=argv, arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
