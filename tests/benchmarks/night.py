"""A whole night as an operator runs it: how long, how much memory, and what survives when it is cut short.

    python -m tests.benchmarks.night --people 100000 --json OUT
    python -m tests.benchmarks.night --people 100000 --beside 10000 --night-only    (and how cost grows)
    python -m tests.benchmarks.night --people 5000 --times-only --against HEAD~20  (beside an earlier one)

Runs the stages through DVC in a folder of its own, then again with nothing changed; kills the step that
makes the lists and goes on; lets a publication fail at every step on the disk (a write, a flush, a rename, a
new folder), the stages before it at every sixth of each kind, and an allocation by region at every
thirtieth; damages every file of a publication in every way. `--safety-only` leaves the night out,
`--night-only` all that is harmed on purpose,
`--times-only` the killed search as well, `--every 5` walks every fifth step of a publication, `--postgres
500000` loads lists of so many people into PostgreSQL, `--spark` makes the lists again with two processes
and with two workers of Spark (where pyspark is installed, see `make test-spark`), and compares bytes and
seconds. `--against REF` runs the night of another commit as well, each after a first one that compiles its
kernels, and tells ratios of seconds and of processor seconds by stage: above 1, this version is quicker.
Stages that run at once share the processors, so their seconds overlap; processor seconds do not.
A night begins with no kernel compiled, as the first of an installation does, and compiles them beside its
first stages; `--warm` compiles them before, as every later night finds them.
"""

import argparse
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from recsys.pipeline.paths import PATHS
from recsys.storage.publication import read_publication
from tests.benchmarks import postgres
from tests.benchmarks.command import Result, run
from tests.benchmarks.night_spark import change_execution, spark_beside_processes
from tests.crash.corruption import try_all
from tests.crash.disk import Harm, felt
from tests.crash.publishing import publishing, serving
from tests.crash.stages import REGIONS, WRITES, Stages
from tests.crash.walk import Walked, kinds_of, walk
from tests.pipeline.small_night import make_night

