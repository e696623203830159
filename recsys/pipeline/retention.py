"""Retention: run ids, and which old runs are removed; the one that is served never is."""

import secrets
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from recsys.storage.atomic_write import sync_folder
from recsys.storage.publication import RUNS, current_run

REFUSED: Final = "refused"
"""The folder of runs that a gate refused."""
_LEFTOVER = "."


def run_ids(published: Path) -> list[str]:
    """Return the complete runs on disk, oldest first."""
    return _names(published / RUNS)


def remove_leftovers(published: Path) -> None:
    """Remove what a writer that died left half written."""
    for kind in (RUNS, REFUSED):
        for path in (published / kind).glob(f"{_LEFTOVER}*"):
            shutil.rmtree(path)


def remove_old(published: Path, keep: int) -> list[str]:
    """Keep the newest `keep` publications, and as many refused runs, and return what was removed."""
    current = current_run(published)
    removed = []
    for kind in (RUNS, REFUSED):
        names = _names(published / kind)
        for name in names[: max(0, len(names) - keep)]:
            if name == current:
                continue
            remove_run(published / kind / name)
            removed.append(name)
    return removed


def run_folders(published: Path) -> list[Path]:
    """Return the folders of all publications and refused runs."""
    return [published / kind / name for kind in (RUNS, REFUSED) for name in _names(published / kind)]


def remove_run(folder: Path) -> None:
    """Remove a run, in one step for whoever reads: no reader meets half a folder."""
    hidden = folder.with_name(f"{_LEFTOVER}{folder.name}")
    folder.rename(hidden)
    shutil.rmtree(hidden)


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith(_LEFTOVER))


_TIME: Final = "%Y%m%dT%H%M%SZ"


def new_run_id(now: datetime, token: str, *, after: str | None = None) -> str:
    """Return the id of a run that starts `now`; `token` is eight hexadecimal digits.

    It sorts after the run `after`, also when the clock went backwards.

    >>> now = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
    >>> new_run_id(now, "0a1b2c3d")
    '20260105T030000Z-0a1b2c3d'
    >>> new_run_id(now, "0a1b2c3d", after="20260106T030000Z-ffffffff")
    '20260106T030001Z-0a1b2c3d'
    """
    moment = now.astimezone(UTC).replace(microsecond=0)
    if after is not None:
        last = datetime.strptime(after.partition("-")[0], _TIME).replace(tzinfo=UTC)
        moment = max(moment, last + timedelta(seconds=1))
    return f"{moment.strftime(_TIME)}-{token}"


def start_run(published: Path, moment: datetime) -> tuple[str, datetime, Path]:
    """Clear what a dead writer left, and return the id, the time and the staging folder of a new run."""
    remove_leftovers(published)
    for kind in (RUNS, REFUSED):
        (published / kind).mkdir(exist_ok=True)
    sync_folder(published)
    known = run_ids(published)
    run_id = new_run_id(moment, secrets.token_hex(4), after=known[-1] if known else None)
    staging = published / RUNS / f".{run_id}"
    staging.mkdir()
    return run_id, moment, staging
