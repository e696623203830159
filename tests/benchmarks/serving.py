"""What serving costs: opening, pages from the list and live, a backend of two workers, memory.

    python -m tests.benchmarks.serving --people 100000 --json serving.json

A synthetic community in thirty cities is published whole (128 factors each way, lists of 20, reasons),
then served with a safety store in SQLite that is asked in every call. `open_s` is the first opening in a
fresh process, imports not counted. `p50_ms`, `p99_ms`: pages of ten from the list of the night;
`live_*`: pages of ten when the whole list was shown already, so that all ten are searched live;
`..._cpu_ms`: the processor time of a call, which other programs on the machine hardly lengthen. `rps`: pages
a second of the example backend with two workers over HTTP, clients on the same machine. While its
clients ask, publications swap and blocks arrive: `swap_failed` counts calls that failed, `unsafe` people
shown to each other by a call that began after their block. `shared_mb`, `private_mb`: memory of a worker,
shared with other processes and its own.

`look_WHY_us`: how long it takes to be told nothing of somebody blocked, held, erased or unknown.
"""

import argparse
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, perf_counter, process_time, thread_time
from typing import Any

import numpy as np

from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety, SqliteSafety
from tests.benchmarks.command import Result, run
from tests.benchmarks.serving_publication import Community
from tests.serving.load import clients, wait_for
from tests.serving.server import KEY, Backend, backend

PEOPLE = 100_000
K = 10
CALLS = 2000
_NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


def measure(args: argparse.Namespace) -> Result:
    """Publish, open, serve."""
    rng = np.random.default_rng(args.seed)
    os.environ["RECSYS_KEY"] = KEY  # publications are of the service with this key
    n_people = args.people or PEOPLE
    with TemporaryDirectory(prefix="serving-") as name:
        folder = Path(name)
        community = Community(n_people, rng, n_viewers=args.viewers)
        run_id = community.publish(folder / "published", 1)
        SqliteSafety.create(folder / "safety.db")
        ids = community.ids.ids(community.viewers).tolist()
        (folder / "viewers.json").write_text(json.dumps(ids))
        alone = _in_a_fresh_process(folder, args.calls)
        ranker_rows = [{"what": key, "value": value} for key, value in alone.items()]
        summary: dict[str, Any] = {"people": n_people, **alone}
        if not args.no_backend:
            summary |= _backend_figures(folder, community, ids, args, run_id)
        return Result(
            rows=ranker_rows,
            summary=summary,
            notes=_notes(n_people, summary),
        )


def _notes(n_people: int, summary: dict[str, Any]) -> list[str]:
    target = 15.0 if n_people > 100_000 else 5.0
    return [
        f"aims: p99_ms <= 2, live_p99_ms <= {target:g}, open_s <= 1, swap_failed = unsafe = 0",
        "unsafe and swap_failed count calls, not people; calls under a dead store are not failures",
    ]


def _in_a_fresh_process(folder: Path, calls: int) -> dict[str, float]:
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.serving",
        "--inside",
        str(folder),
        "--calls",
        str(calls),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def inside(folder: Path, calls: int) -> dict[str, float]:
    """Open once and ask; the figures of one process."""
    safety = SqliteSafety(folder / "safety.db")
    start, own = perf_counter(), process_time()
    ranker = Ranker.open(folder / "published", safety=safety, poll_s=0, max_staleness=None)
    figures = {"open_s": perf_counter() - start, "open_cpu_s": process_time() - own}
    viewers = json.loads((folder / "viewers.json").read_text())
    figures |= _percentiles(
        "", _timed(lambda viewer: ranker.rank(viewer, K, _NOW), _with_list(ranker, viewers), calls)
    )
    ranker.close()
    store = MemorySafety()
    searching = Ranker.open(folder / "published", safety=store, poll_s=0, max_staleness=None)
    for viewer in viewers:
        page = searching.rank(viewer, 20, _NOW)
        searching.record(
            page.receipt, [item.candidate_id for item in page.items], viewer_id=viewer, as_of=_NOW
        )
    live = _timed(lambda viewer: searching.rank(viewer, K, _NOW), viewers, calls)
    figures |= _percentiles("live_", live)
    searching.close()
    return figures | _time_alike(folder, viewers, calls)


def _with_list(ranker: Ranker, viewers: list[str]) -> list[str]:
    """Return the viewers whose list of the night is long enough for a page."""
    served = ranker._reloader.now.snapshot
    return [v for v in viewers if len(served.list_of_night(served.ids.find([v])[0]).rows) >= K]


def _timed(run_gates: Any, viewers: list[str], calls: int) -> np.ndarray:
    for viewer in viewers[:50]:
        run_gates(viewer)
    seconds = np.empty((2, calls))
    for call in range(calls):
        start, own = perf_counter(), thread_time()
        run_gates(viewers[call % len(viewers)])
        seconds[:, call] = perf_counter() - start, thread_time() - own
    return seconds * 1000.0


