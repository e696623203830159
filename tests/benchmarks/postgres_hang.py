"""What callers see while the PostgreSQL server of the safety store hangs, and when it is back.

    python -m tests.benchmarks.postgres_hang --json OUT

A server of its own is stopped in mid-run (SIGSTOP: it takes connections and says nothing) and goes on later.
An asyncio program asks for pages from threads (`asyncio.to_thread`) as documented, eight at a time.
`refused_first_ms`: the longest of the calls that wait for an answer, one deadline of 500 ms for a
connection and the answer together; `refused_connect_ms`: the same of a store that has no connection yet;
`refused_later_ms`: the median of those after three failures; `loop_lag_ms`: how late the loop was at most,
`loop_lag_before_ms` while the server answered; `threads_more`: threads that the hanging added; `back_s`:
from the server's return to the first page; `shown_while_hanging`: pages, which must be 0.
"""

import argparse
import asyncio
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from recsys.errors import SafetyUnavailable
from recsys.ranking.ranker import Ranker
from recsys.safety.postgres_store import PostgresSafety
from tests.benchmarks.command import Result, run
from tests.postgres import own_server
from tests.ranking.published_world import World

CALLERS, BEAT_S, DEADLINE_S = 8, 0.01, 0.5


def processes_of(folder: Path) -> list[int]:
    """Return the server of a data folder and every process that it started."""
    server = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    found = [server]
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):  # it may have ended meanwhile
            if int(status.read_text().rpartition(")")[2].split()[1]) == server:
                found.append(int(status.parent.name))
    return found


@contextmanager
def hanging(folder: Path) -> Iterator[None]:
    """Stop a server until the block ends."""
    stopped = processes_of(folder)
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in stopped:
            os.kill(process, signal.SIGCONT)


async def asked_for(ranker: Ranker, viewer: str, seconds: float) -> tuple[list[float], int, float]:
    """Ask for pages for some time; return how long each refusal took, how many pages came, the loop's lag."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(CALLERS))  # six with two processors
    end, refused, shown, late = perf_counter() + seconds, list[float](), 0, 0.0

    async def ask() -> None:
        nonlocal shown
        while perf_counter() < end:
            start = perf_counter()
            try:
                await asyncio.to_thread(ranker.rank, viewer, 10)
                shown += 1
            except SafetyUnavailable:
                refused.append(perf_counter() - start)
            await asyncio.sleep(BEAT_S)

    async def beat() -> None:
        nonlocal late
        while perf_counter() < end:
            start = perf_counter()
            await asyncio.sleep(BEAT_S)
            late = max(late, perf_counter() - start - BEAT_S)

    await asyncio.gather(beat(), *(ask() for _ in range(CALLERS)))
    return refused, shown, late


def back_after(ranker: Ranker, viewer: str) -> float:
    """Return how long it takes until a page comes again."""
    start = perf_counter()
    while True:
        with suppress(SafetyUnavailable):
            ranker.rank(viewer, 10)
            return perf_counter() - start


def measure(args: argparse.Namespace) -> Result:
    """Ask a server that answers, hangs, and answers again."""
    world = World.small(60)
    viewer = str(world.people.ids.ids([3])[0])
    with TemporaryDirectory(prefix="recsys-pg-") as name:
        folder = Path(name)
        server = own_server(folder)
        address = next(server)
        try:
            world.publish(folder / "published")
            store = PostgresSafety.create(address, timeout_s=DEADLINE_S)
            ranker = Ranker.open(folder / "published", safety=store, poll_s=0, max_staleness=None)
            ranker.rank(viewer, 10)
            before = asyncio.run(asked_for(ranker, viewer, 1.0))
            cold, threads = PostgresSafety(address, timeout_s=DEADLINE_S), threading.active_count()
            with hanging(folder):
                start = perf_counter()
                with suppress(SafetyUnavailable):
                    cold.exclusions(viewer, [])
                connect = perf_counter() - start
                refused, shown, late = asyncio.run(asked_for(ranker, viewer, args.seconds))
                more = threading.active_count() - threads
            back = back_after(ranker, viewer)
            ranker.close()
        finally:
            with suppress(StopIteration):
                next(server)
    summary = {
        "refused": len(refused),
        "refused_first_ms": max(refused) * 1e3,
        "refused_connect_ms": connect * 1e3,
        "refused_later_ms": float(np.median(refused)) * 1e3,
        "shown_while_hanging": shown,
        "pages_before": before[1],
        "loop_lag_before_ms": before[2] * 1e3,
        "loop_lag_ms": late * 1e3,
        "threads_more": more,
        "back_s": back,
    }
    return Result(rows=[{"what": key, "value": value} for key, value in summary.items()], summary=summary)


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark."""

    def arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--seconds", type=float, default=5.0, help="the server hangs (default 5)")

    return run("postgres_hang", measure, about=__doc__ or "", argv=argv, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
