"""What every tracker can do, and the one that keeps nothing."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pandas as pd


class TrackedRun(Protocol):
    """One run under way; everything said to it is kept under its id."""

    @property
    def run_id(self) -> str:
        """The id of the run in its tracker, empty when nothing is kept."""
        ...

    def params(self, values: Mapping[str, object]) -> None:
        """Keep settings, by name."""
        ...

    def metrics(self, values: Mapping[str, float]) -> None:
        """Keep numbers, by name; those that are not finite are left out."""
        ...

    def table(self, name: str, rows: pd.DataFrame) -> None:
        """Keep a table as `tables/NAME.csv`."""
        ...

    def file(self, path: Path, folder: str = "") -> None:
        """Keep a copy of a file, a page or a plot, in a folder of the run."""
        ...


class Tracker(Protocol):
    """Keeps runs. A run ends with its `with` block: finished, or failed when an error leaves it."""

    def run(self, name: str, tags: Mapping[str, str]) -> AbstractContextManager[TrackedRun]:
        """Start a run."""
        ...


class NullRun:
    """A run of which nothing is kept."""

    run_id = ""

    def params(self, values: Mapping[str, object]) -> None:
        """Keep nothing."""

    def metrics(self, values: Mapping[str, float]) -> None:
        """Keep nothing."""

    def table(self, name: str, rows: pd.DataFrame) -> None:
        """Keep nothing."""

    def file(self, path: Path, folder: str = "") -> None:
        """Keep nothing."""


class NullTracker:
    """Keeps nothing, and loads nothing to do so.

    >>> with NullTracker().run("a night", {}) as run:
    ...     run.metrics({"ndcg": 0.5})
    """

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str]) -> Iterator[TrackedRun]:
        """Start a run of which nothing is kept."""
        del name, tags
        yield NullRun()
