"""Killed at any write, flush or rename, a night leaves what was served, and the next one works."""

import os
import signal
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from recsys.storage.published import read_publication
from tests.publication.night import Night

STEPS: Final = ("fsync", "rename", "replace", "mkdir", "unlink", "rmdir")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def killed_at(step: int, work: Callable[[], Any]) -> bool:
    """Do `work` in a child that is killed right after its `step`-th step on the disk; say if it was."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads; the child only writes files
        child = os.fork()
    if child == 0:
        count = 0

        def counted(original: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                nonlocal count
                result = original(*args, **kwargs)
                count += 1
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return result

            return call

        for name in STEPS:
            setattr(os, name, counted(getattr(os, name)))
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_every_step_on_the_disk_may_be_the_last(night: Night, tmp_path: Path) -> None:
    settled = night.publish(tmp_path).run_id
    before = after = 0
    for step in range(1, 1000):
        if not killed_at(step, lambda: night.publish(tmp_path)):
            break
        served = read_publication(tmp_path)
        assert len(served.lists) == len(night.lists)
        before += served.run_id == settled
        after += served.run_id != settled
        settled = night.publish(tmp_path).run_id
        assert read_publication(tmp_path).run_id == settled
        assert not list((tmp_path / "runs").glob(".*"))
    else:
        pytest.fail("the child was killed at every step tried")
    assert before >= 10
    assert after >= 1


def test_killed_between_the_files_and_the_pointer(night: Night, tmp_path: Path) -> None:
    settled = night.publish(tmp_path).run_id

    def work() -> None:
        import recsys.publication.publish as module

        module.point_to = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        night.publish(tmp_path)

    assert killed_at(0, work)
    assert read_publication(tmp_path).run_id == settled
    assert len(list((tmp_path / "runs").iterdir())) == 2
    assert night.publish(tmp_path).exit_code == 0