def _percentiles(name: str, milliseconds: np.ndarray) -> dict[str, float]:
    p50, p99 = np.percentile(milliseconds[0], [50, 99]).tolist()
    own = float(np.percentile(milliseconds[1], 99))
    return {f"{name}p50_ms": p50, f"{name}p99_ms": p99, f"{name}p99_cpu_ms": own}


def _time_alike(folder: Path, viewers: list[str], calls: int) -> dict[str, float]:
    """Return the median time, in microseconds, of looking at somebody who may not be seen, by why."""
    safety = SqliteSafety.create(
        folder / f"alike-{os.getpid()}.db"
    )  # one of its own: nobody opens what names the erased
    ranker, viewer = (
        Ranker.open(folder / "published", safety=safety, poll_s=0, max_staleness=None),
        viewers[0],
    )
    others = [item.candidate_id for item in ranker.rank(viewer, K, _NOW).items][:3]
    if len(others) < 3:
        return {}
    blocked, held, erased = others
    safety.block(viewer, blocked)
    safety.hold(held)
    safety.erase(erased)
    asked = {"blocked": blocked, "held": held, "erased": erased, "unknown": "u-is-nobody"}
    taken: dict[str, list[float]] = {why: [] for why in asked}
    for _ in range(calls):
        for why, other in asked.items():
            start = perf_counter()
            found = ranker.look(viewer, other, _NOW)
            taken[why].append(perf_counter() - start)
            if found is not None:
                raise AssertionError(why)
    ranker.close()
    return {f"look_{why}_us": float(np.median(seconds)) * 1e6 for why, seconds in taken.items()}


def _backend_figures(
    folder: Path, community: Community, ids: list[str], args: argparse.Namespace, run_id: str
) -> dict[str, Any]:
    """Return what the example backend does with two workers, before and while things change."""
    with backend(folder / "published", f"sqlite:{folder / 'safety.db'}") as running:
        viewers = ids[: args.viewers]
        with clients(running, viewers, per_worker=args.clients, k=K, pause_s=0.0) as load:
            start = monotonic()
            wait_for(lambda: monotonic() - start > args.seconds, args.seconds + 5)
        seconds = monotonic() - start
        memory = [_memory(worker) for worker in running.workers]
        figures: dict[str, Any] = {
            "rps": len(load.pages) / seconds,
            "shared_mb": float(np.mean([shared for shared, _ in memory])),
            "private_mb": float(np.mean([private for _, private in memory])),
        }
        return figures | changing(folder, community, running, viewers, swaps=args.swaps)


def changing(
    folder: Path, community: Community, running: Backend, viewers: list[str], *, swaps: int
) -> dict[str, Any]:
    """Return how calls fared while publications swapped and blocks arrived."""
    safety = SqliteSafety(folder / "safety.db", timeout_s=5.0)
    apart: list[tuple[str, str, float]] = []
    taken: list[float] = []
    with clients(running, viewers, per_worker=2, k=K) as load:
        for number in range(2, 2 + swaps):
            run_id = community.publish(folder / "published", number)
            start = monotonic()
            for viewer, page in load.pages[-5:]:
                for other in page.ids[:2]:
                    safety.block(viewer, other)
                    apart.append((viewer, other, monotonic()))
            wait_for(lambda run_id=run_id: load.workers_on(run_id) == set(running.workers), 120.0)  # type: ignore[misc]
            taken.append(monotonic() - start)
        count = len(load.pages)
        wait_for(lambda: len(load.pages) > count + 200)
    return {
        "swap_failed": load.failed(),
        "unsafe": len(load.unsafe(apart)),
        "swap_s": max(taken, default=0.0),
        "pages_while_changing": len(load.pages),
        "blocks": len(apart),
    }


def _memory(process: int) -> tuple[float, float]:
    """Return megabytes that a process shares with others, and that are its own."""
    shared = private = 0.0
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, rest = line.partition(":")
        kilobytes = float(rest.split()[0])
        shared += kilobytes if name.startswith("Shared_") else 0.0
        private += kilobytes if name.startswith("Private_") else 0.0
    return shared / 1024.0, private / 1024.0


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark, or one process of it."""
    given = sys.argv[1:] if argv is None else argv
    if given[:1] == ["--inside"]:
        print(json.dumps(inside(Path(given[1]), int(given[3]))))
        return 0

    def arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--calls", type=int, default=CALLS, help="calls timed of each kind")
        parser.add_argument("--viewers", type=int, default=1000, help="people who ask")
        parser.add_argument("--clients", type=int, default=2, help="clients of each worker")
        parser.add_argument("--seconds", type=float, default=8.0, help="how long clients ask for rps")
        parser.add_argument("--swaps", type=int, default=3, help="publications that follow each other")
        parser.add_argument("--no-backend", action="store_true", help="leave the backend out")

    return run("serving", measure, about=__doc__ or "", argv=argv, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
