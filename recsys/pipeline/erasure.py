"""Somebody asked to be erased: out of what is served at once, out of everything kept by the next night."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from recsys.errors import PublicationError, explained
from recsys.pipeline.paths import WorkFolder
from recsys.pipeline.retention import remove_run, run_folders
from recsys.safety.erase_tables import names_any_erased
from recsys.safety.erasure_list import Erased, ErasureList, hashed
from recsys.storage.atomic_write import write_durably
from recsys.storage.manifest import read_manifest
from recsys.storage.publication import current_run

_KEPT: Final = ("settings.yaml", "log.jsonl")
"""Files of the work folder that name nobody."""


@dataclass(frozen=True)
class Forgotten:
    """What forgetting came to.

    new: people who were not in the list yet; removed: publications that named somebody erased and are
    gone; served: whether what is served now still names somebody, filtered until the next night.
    """

    new: int
    removed: tuple[str, ...]
    served: bool


def forget(ids: Iterable[str], published: str | Path, *, at: datetime | None = None) -> Forgotten:
    """Put people on the list of erasures and remove every publication that names them, but the one served.

    From then on no ranker shows them, no earlier publication that names them can be rolled back to or
    opened, and the next night leaves them out of everything.

    Raises PublicationError when the list cannot be read.
    """
    published = Path(published)
    erasures = ErasureList.of(published)
    new = erasures.add(ids, at)
    removed = remove_erased(published, erasures.now())
    return Forgotten(new, tuple(removed), served=served_names(published, erasures.now()))


def need_folder(published: Path) -> None:
    """Raise PublicationError when there is no such folder: a misspelt one would erase nobody."""
    if not published.is_dir():
        remedy = "name the folder of publications with --published"
        raise PublicationError(explained("no such folder", got=str(published), remedy=remedy))


def unnamed(ids: Iterable[str], folders: Iterable[Path]) -> list[str]:
    """Return the ids that no file of these folders holds, so that a misspelt one is noticed."""
    places = [folder for folder in folders if folder.is_dir()]
    alone = {user_id: Erased(moments={hashed(user_id, b""): ""}) for user_id in ids}
    return [
        user_id
        for user_id, one in alone.items()
        if not any(names_any_erased(folder, one) for folder in places)
    ]


def remove_erased(published: Path, erased: Erased) -> list[str]:
    """Remove every publication and refused run that names somebody erased, except the one served now."""
    current = _current(published)
    removed = []
    for folder in run_folders(published):
        if folder.name != current and still_names(folder, erased):
            remove_run(folder)
            removed.append(folder.name)
    return removed


def served_names(published: Path, erased: Erased) -> bool:
    """Say whether what is served now names somebody erased."""
    current = _current(published)
    folders = [folder for folder in run_folders(published) if folder.name == current]
    return any(still_names(folder, erased) for folder in folders)


def still_names(folder: Path, erased: Erased) -> bool:
    """Say whether a run names somebody erased; one made since the latest erasure is not searched."""
    if not len(erased):
        return False
    try:
        made_up_to = read_manifest(folder).erasure_watermark
    except PublicationError:
        made_up_to = None
    return made_up_to != erased.watermark and names_any_erased(folder, erased)


def clear_work(work: WorkFolder, erased: Erased) -> bool:
    """Remove what an earlier night left, when it names somebody erased since; say whether it did.

    Every stage then makes its files anew, from tables without them.
    """
    if erased.watermark == _applied(work) or not names_any_erased(work.root, erased):
        return False
    for path in work.root.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in _KEPT:
            path.unlink()
    return True


def note_applied(work: WorkFolder, erased: Erased) -> None:
    """Note up to which erasure the tables of the night know of."""
    write_durably(work.erased, (erased.watermark or "none").encode() + b"\n")


def _applied(work: WorkFolder) -> str | None:
    try:
        said = work.erased.read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return None if said == "none" else said


def _current(published: Path) -> str | None:
    try:
        return current_run(published)
    except PublicationError:
        return None
