"""Killed at any write, flush or rename, a night leaves what was served, and the next one works."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.publication.rollback import rollback
from recsys.storage.arrays import save_arrays
from recsys.storage.durable import sha256_of
from recsys.storage.published import LISTS, read_publication
from tests.crash.disk import Harm
from tests.crash.processes import in_process
from tests.crash.walk import Story, steps_of, walk
from tests.publication.night import Night

EVERY = 7
"""Every seventh step is walked here; `python -m tests.benchmarks.night` walks them all."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def serving(folder: Path, lists: pd.DataFrame) -> None:
    save_arrays(folder, {"rows": np.arange(len(lists)), "nobody": np.zeros(0)})


def story(night: Night, folder: Path, work: Callable[[Path], object]) -> Story:
    """A folder that serves the second of two nights with fewer rows; `work` changes what it serves."""
    before, here = folder / "before", folder / "here"
    for share in (3, 4):
        night.publish(before, night.lists[night.lists["rank"] <= share], serving=serving)

    def fresh() -> None:
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(before, here)

    def state() -> list[object]:
        served = read_publication(here)
        return [len(served.lists), sha256_of(served.folder / LISTS)]

    return Story(fresh, lambda: work(here) and None, state)


@pytest.fixture
def publishing(night: Night, tmp_path: Path) -> Story:
    return story(night, tmp_path, lambda here: night.publish(here, serving=serving))


@pytest.mark.parametrize("harm", ["killed", "torn"])
def test_every_step_on_the_disk_may_be_the_last(publishing: Story, harm: Harm) -> None:
    steps = steps_of(publishing)
    last = range(steps - 6, steps + 1)  # around the pointer
    walked = walk(publishing, harm, sorted({*range(1, steps + 1, EVERY), *last}))
    assert walked.lost == []
    assert walked.before > 0
    if harm == "killed":
        assert walked.points >= steps / EVERY
        assert walked.after > 0


def test_a_disk_may_be_full_at_any_step(publishing: Story) -> None:
    walked = walk(publishing, "full", range(1, steps_of(publishing) + 1, 2 * EVERY))
    assert walked.lost == []
    assert walked.points >= 5


def test_going_back_may_end_at_any_step(night: Night, tmp_path: Path) -> None:
    back = story(night, tmp_path, rollback)
    walked = walk(back, "killed", range(1, steps_of(back) + 1))
    # going back once more after a rollback that was done goes nowhere, so a rerun is not asked for
    assert [lost for lost in walked.lost if not lost.startswith("rerun")] == []
    assert walked.before > 0
    assert walked.after > 0


def test_a_lost_publication_would_be_seen(publishing: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that moves the pointer before the files are there is caught by the walk."""
    from recsys.publication import publish as module

    moved = module.move_durably

    def too_early(source: Path, target: Path) -> None:
        module.point_to(target.parents[1], target.name)
        moved(source, target)

    monkeypatch.setattr(module, "move_durably", too_early)
    walked = walk(publishing, "killed", range(steps_of(publishing) - 14, steps_of(publishing) - 6))
    assert any("killed at" in lost for lost in walked.lost)


def test_killed_between_the_files_and_the_pointer(night: Night, tmp_path: Path) -> None:
    settled = night.publish(tmp_path).run_id

    def work() -> None:
        import recsys.publication.publish as module

        module.point_to = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        night.publish(tmp_path)

    assert in_process(work).killed
    assert read_publication(tmp_path).run_id == settled
    assert len(list((tmp_path / "runs").iterdir())) == 2
    assert night.publish(tmp_path).exit_code == 0
