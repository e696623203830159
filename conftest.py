"""What every test and every example in a docstring has around it."""

import sys

import pytest

pytest_plugins = ["tests.golden", "tests.postgres"]


@pytest.fixture(autouse=True)
def pictures_are_closed(monkeypatch):
    """Draw without a screen, and let go of every figure."""
    monkeypatch.setenv("MPLBACKEND", "Agg")
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
