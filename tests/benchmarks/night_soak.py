"""Nights killed at any moment, for minutes: what is served is always one whole publication.

    python -m tests.benchmarks.night_soak --minutes 10

A child publishes, rolls back or erases somebody; it is killed after a random time, or left to end. Then a
fresh process opens what is served and checks every file, and every few rounds a night has to finish.
Ends with 1 when a publication was lost, mixed or could not be made any more.
"""

import argparse
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from recsys.pipeline.rollback import rollback
from recsys.storage.publication import read_publication
from tests.benchmarks.command import Result, run
from tests.crash.processes import in_process
from tests.crash.publishing import serving, state_of
from tests.pipeline.small_night import Night, make_night

_FINISH_EVERY = 10


def main(argv: list[str] | None = None) -> int:
    """Run the soak; 1 when anything was lost."""
    lost: list[str] = []

    def measured(args: argparse.Namespace) -> Result:
        result = measure(args)
        lost.extend(result.notes)
        return result

    code = run("night_soak", measured, about=__doc__ or "", argv=argv, arguments=_arguments)
    return 1 if lost else code


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default 10)")
    parser.add_argument("--first-loss", action="store_true", help="end when something was lost")


def measure(args: argparse.Namespace) -> Result:
    """Kill writers until the time is over."""
    rng, night = np.random.default_rng(args.seed), make_night()
    counts = {"rounds": 0, "killed": 0, "finished": 0, "lost": 0}
    notes: list[str] = []
    with TemporaryDirectory(prefix="soak-") as folder:
        published = Path(folder) / "published"
        usual = _timed(lambda: night.publish(published, serving=serving))
        until = time.monotonic() + 60 * args.minutes
        while time.monotonic() < until and not (notes and args.first_loss):
            counts["rounds"] += 1
            counts["killed"] += _killed(_work(night, published, rng), float(rng.uniform(0.0, 2.5 * usual)))
            _check(lambda: state_of(published), counts, notes)
            if counts["rounds"] % _FINISH_EVERY == 0:
                _check(lambda: _finished(night, published), counts, notes)
                counts["finished"] += 1
    return Result([counts], counts, notes)


def _work(night: Night, published: Path, rng: np.random.Generator) -> Callable[[], Any]:
    if rng.random() < 0.2 and len(list((published / "runs").glob("2*"))) > 1:
        return lambda: rollback(published)
    share = int(rng.integers(3, 7))
    return lambda: night.publish(published, night.lists[night.lists["rank"] <= share], serving=serving)


def _finished(night: Night, published: Path) -> str:
    made = night.publish(published, serving=serving)
    served = read_publication(published)
    if served.run_id != made.run_id or list((published / "runs").glob(".*")):
        raise AssertionError(f"{made.run_id} was made and {served.run_id} is served")
    return served.run_id


def _killed(work: Callable[[], Any], after: float) -> bool:
    """Do `work` in a child and kill it after some seconds; say whether it was still at work."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            with open(os.devnull, "w") as nothing:  # noqa: PTH123 - nothing of the child is shown
                os.dup2(nothing.fileno(), 2)
            work()
        finally:
            os._exit(0)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _check(run_gates: Callable[[], Any], counts: dict[str, int], notes: list[str]) -> None:
    ended = in_process(run_gates)
    if ended.killed or ended.error:
        counts["lost"] += 1
        notes.append(f"round {counts['rounds']}: {ended.error}")


def _timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
