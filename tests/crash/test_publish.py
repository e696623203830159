"""Killed at any write, flush or rename, a night leaves what was served, and the next one works."""

import errno
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import PublicationError
from recsys.pipeline.erasure import erase
from recsys.pipeline.rollback import rollback
from recsys.safety.erasure_list import ErasureList
from recsys.storage.publication import read_publication
from tests.crash.corruption import try_all
from tests.crash.disk import Harm, felt
from tests.crash.processes import in_process
from tests.crash.publishing import publishing as publishing_story
from tests.crash.publishing import serving, state_of, story
from tests.crash.walk import Story, steps_of, walk
from tests.pipeline.small_night import Night

EVERY = 47
"""Every forty-seventh step is walked here; `python -m tests.benchmarks.night` walks them all."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture
def publishing(night: Night, tmp_path: Path) -> Story:
    return publishing_story(night, tmp_path)


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
    walked = walk(publishing, "full", range(1, steps_of(publishing) + 1, EVERY))
    assert walked.lost == []
    assert walked.points >= 3


def test_going_back_may_end_at_any_step(night: Night, tmp_path: Path) -> None:
    back = story(night, tmp_path, rollback)
    walked = walk(back, "killed", range(1, steps_of(back) + 1, 2))
    # going back once more after a rollback that was done goes nowhere, so a rerun is not asked for
    assert [lost for lost in walked.lost if not lost.startswith("rerun")] == []
    assert walked.before > 0
    assert walked.after > 0


def test_a_lost_publication_would_be_seen(publishing: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that moves the pointer before the files are there is caught by the walk."""
    from recsys.pipeline import publish as module

    moved = module.move_atomically

    def too_early(source: Path, target: Path) -> None:
        module.set_current_run(target.parents[1], target.name)
        moved(source, target)

    monkeypatch.setattr(module, "move_atomically", too_early)
    walked = walk(publishing, "killed", range(steps_of(publishing) - 20, steps_of(publishing) - 6))
    assert any("killed at" in lost for lost in walked.lost)


def test_killed_between_the_files_and_the_pointer(night: Night, tmp_path: Path) -> None:
    settled = night.publish(tmp_path).run_id

    def work() -> None:
        import recsys.pipeline.publish as module

        module.set_current_run = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        night.publish(tmp_path)

    assert in_process(work).killed
    assert read_publication(tmp_path).run_id == settled
    assert len(list((tmp_path / "runs").iterdir())) == 2
    assert night.publish(tmp_path).exit_code == 0


def test_every_step_at_which_a_harm_is_felt_is_walked_once() -> None:
    kinds = ["mkdir", "write", "rename", "unlink", "write", "fsync"]
    assert felt(kinds, "killed") == [1, 2, 3, 4, 5, 6]
    assert felt(kinds, "torn") == [2, 5]
    assert felt(kinds, "full") == [1, 2, 5, 6]


def test_an_erasure_may_end_at_any_step(night: Night, tmp_path: Path) -> None:
    """Whenever it ends: the list knows the person or it does not, and asking again finishes."""
    gone = str(night.lists["candidate_id"].iloc[0])
    base = story(night, tmp_path, lambda here: erase([gone], here))

    def state() -> list[object]:
        here = tmp_path / "here"
        runs = sorted(path.name for path in (here / "runs").iterdir() if not path.name.startswith("."))
        known = bool(ErasureList.of(here).now().among([gone])[0])
        return [known, *state_of(here), *runs] if known else [known, *state_of(here)]

    erasing = Story(base.fresh, base.work, state)
    points = {1, 2, 3, *range(4, steps_of(erasing) + 1, 4)}
    walked = walk(erasing, "killed", sorted(points))
    # between the list and the last removed publication the state is neither old nor new: only reruns count
    assert [lost for lost in walked.lost if lost.startswith("rerun")] == []
    assert walked.before > 0
    assert walked.after > 0


def test_no_damaged_publication_is_taken_for_good(night: Night, tmp_path: Path) -> None:
    night.publish(tmp_path, serving=serving)
    found = try_all(tmp_path, lambda: read_publication(tmp_path), np.random.default_rng(7), flips=6)
    assert found.loaded == []
    assert found.tried > 50


def test_a_check_left_out_would_be_seen(night: Night, tmp_path: Path) -> None:
    night.publish(tmp_path, serving=serving)
    careless = try_all(
        tmp_path, lambda: read_publication(tmp_path, verify=False), np.random.default_rng(7), flips=1
    )
    assert any("recommendations.parquet" in loaded for loaded in careless.loaded)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_is_read_only(
    night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    good = night.publish(tmp_path).run_id

    def refused(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.mkdir", refused)
    with pytest.raises(PublicationError, match="check the folder and its permissions") as caught:
        night.publish(tmp_path)
    assert caught.value.exit_code == 40
    monkeypatch.undo()
    assert read_publication(tmp_path).run_id == good
