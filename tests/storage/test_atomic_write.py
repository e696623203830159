"""A file is replaced in full or not at all."""

from pathlib import Path

import pytest

from recsys.storage.atomic_write import atomic_file, move_atomically, sha256_of, write_atomically


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
