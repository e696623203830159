"""A file is replaced in full or not at all."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from recsys.storage.atomic_write import (
    atomic_file,
    move_atomically,
    replaced_folder,
    sha256_of,
    write_atomically,
)


def test_content_is_replaced_and_nothing_stays_aside(tmp_path: Path) -> None:
    path = tmp_path / "CURRENT"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["CURRENT"]


def test_an_error_while_writing_leaves_the_old(tmp_path: Path) -> None:
    path = tmp_path / "CURRENT"
    write_atomically(path, b"old")

    def write_half() -> None:
        with atomic_file(path) as file:
            file.write(b"ne")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_half()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["CURRENT"]


def test_the_old_stays_until_the_new_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "CURRENT"
    write_atomically(path, b"old")
    with atomic_file(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"


def test_a_folder_moves_in_one_step(tmp_path: Path) -> None:
    (tmp_path / "a" / "run").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    write_atomically(tmp_path / "a" / "run" / "x", b"1")
    move_atomically(tmp_path / "a" / "run", tmp_path / "b" / "run")
    assert (tmp_path / "b" / "run" / "x").read_bytes() == b"1"
    assert not (tmp_path / "a" / "run").exists()


def test_hash_of_a_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "x", b"abc")
    assert sha256_of(tmp_path / "x").startswith("ba7816bf8f01cfea")


@pytest.mark.parametrize("fails", ["nothing", "the block", "first rename", "second rename"])
def test_a_folder_is_replaced_whole_or_stays_as_it_was(
    tmp_path: Path, fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, new, old = (tmp_path / name for name in ("run", "run.new", "run.old"))
    for left in (folder, new, old):  # two of a crash before
        (left / "inner").mkdir(parents=True)
        (left / "inner" / "file").write_text(left.name)
    times, rename = [0], Path.rename

    def failing(path: Path, target: Path) -> Path:
        times[0] += 1
        if fails == {1: "first rename", 2: "second rename"}.get(times[0]):
            raise OSError("no room")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with nullcontext() if fails == "nothing" else pytest.raises(OSError, match="no room"):
        _replace(folder, new, old, fails)
    after = fails == "nothing"
    assert (folder / "inner" / "file").read_text() == ("changed" if after else "run")
    assert not new.exists()
    assert old.exists() == after
    if after:
        assert (old / "inner" / "file").read_text() == "run"


def _replace(folder: Path, new: Path, old: Path, fails: str) -> None:
    with replaced_folder(folder, new=new, old=old) as copy:
        (copy / "inner" / "file").write_text("changed")
        if fails == "the block":
            raise OSError("no room")
