"""What every test and every example in a docstring has around it."""

import gc
import os
import sys
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings

settings.register_profile("recsys", deadline=None)  # a busy machine is no fault of an example
settings.load_profile("recsys")

pytest_plugins = ["tests.checked_once", "tests.golden", "tests.postgres"]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without looking for garbage, never look at what was collected, and afterwards look seldom.

    What was collected stays to the end. Tests leave little garbage in cycles, and a look at everything loaded
    takes a tenth of a second: once in a million new objects instead of seventy thousand.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
        gc.set_threshold(5_000, 20, 10)


@pytest.fixture(autouse=True, scope="session")
def disks_are_not_waited_for() -> Iterator[None]:
    """Flush nothing to the disk: no test lets the power go; those of crashes count the calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda descriptor: os.fstat(descriptor) and None)
        yield


@pytest.fixture(autouse=True)
def pictures_are_closed(monkeypatch):
    """Draw without a screen, and let go of every figure."""
    monkeypatch.setenv("MPLBACKEND", "Agg")
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
