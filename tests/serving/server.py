"""Starts the example backend with several workers, and talks to it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple

from recsys.http.access_tokens import AccessToken
from recsys.safety.keys import Keys
from tests.serving.app import WORKER

ROOT = Path(__file__).parents[2]
KEY = "the-key-of-the-tests-and-of-no-service"
TOKEN = AccessToken.make(["members", "backend"], minutes=600).signed(Keys((KEY.encode(),)))
_START_S = 120.0
PATIENT_S = "75"
"""Seconds before uvicorn hangs up on a silent client or kills a silent worker: on a machine with other
work either may wait for a processor longer than the five seconds uvicorn gives them."""


class Answer(NamedTuple):
    """One answer: status, the JSON body, the worker that gave it, and when (monotonic seconds)."""

    status: int
    body: Any
    worker: int
    asked: float
    answered: float

    @property
    def ids(self) -> list[str]:
        """The people on a page; nobody when it is none."""
        return [person["id"] for person in self.body["people"]] if self.status == 200 else []


class Client:
    """One connection that stays with one worker."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        asked = time.monotonic()
        payload = None if body is None else json.dumps(body)
        headers = {"content-type": "application/json", "authorization": f"Bearer {TOKEN}"}
        self._connection.request(method, path, payload, headers)
        response = self._connection.getresponse()
        content = response.read()
        found = json.loads(content) if content else None
        return Answer(response.status, found, int(response.headers.get(WORKER, 0)), asked, time.monotonic())

    def page(self, viewer: str, k: int = 10) -> Answer:
        return self.ask("GET", f"/v1/members/{viewer}/page?k={k}")

    def close(self) -> None:
        self._connection.close()


class Backend(NamedTuple):
    """A running backend: where it listens, and its workers."""

    port: int
    workers: tuple[int, ...]

    def client_of(self, worker: int) -> Client:
        """Return a connection to one worker."""
        for _ in range(1000):
            client = Client(self.port)
            if client.ask("GET", "/live").worker == worker:
                return client
            client.close()
        raise TimeoutError("a worker never answered")

    @contextmanager
    def client_of_each_worker(self) -> Iterator[dict[int, Client]]:
        """Give one connection to each worker."""
        with ExitStack() as made:
            yield {worker: made.enter_context(closing(self.client_of(worker))) for worker in self.workers}


@contextmanager
def backend(published: Path, safety: str, *, workers: int = 2) -> Iterator[Backend]:
    """Run the example backend until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {
        "RECSYS_PUBLISHED": str(published),
        "RECSYS_SAFETY": safety,
        "RECSYS_MAX_STALENESS_DAYS": "36500",
        "RECSYS_KEY": KEY,
        "RECSYS_POLL_S": "0.2",
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [
        sys.executable, "-m", "uvicorn", "tests.serving.app:app", "--port", str(port),
        "--workers", str(workers), "--log-level", "warning", "--no-access-log",
        "--timeout-keep-alive", PATIENT_S, "--timeout-worker-healthcheck", PATIENT_S,
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True) as process:
        try:
            yield Backend(port, _wait(process, port, workers))
        finally:
            _stop(process)


def _wait(process: "subprocess.Popen[bytes]", port: int, workers: int) -> tuple[int, ...]:
    """Return the workers once all of them answer."""
    seen: set[int] = set()
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the backend ended with {process.returncode}")
        client = Client(port)
        try:
            seen.add(client.ask("GET", "/live").worker)
        except (OSError, HTTPException):
            time.sleep(0.1)
        finally:
            client.close()
        if len(seen) == workers:
            return tuple(sorted(seen))
    raise TimeoutError(f"{len(seen)} of {workers} workers answer")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
