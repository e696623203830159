"""The HTTP service under load on this machine, client included, while people block each other and pause.

    python -m tests.benchmarks.http --people 20000 --seconds 20 --json OUT

`recsys serve` with two workers serves a synthetic community. Some clients with connections of their own ask
for pages as fast as they are answered; meanwhile members just shown are blocked or pause, and whoever
is shown to a call that began afterwards counts as unsafe. Then likes are written, the inbox of the other is
read by another connection, and pages for many viewers are made in this process.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, perf_counter, process_time, sleep
from typing import Any

import numpy as np

from recsys.http.access_tokens import AccessToken
from recsys.ranking.ranker import Ranker
from recsys.safety import SqliteSafety
from recsys.safety.keys import Keys
from tests.benchmarks.command import Result, run
from tests.benchmarks.serving_publication import Community

KEY = "the-key-of-the-benchmark-and-of-no-service"
CLIENTS = 4


class RawClient:
    """One connection with keep-alive: a client that costs as little as it can beside what it measures."""

    def __init__(self, port: int, token: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._token = token

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Return the status and the body of an answer."""
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self._token}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        self._socket.sendall(head.encode() + content)
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._received()
        first, _, rest = got.partition(b"\r\n\r\n")
        lengths = [line for line in first.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        length = int(lengths[0].split(b":")[1]) if lengths else 0
        while len(rest) < length:
            rest += self._received()
        return int(first[9:12]), rest

    def _received(self) -> bytes:
        part = self._socket.recv(1 << 16)
        if not part:
            raise ConnectionError("the service hung up")
        return part

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


@contextmanager
def service(published: Path, safety: str, workers: int) -> Iterator[tuple[int, int]]:
    """Run `recsys serve` until the block ends; give its port and process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--published", published, "--safety", safety, "--port", port, "--workers", workers]
    command = [sys.executable, "-c", "from recsys.cli import app; app()", "serve", *options]
    command += ["--max-staleness-days", "36500"]
    environment = os.environ | {"RECSYS_KEY": KEY, "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen([*map(str, command)], env=environment) as process:
        try:
            _wait(port, process)
            yield port, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = monotonic() + 300
    while monotonic() < deadline and process.poll() is None:
        try:
            with closing(RawClient(port, "")) as client:
                if client.ask("GET", "/ready")[0] == 200:
                    return
        except OSError:
            sleep(0.2)
    raise TimeoutError("the service does not answer")


@dataclass
class Seen:
    """What clients saw: when a call began, how long it took, its viewer and who was on the page."""

    calls: list[tuple[float, float, str, list[str]]] = field(default_factory=list)
    failed: int = 0


def _ask_all_the_time(port: int, token: str, viewers: list[str], seed: int, seen: Seen, end: float) -> None:
    rng = np.random.default_rng(seed)
    with closing(RawClient(port, token)) as client:
        while monotonic() < end:
            viewer, began = viewers[rng.integers(len(viewers))], monotonic()
            status, body = client.ask("GET", f"/v1/members/{viewer}/page?k=10")
            took = monotonic() - began
            if status != 200:
                seen.failed += 1
                continue
            seen.calls.append((began, took, viewer, [one["id"] for one in json.loads(body)["people"]]))


def load(port: int, token: str, viewers: list[str], seconds: float, *, change: bool) -> dict[str, float]:
    """Ask for pages for some seconds, while people change if asked, and return what came of it."""
    seen, apart, paused = Seen(), dict[tuple[str, str], float](), dict[str, float]()
    end = monotonic() + seconds
    threads = [
        threading.Thread(target=_ask_all_the_time, args=(port, token, viewers, seed, seen, end))
        for seed in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    with closing(RawClient(port, token)) as client:
        while change and monotonic() < end - 1:
            sleep(0.2)
            shown = [(viewer, ids) for *_, viewer, ids in seen.calls[-4:] if ids]
            for viewer, ids in shown[:2]:
                client.ask("POST", f"/v1/members/{viewer}/blocks", {"person": ids[0]})
                apart[viewer, ids[0]] = apart[ids[0], viewer] = monotonic()
            for _, ids in shown[2:3]:
                client.ask("POST", f"/v1/members/{ids[-1]}/pause")
                paused[ids[-1]] = monotonic()
    for thread in threads:
        thread.join()
    took = np.sort([one[1] for one in seen.calls]) * 1e3
    never = float("inf")
    unsafe = sum(
        began > min(apart.get((viewer, one), never), paused.get(one, never), paused.get(viewer, never))
        for began, _, viewer, ids in seen.calls
        for one in ids
    )
    return {
        "pages": len(seen.calls),
        "pages_per_s": len(seen.calls) / seconds,
        "p50_ms": float(np.percentile(took, 50)),
        "p99_ms": float(np.percentile(took, 99)),
        "failed": seen.failed,
        "unsafe": int(unsafe),
        "changes": len(apart) // 2 + len(paused),
    }


def inbox_fresh_s(port: int, token: str, viewers: list[str]) -> float:
    """Return the longest time from a written like to the inbox that holds it, by another connection."""
    longest = 0.0
    for number, viewer in enumerate(viewers[:20]):
        with closing(RawClient(port, token)) as writer, closing(RawClient(port, token)) as reader:
            ids = [
                one["id"] for one in json.loads(writer.ask("GET", f"/v1/members/{viewer}/page")[1])["people"]
            ]
            if not ids:
                continue
            like = {"event_id": f"like-{number}", "type": "like", "person": ids[0]}
            writer.ask("POST", f"/v1/members/{viewer}/events", [like])
            began = monotonic()
            while monotonic() < began + 5:
                inbox = json.loads(reader.ask("GET", f"/v1/members/{ids[0]}/inbox?k=1000")[1])["people"]
                if viewer in [one["id"] for one in inbox]:
                    break
            longest = max(longest, monotonic() - began)
    return longest


def measure(args: argparse.Namespace) -> Result:
    """Measure the service."""
    os.environ["RECSYS_KEY"] = KEY
    rng = np.random.default_rng(args.seed)
    token = AccessToken.make(["members", "backend"]).signed(Keys((KEY.encode(),)))
    with TemporaryDirectory(prefix="http-") as name:
        folder = Path(name)
        community = Community(args.people or 20_000, rng, n_viewers=300)
        community.publish(folder / "published", 1)
        SqliteSafety.create(folder / "safety.db")
        viewers = community.ids.ids(community.viewers).tolist()
        with service(folder / "published", f"sqlite:{folder / 'safety.db'}", args.workers) as (port, _):
            load(port, token, viewers, 2.0, change=False)  # workers warm up
            rows = [{"what": "quiet", **load(port, token, viewers, args.seconds, change=False)}]
            rows.append({"what": "changing", **load(port, token, viewers, args.seconds, change=True)})
            fresh = inbox_fresh_s(port, token, viewers)
        store = SqliteSafety(folder / "safety.db")
        ranker = Ranker.open(folder / "published", safety=store, poll_s=0, max_staleness=None)
        cpu = _rank_cpu_ms(ranker, viewers)  # loads the kernels too, which is no part of a mail
        many = [viewers[at % len(viewers)] for at in range(args.many)]
        begin = perf_counter()
        ranker.rank_many(many)
        each = (perf_counter() - begin) / args.many
    quiet, changing = rows
    summary = {
        "pages_per_s": quiet["pages_per_s"],
        "p99_ms": quiet["p99_ms"],
        "failed": quiet["failed"] + changing["failed"],
        "unsafe": quiet["unsafe"] + changing["unsafe"],
        "inbox_fresh_s": fresh,
        "rank_cpu_ms": cpu,
        "rank_many_50k_s": each * 50_000,
    }
    return Result(rows=rows, summary=summary)


def _rank_cpu_ms(ranker: Ranker, viewers: list[str]) -> float:
    """Return the processor time of one page from the list of the night, the median of five rounds."""
    rounds = []
    for _ in range(5):
        begin = process_time()
        for viewer in viewers:
            ranker.rank(viewer, 5)
        rounds.append((process_time() - begin) / len(viewers) * 1e3)
    return float(np.median(rounds))


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark."""

    def arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--seconds", type=float, default=20.0, help="of each load (default 20)")
        parser.add_argument("--workers", type=int, default=2, help="processes that answer (default 2)")
        parser.add_argument("--many", type=int, default=5_000, help="viewers of rank_many (default 5000)")

    return run("http", measure, about=__doc__ or "", argv=argv, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
