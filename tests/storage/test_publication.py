"""What is served is exactly what was written, or it is refused."""

import json
import shutil
from pathlib import Path

import pytest

from recsys.errors import PublicationError
from recsys.storage.manifest import (
    FileEntry,
    MadeFrom,
    Manifest,
    file_entry,
    manifest_check,
    read_manifest,
    write_manifest,
)
from recsys.storage.publication import current_run, read_publication, set_current_run

RUN = "20260302T030000Z-0a1b2c3d"
MADE_FROM = MadeFrom(table_schema="s", model="m", data="d", policy="p", code="c", params="q")


@pytest.fixture
def published(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / RUN
    folder.mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"abc")
    entry = file_entry(folder / "a.bin", rows=3)
    write_manifest(
        folder,
        Manifest(
            run_id=RUN, created_at="now", data_as_of="then", made_from=MADE_FROM, files={"a.bin": entry}
        ),
    )
    set_current_run(tmp_path, RUN)
    return tmp_path


def edited(published: Path, **changes: object) -> None:
    path = published / "runs" / RUN / "manifest.json"
    content = json.loads(path.read_text()) | changes
    path.write_text(json.dumps(content | {"check": manifest_check(content)}))


def test_any_changed_letter_of_a_manifest_is_found(published: Path) -> None:
    path = published / "runs" / RUN / "manifest.json"
    content = path.read_bytes()
    for at in range(0, len(content), 7):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(PublicationError):
            read_publication(published)
    path.write_bytes(content)
    assert read_publication(published).run_id == RUN


def test_the_pointer_leads_to_the_manifest(published: Path) -> None:
    publication = read_publication(published)
    assert (publication.run_id, publication.folder) == (RUN, published / "runs" / RUN)
    assert publication.manifest.files["a.bin"] == FileEntry(
        sha256="ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", bytes=3, rows=3
    )
    assert read_manifest(publication.folder) == publication.manifest


def test_nothing_published(tmp_path: Path) -> None:
    assert current_run(tmp_path) is None
    with pytest.raises(PublicationError, match="nothing is published"):
        read_publication(tmp_path)


@pytest.mark.parametrize("content", [b"abd", b"ab", b"", None])
def test_a_changed_file_is_refused(published: Path, content: bytes | None) -> None:
    path = published / "runs" / RUN / "a.bin"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PublicationError, match="do not match the manifest"):
        read_publication(published)
    assert read_publication(published, verify=False).run_id == RUN


@pytest.mark.parametrize(
    "text", ["", "runs/", f"../{RUN}", f"runs/../{RUN}", "runs/..", "runs/.hidden", "elsewhere/x", RUN]
)
def test_a_pointer_that_leads_nowhere(published: Path, text: str) -> None:
    (published / "CURRENT").write_text(text)
    with pytest.raises(PublicationError, match="the pointer names no run"):
        read_publication(published)


def test_a_pointer_to_a_run_that_is_gone(published: Path) -> None:
    shutil.rmtree(published / "runs" / RUN)
    with pytest.raises(PublicationError, match="cannot read the manifest"):
        read_publication(published)


def test_a_pointer_that_is_no_text(published: Path) -> None:
    (published / "CURRENT").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PublicationError, match="cannot read the pointer"):
        read_publication(published)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "unknown format of manifest .*this version reads format 1"),
        ({"run_id": "../x"}, "damaged at 'run_id'"),
        ({"unknown": 1}, "damaged at 'unknown'"),
        ({"files": {"../a": {"sha256": "0" * 64, "bytes": 1}}}, "damaged at 'files"),
        ({"files": {"a": {"sha256": "0" * 64, "bytes": -1}}}, "damaged at 'files.a.bytes'"),
        ({"run_id": "20260302T030000Z-ffffffff"}, "the manifest is of another run"),
    ],
)
def test_a_manifest_that_is_not_right(published: Path, changes: dict[str, object], message: str) -> None:
    edited(published, **changes)
    with pytest.raises(PublicationError, match=message):
        read_publication(published)


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_manifest_that_is_none(published: Path, text: str) -> None:
    (published / "runs" / RUN / "manifest.json").write_text(text)
    with pytest.raises(PublicationError, match=r"damaged|unknown format"):
        read_publication(published)
