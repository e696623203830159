"""Going back serves an earlier night again, and never a broken one."""

from pathlib import Path

import pytest

from recsys.errors import BusyError, PublicationError
from recsys.pipeline.lock import writer_lock
from recsys.pipeline.rollback import rollback
from recsys.storage.publication import current_run, read_publication
from tests.pipeline.small_night import Night


@pytest.fixture
def runs(night: Night, tmp_path: Path) -> list[str]:
    return [night.publish(tmp_path).run_id for _ in range(3)]


def test_the_run_before_is_served_again(runs: list[str], tmp_path: Path) -> None:
    assert rollback(tmp_path).run_id == runs[1]
    assert read_publication(tmp_path).run_id == runs[1]
    assert rollback(tmp_path).run_id == runs[0]
    with pytest.raises(PublicationError, match="nothing earlier"):
        rollback(tmp_path)
    assert current_run(tmp_path) == runs[0]


def test_a_run_is_named(runs: list[str], tmp_path: Path) -> None:
    assert rollback(tmp_path, runs[0]).run_id == runs[0]
    assert rollback(tmp_path, runs[2]).run_id == runs[2]
    with pytest.raises(PublicationError, match="no such publication"):
        rollback(tmp_path, "20260101T000000Z-00000000")
    assert current_run(tmp_path) == runs[2]


def test_a_damaged_run_is_refused(runs: list[str], tmp_path: Path) -> None:
    path = tmp_path / "runs" / runs[1] / "recommendations.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(PublicationError, match="do not match the manifest"):
        rollback(tmp_path)
    assert current_run(tmp_path) == runs[2]


def test_the_next_night_comes_after_all_others(runs: list[str], night: Night, tmp_path: Path) -> None:
    rollback(tmp_path)
    assert night.publish(tmp_path).run_id > runs[2]


def test_a_writer_at_work_is_not_disturbed(runs: list[str], tmp_path: Path) -> None:
    with writer_lock(tmp_path), pytest.raises(BusyError):
        rollback(tmp_path)


def test_nothing_published(tmp_path: Path) -> None:
    with pytest.raises(PublicationError, match="nothing is published"):
        rollback(tmp_path / "nowhere")
    with pytest.raises(PublicationError, match="nothing earlier"):
        rollback(tmp_path)
