"""What all tests read, made once for all workers: a golden night and an empty tracking database."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pipeline.nights import Folder


PEOPLE = "people=150"


def folder_of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all workers of this run of the tests have in common."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def made_once(path: Path, make: Callable[[], None]) -> None:
    """Make what lies at a path, the first worker that asks for it; the others wait for it."""
    finished = path.with_suffix(".finished")
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            make()
            finished.touch()


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> "Folder":
    """Return the night that the first worker who asks for it runs; no test changes it."""
    from tests.pipeline.nights import Folder  # here: most runs of a few tests need no night

    folder = Folder(folder_of_all_workers(tmp_path_factory) / "golden")

    def run() -> None:
        codes = folder.run(PEOPLE)
        assert set(codes.values()) == {0}

    made_once(folder.root, run)
    return folder


@pytest.fixture(scope="session")
def tracking_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of an empty tracking database: a fresh one costs seconds."""
    from tests.tracking.databases import make_database

    path = folder_of_all_workers(tmp_path_factory) / "tracking.db"
    made_once(path, lambda: make_database(path))
    return path
