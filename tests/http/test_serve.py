"""The processes of the service: several workers on one socket, a stop, and a worker that cannot start."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from recsys.errors import EXIT_TRY_AGAIN, InputError
from recsys.http.access_tokens import AccessToken
from recsys.http.serve import listening_socket
from recsys.safety import SqliteSafety
from tests.http.served import KEYS, served
from tests.ranking.published_world import World

ROOT = Path(__file__).parents[2]


def test_accepted_connections_send_without_waiting() -> None:
    with listening_socket("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), listening.accept()[0] as accepted:
            assert listening.proto == socket.IPPROTO_TCP
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        with pytest.raises(InputError, match="cannot listen"):
            listening_socket("127.0.0.1", port)


def started(published: Path, store: Path, port: int) -> "subprocess.Popen[bytes]":
    options = ["--published", published, "--safety", f"sqlite:{store}", "--port", port, "--workers", 2]
    command = [sys.executable, "-c", "from recsys.cli import app; app()", "serve", *options]
    environment = os.environ | {"RECSYS_KEY": KEYS.secrets[0].decode().replace(" ", "-")}
    return subprocess.Popen(
        [*map(str, command), "--max-staleness-days", "36500"],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def get(port: int, path: str, token: str = "") -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path, headers={"authorization": f"Bearer {token}"})
        with connection.getresponse() as response:
            return response.status


@pytest.mark.slow
def test_workers_answer_and_stop_when_told(world: World, published: Path, tmp_path: Path) -> None:
    SqliteSafety.create(tmp_path / "safety.db")
    port = free_port()
    with started(published, tmp_path / "safety.db", port) as process:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                assert get(port, "/ready") == 200
                break
            except OSError:
                time.sleep(0.2)
        keys = type(KEYS)((KEYS.secrets[0].decode().replace(" ", "-").encode(),))
        token = AccessToken.make(["members"]).signed(keys)
        assert get(port, f"/v1/members/{world.people.ids.values[3]}/page", token) == 200
        page = f"/v1/members/{world.people.ids.values[3]}/page"
        with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as kept:
            statuses, closed = [], False
            process.send_signal(signal.SIGTERM)
            while not closed:  # nothing that was sent is broken off: an answer says that it is the last one
                kept.request("GET", page, headers={"authorization": f"Bearer {token}"})
                with kept.getresponse() as answer:
                    statuses.append(answer.status)
                    closed = answer.getheader("connection") == "close"
                    answer.read()
            assert set(statuses) == {200}
        assert process.wait(60) == 0
        with pytest.raises(ConnectionRefusedError):
            get(port, "/live")


def test_a_worker_that_stops_is_not_ready_and_ends_each_connection(world: World, published: Path) -> None:
    with served(world, published) as service:
        assert service.client.get("/ready").status_code == 200
        service.client.app.state.stopping = True  # type: ignore[attr-defined]
        ready, page = service.client.get("/ready"), service.client.get("/v1/members/nobody/page")
        assert (ready.status_code, page.status_code) == (503, 401)
        assert {ready.headers["connection"], page.headers["connection"]} == {"close"}


@pytest.mark.slow
def test_a_service_that_cannot_open_what_it_serves_ends(tmp_path: Path) -> None:
    with started(tmp_path / "nothing", tmp_path / "safety.db", free_port()) as process:
        _, told = process.communicate(timeout=120)
        assert process.returncode == EXIT_TRY_AGAIN
        assert b"a worker cannot start" in told
