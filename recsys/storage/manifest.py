"""The manifest of a publication: what it holds and was made from, with a hash for every file."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints, ValidationError

from recsys.config import Section
from recsys.errors import PublicationError, UnknownFormatError, explained
from recsys.parallel import map_in_threads, n_processors
from recsys.storage.atomic_write import sha256_of, write_atomically

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
_REMEDY: Final = "publish again, or roll back: recsys rollback says when that would show somebody again"
_CHECK: Final = "check"

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[\w-][\w.-]*(/[\w-][\w.-]*)*$")]
RunId = Annotated[str, StringConstraints(pattern=r"^\d{8}T\d{6}Z-[0-9a-f]{8}$")]


class FileEntry(Section):
    """One file: its hash, its size in bytes, and its rows when it is a table."""

    sha256: Sha256
    bytes: Annotated[int, Field(ge=0)]
    rows: Annotated[int, Field(ge=0)] | None = None


class MadeFrom(Section):
    """Identities of everything that decided the content: equal ids, equal lists."""

    table_schema: str
    model: str
    data: str
    policy: str
    code: str
    params: str


class Manifest(Section):
    """The inventory of one run folder, written after everything it names.

    data_as_of: the time the data stood at; events: how many of them it knew, None when nobody counted;
    erasure_watermark: erasures up to then are applied; safety_watermark: how far the safety ledger went.
    """

    format: int = FORMAT
    run_id: RunId
    created_at: str
    data_as_of: str
    events: Annotated[int, Field(ge=0)] | None = None
    erasure_watermark: str | None = None
    safety_watermark: str | None = None
    made_from: MadeFrom
    packages: Mapping[str, str] = {}
    files: Mapping[FileName, FileEntry]


def file_entry(path: Path, rows: int | None = None) -> FileEntry:
    """Return the entry of a finished file."""
    return FileEntry(sha256=sha256_of(path), bytes=path.stat().st_size, rows=rows)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest into its run folder."""
    content = manifest.model_dump(mode="json")
    text = json.dumps(content | {_CHECK: manifest_check(content)}, ensure_ascii=False, indent=1)
    write_atomically(folder / MANIFEST, text.encode() + b"\n")


def manifest_check(content: Mapping[str, Any]) -> str:
    """Return the hash of everything a manifest says, so that a changed letter in it is found as any other."""
    rest = {key: value for key, value in content.items() if key != _CHECK}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a run folder.

    Raises PublicationError when it is missing, damaged, or of a format newer than this package.
    """
    path = folder / MANIFEST
    try:
        raw = json.loads(path.read_bytes())
    except OSError as error:
        raise PublicationError(
            explained("cannot read the manifest", where=str(path), got=error.strerror)
        ) from error
    except ValueError as error:
        raise PublicationError(explained("the manifest is damaged", where=str(path))) from error
    found = raw.get("format") if isinstance(raw, dict) else None
    if found != FORMAT:
        remedy = f"this version reads format {FORMAT}"
        kind = UnknownFormatError if isinstance(found, int) else PublicationError  # else it is damaged
        raise kind(explained("unknown format of manifest", where=str(path), got=found, remedy=remedy))
    try:
        manifest = Manifest.model_validate({key: value for key, value in raw.items() if key != _CHECK})
    except ValidationError as error:
        first = error.errors()[0]
        what = ".".join(map(str, first["loc"]))
        raise PublicationError(
            explained(f"the manifest is damaged at '{what}'", where=str(path), got=first["input"])
        ) from error
    if raw.get(_CHECK) != manifest_check(raw):
        raise PublicationError(
            explained("the manifest is damaged: it does not match its hash", where=str(path), remedy=_REMEDY)
        )
    return manifest


def verify_files(folder: Path, manifest: Manifest, *, under: str = "") -> None:
    """Check every file of a run folder against its hash, or those whose names begin with `under`.

    Large files are hashed side by side.

    Raises PublicationError naming every file that is missing or changed.
    """

    def is_whole(name: str) -> bool:
        entry, path = manifest.files[name], folder / name
        return path.is_file() and path.stat().st_size == entry.bytes and sha256_of(path) == entry.sha256

    asked = [name for name in manifest.files if name.startswith(under)]
    asked.sort(key=lambda name: -manifest.files[name].bytes)
    whole = dict(zip(asked, map_in_threads(is_whole, asked, min(4, n_processors())), strict=True))
    problems = [name for name in manifest.files if not whole.get(name, True)]
    if problems:
        raise PublicationError(
            explained(
                "files do not match the manifest", where=str(folder), got=", ".join(problems), remedy=_REMEDY
            )
        )
