"""Atomic writes: files that are there in full or not at all, also after the power goes.

A file is written aside, flushed to the disk, and put in place by one rename; then the folder that
holds it is flushed, since a rename lives in the folder.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from recsys.errors import SourceError, explained
from recsys.redaction import library_reason


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_file(path: Path) -> None:
    """Wait until the content of a file is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    sync_file(folder)


@contextmanager
def atomic_file(path: Path, *, folder_is_synced: bool = True) -> Iterator[BinaryIO]:
    """Open a file to write that takes its place at `path` only when it is complete.

    A reader sees the old content or the new, never a part; an error leaves the old. folder_is_synced: False
    for one of many files, after the last of which the caller calls `sync_folder`.
    """
    aside = path.with_name(f".{path.name}.new")
    try:
        with aside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    if folder_is_synced:
        sync_folder(path.parent)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace the content of the file at `path` at once, see `atomic_file`."""
    with atomic_file(path) as file:
        file.write(content)


def move_atomically(source: Path, target: Path) -> None:
    """Rename a finished file or folder into place and flush the folder it arrives in."""
    source.rename(target)
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)


@contextmanager
def replaced_folder(folder: Path, *, new: Path, old: Path) -> Iterator[Path]:
    """Give a copy of a folder to change, which stands in its place afterwards; an error leaves the folder.

    new: where the copy is made, removed where something went wrong. old: where the folder stands from then
    on, for the caller to remove: an error in removing it is not one in replacing. Both lie beside the folder;
    what is there is removed first. After a crash between the two renames the folder is at `old` alone.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as root:
    ...     folder, new, old = (Path(root, name) for name in ("run", ".run", ".run.old"))
    ...     folder.mkdir()
    ...     with replaced_folder(folder, new=new, old=old) as copy:
    ...         (copy / "more").touch()
    ...     [one.name for one in folder.iterdir()], list(old.iterdir()), new.exists()
    (['more'], [], False)
    """
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)
    try:
        shutil.copytree(folder, new)
        yield new
        sync_folder(new)
        folder.rename(old)
        new.rename(folder)
        sync_folder(folder.parent)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(new, ignore_errors=True)


def unreadable(path: Path, error: Exception, remedy: str) -> SourceError:
    """Return the error for a file, with the library's reason on one line, without the values it failed on."""
    what = f"cannot be read ({type(error).__name__})"
    return SourceError(explained(what, where=str(path), got=library_reason(error), remedy=remedy))