ROOT = Path(__file__).parents[2]
PARTS = ("recsys", "pipelines", "dvc.yaml", "params.yaml", ".dvc/config", ".dvc/.gitignore", ".dvcignore")
HARMS: tuple[Harm, ...] = ("killed", "torn", "full")
_DONE = (0, 10)
_FEW = 500
_TELLING = 1.0
"""Seconds below which how a stage grows is not told."""


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark."""
    return run("night", measure, about=__doc__ or "", argv=argv, arguments=_arguments)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--beside", type=int, nargs="+", default=[], metavar="N", help="smaller nights too: how cost grows"
    )
    parser.add_argument("--night-only", action="store_true", help="leave all that is harmed on purpose out")
    parser.add_argument(
        "--times-only", action="store_true", help="leave out the search that is killed and gone on with, too"
    )
    parser.add_argument(
        "--every", type=int, default=1, help="walk every n-th step of each kind on the disk (default 1)"
    )
    parser.add_argument(
        "--every-in-stages",
        type=int,
        default=6,
        metavar="N",
        help="the same in the stages before (default 6)",
    )
    parser.add_argument("--safety-only", action="store_true", help="leave the whole night out")
    parser.add_argument("--postgres", type=int, metavar="N", help="load lists of N people into PostgreSQL")
    parser.add_argument("--against", metavar="REF", help="a night of another commit beside it")
    parser.add_argument(
        "--libraries",
        metavar="DIR",
        help="what that commit needs beyond this environment, by `pip install --target DIR`",
    )
    parser.add_argument(
        "--warm",
        action="store_true",
        help="compile the kernels before, as every night but the first finds them",
    )
    parser.add_argument("--spark", action="store_true", help="make the lists again with Spark")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting of the night"
    )


def measure(args: argparse.Namespace) -> Result:
    """Measure a night and what may happen to it."""
    people = args.people or 20_000
    rows: list[dict[str, Any]] = []
    summary: dict[str, Any] = {}
    notes = []
    with TemporaryDirectory(prefix="night-") as folder:
        if not args.safety_only:
            project = _project(Path(folder) / "project")
            if args.warm:
                _compile(project, args.set)
            big = _night(project, people, args.set)
            rows = big["rows"]
            summary = {
                key: big[key]
                for key in ("seconds", "peak_mb", "seconds_by_stage", "cpu_by_stage", "rerun_seconds")
            }
            if not args.times_only:
                summary["resume_redone"] = _resume(project)
            if args.spark:
                summary |= spark_beside_processes(project, _viewers(project), _run)
            if args.against:
                notes += _against(project, Path(folder), people, args)
            for fewer in args.beside:
                small = _night(_project(Path(folder) / str(fewer)), fewer, args.set)
                rows = [*small["rows"], *rows]
                notes += _growth(people, big, fewer, small)
        if not (args.night_only or args.times_only):
            summary |= _safety(Path(folder) / "safety", args)
        if args.postgres:
            summary |= _postgres(args)
    return Result(rows or [_as_row(summary)], summary, notes)


def _project(root: Path) -> Path:
    for part in PARTS:
        target = root / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / part, target)
    return root


def _project_of(root: Path, ref: str) -> Path:
    """Return the project as it was at a commit."""
    root.mkdir()
    archive = root.with_suffix(".tar")
    subprocess.run(["git", "archive", "-o", str(archive), ref, "--", *PARTS], cwd=ROOT, check=True)
    with tarfile.open(archive) as file:
        file.extractall(root, filter="data")
    return root


def _against(project: Path, folder: Path, people: int, args: argparse.Namespace) -> list[str]:
    """Return what the night of another commit takes, as ratios to this one, both with compiled kernels."""
    other = _project_of(folder / "other", args.against)
    found = []
    for root in (project, other):
        libraries = args.libraries if root == other else None
        if root == other:  # the project itself has run, with its kernels compiled
            _compile(root, args.set, libraries)
        _clear(root)
        found.append(_night(root, people, args.set, libraries))
    now, before = found
    lines = [f"{args.against} takes {before['seconds'] / now['seconds']:.2f} times the seconds"]
    total = sum(before["cpu_by_stage"].values()) / sum(now["cpu_by_stage"].values())
    lines.append(f"and {total:.2f} times the processor seconds of this version")
    lines += [
        f"{stage:10} {cpu:8.1f} s, {before['cpu_by_stage'][stage] / max(cpu, 0.01):6.2f} times"
        for stage, cpu in now["cpu_by_stage"].items()
        if stage in before["cpu_by_stage"]
    ]
    return ["\n".join(lines)]


def _compile(project: Path, changes: list[str], libraries: str | None = None) -> None:
    """Run a small night, which compiles every kernel, and remove what it left."""
    _night(project, _FEW, changes, libraries)
    _clear(project)


def _clear(project: Path) -> None:
    for path in (project / "data", project / "dvc.lock"):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _night_command(project: Path) -> list[str]:
    """Return the command of a night: that of the package, or of a version before it had one."""
    if (project / "recsys" / "batch").is_dir():
        return ["recsys.cli", "night"]
    return ["pipelines.night"]


def _run(project: Path, *command: str, libraries: str | None = None) -> float:
    """Run a module of the project, with other packages beside it, and return how long it took."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RECSYS")}
    path = os.pathsep.join([str(project), *([] if libraries is None else [str(Path(libraries).resolve())])])
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env=environment | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in _DONE:
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr[-2000:]}")
    return time.perf_counter() - start


def _night(project: Path, people: int, changes: list[str], libraries: str | None = None) -> dict[str, Any]:
    settings = [f"people={people}", *changes]
    command = [*_night_command(project), *(part for change in settings for part in ("--set", change))]
    seconds = _run(project, *command, libraries=libraries)
    lines = [json.loads(line) for line in (project / PATHS.log).read_text().splitlines()]
    rerun = _run(project, *command, libraries=libraries)
    rows = [
        {
            "people": people,
            "stage": line["stage"],
            "seconds": line["seconds"],
            "share": line["seconds"] / seconds,
            "peak_mb": line["peak_mb"],
        }
        for line in lines
    ]
    return {
        "rows": rows,
        "seconds": seconds,
        "peak_mb": max(line["peak_mb"] for line in lines),
        "seconds_by_stage": {line["stage"]: line["seconds"] for line in lines},
        "cpu_by_stage": {line["stage"]: line["cpu_seconds"] for line in lines},
        "rerun_seconds": rerun,
    }


