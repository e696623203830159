"""A small folder of publications that a night, a rollback or an erasure changes, and may be cut short."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from recsys.storage.arrays import load_arrays, save_arrays
from recsys.storage.atomic_write import sha256_of
from recsys.storage.publication import LISTS, SERVING, read_publication
from tests.crash.walk import Story
from tests.pipeline.small_night import Night


def serving(folder: Path, lists: pd.DataFrame) -> None:
    """Write arrays beside the lists, as a night does for a backend."""
    save_arrays(folder, {"rows": np.arange(len(lists)), "nobody": np.zeros(0)})


def state_of(published: Path) -> list[object]:
    """Return what is served, read and verified in full: its rows, and the hash of its lists."""
    served = read_publication(published)
    arrays, _ = load_arrays(served.folder / SERVING)
    if len(arrays["rows"]) != len(served.lists):
        raise AssertionError(f"a mixed publication: {len(arrays['rows'])} and {len(served.lists)} rows")
    return [len(served.lists), sha256_of(served.folder / LISTS)]


def story(night: Night, folder: Path, work: Callable[[Path], object]) -> Story:
    """Return a folder that serves the second of two nights with fewer rows; `work` changes what it serves."""
    before, here = folder / "before", folder / "here"
    for share in (3, 4):
        night.publish(before, night.lists[night.lists["rank"] <= share], serving=serving)

    def fresh() -> None:
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(before, here)

    return Story(fresh, lambda: work(here) and None, lambda: state_of(here))


def publishing(night: Night, folder: Path) -> Story:
    """Return the story of a night that publishes."""
    return story(night, folder, lambda here: night.publish(here, serving=serving))
