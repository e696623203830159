"""A finished part is kept for the same inputs, and for nothing else."""

from pathlib import Path

import pytest

from recsys.pipeline.checkpoints import Checkpoint


@pytest.fixture
def files(tmp_path: Path) -> Checkpoint:
    files = Checkpoint(tmp_path / "parts")
    files.begin("tonight")
    files.path(3).write_bytes(b"rows")
    files.finish(3, rows=2, counts={"dropped": 0})
    return files


def test_a_finished_part_is_kept_for_the_same_inputs(files: Checkpoint) -> None:
    files.begin("tonight")
    done = files.done(3)
    assert done is not None
    assert (done.number, done.rows, done.counts) == (3, 2, {"dropped": 0})
    assert files.done(4) is None


def test_other_inputs_keep_nothing(files: Checkpoint) -> None:
    files.begin("another night")
    assert files.done(3) is None
    assert not files.path(3).exists()


@pytest.mark.parametrize("damage", [b"", b"rowz", b"rows and more"])
def test_a_damaged_part_is_not_there(files: Checkpoint, damage: bytes) -> None:
    files.path(3).write_bytes(damage)
    assert files.done(3) is None


@pytest.mark.parametrize("note", [b"", b"{}", b"[]", b'{"sha256": 1, "rows": 2}', b"\xff"])
def test_a_damaged_note_is_no_note(files: Checkpoint, note: bytes) -> None:
    files.path(3).with_suffix(".json").write_bytes(note)
    assert files.done(3) is None


def test_a_part_without_its_note_is_not_there(files: Checkpoint) -> None:
    files.path(3).with_suffix(".json").unlink()
    assert files.done(3) is None