def _resume(project: Path) -> int:
    """Kill the step that makes the lists when half its parts are there; return the parts done twice.

    That is the finished parts a rerun does again, and the one that was under way.
    """
    change_execution(project, people_a_part=max(1, _viewers(project) // 8), workers=1)
    notes = project / PATHS.parts / "recommend"
    shutil.rmtree(notes, ignore_errors=True)
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines.recommend"],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(project)},
        stderr=subprocess.DEVNULL,
    ) as process:
        while process.poll() is None and len(list(notes.glob("part-*.json"))) < 4:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    finished = len(list(notes.glob("part-*.json")))
    _run(project, "pipelines.recommend")
    said = json.loads((project / PATHS.log).read_text().splitlines()[-1])
    again = int(said["redone"]) - (int(said["parts"]) - finished)
    return again + (1 if finished < said["parts"] else 0)


def _postgres(args: argparse.Namespace) -> Mapping[str, Any]:
    """Load lists into a real server, and cut some of the loads off."""
    asked = argparse.Namespace(people=args.postgres, seed=args.seed, cuts=4)
    found = postgres.measure(asked).summary
    return {key: value for key, value in found.items() if key.startswith("pg_")}


def _viewers(project: Path) -> int:
    lines = [json.loads(line) for line in (project / PATHS.log).read_text().splitlines()]
    return int(next(line["people"] for line in reversed(lines) if line["stage"] == "recommend"))


def _safety(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Walk through every step of a publication and of the stages, and damage every file of one."""
    folder.mkdir()
    night, rng = make_night(), np.random.default_rng(args.seed)
    walks: list[Walked] = []

    def noted(what: str, harm: str, walked: Walked) -> None:
        walks.append(walked)
        print(f"{what}, {harm}: {walked.points} points, {len(walked.lost)} lost", file=sys.stderr, flush=True)

    for harm in HARMS:
        told = publishing(night, folder / harm)
        noted("publishing", harm, walk(told, harm, felt(kinds_of(told), harm, args.every)))
    stages = Stages.of(folder / "stages")
    for stage in WRITES:
        kinds = stages.kinds(stage)
        for harm in HARMS:
            noted(stage, harm, stages.walk(stage, harm, felt(kinds, harm, args.every_in_stages)))
    regional = Stages.of(folder / "regions", *REGIONS)
    kinds = regional.kinds("allocate")
    for harm in HARMS:  # its steps are many and alike: one file of one task after another
        points = felt(kinds, harm, 5 * args.every_in_stages)
        noted("allocate by region", harm, regional.walk("allocate", harm, points))
    lost = [text for walked in walks for text in walked.lost]
    published = folder / "corrupt"
    night.publish(published, serving=serving)
    found = try_all(published, lambda: read_publication(published), rng, flips=max(1, 20 // args.every))
    for text in [*lost, *found.loaded]:
        print(f"lost: {text}", file=sys.stderr)
    return {
        "crash_points": sum(walked.points for walked in walks),
        "crash_lost": len(lost),
        "corrupt_tried": found.tried,
        "corrupt_loaded": len(found.loaded),
    }


def _growth(people: int, big: Mapping[str, Any], fewer: int, small: Mapping[str, Any]) -> list[str]:
    """Say how time and memory grow from the smaller night to the larger, in all and by stage."""
    power, million = _power(people, big["seconds"], fewer, small["seconds"])
    slope = (big["peak_mb"] - small["peak_mb"]) / (people - fewer)
    memory = (big["peak_mb"] + slope * (1e6 - people)) / 1024
    stages = [
        f"{stage} {_power(people, seconds, fewer, small['seconds_by_stage'][stage])[0]:.2f}"
        for stage, seconds in big["seconds_by_stage"].items()
        if min(seconds, small["seconds_by_stage"].get(stage, 0.0)) > _TELLING
    ]
    return [
        f"from {fewer:,} ({small['seconds']:.0f} s, {small['peak_mb']:,} MB) time grows as people to the "
        f"power {power:.2f}: {', '.join(stages)}",
        f"by that a million people take {million / 60:.0f} minutes, and by the slope {memory:.0f} GiB"
        + (" (extrapolated, not run)" if people < 1_000_000 else ""),
    ]


def _power(people: int, seconds: float, fewer: int, before: float) -> tuple[float, float]:
    """Return as which power of people a time grows, and what a million would take by it."""
    power = math.log(seconds / before) / math.log(people / fewer)
    return power, seconds * (1e6 / people) ** max(power, 1.0)


def _as_row(summary: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in summary.items() if not isinstance(value, dict)}


if __name__ == "__main__":
    sys.exit(main())
