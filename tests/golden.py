"""One golden night for all tests that read what a night left, and for all workers that run them."""

import fcntl
import os
from pathlib import Path

import pytest

from tests.pipeline.nights import Folder

PEOPLE = "people=150"


def folder_of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all workers of this run of the tests have in common."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Return the night that the first worker who asks for it runs; no test changes it."""
    folder = Folder(folder_of_all_workers(tmp_path_factory) / "golden")
    finished = folder.root.with_suffix(".finished")
    with folder.root.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            codes = folder.run(PEOPLE)
            assert set(codes.values()) == {0}
            finished.touch()
    return folder
