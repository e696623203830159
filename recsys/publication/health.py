"""Whether everything is in place for the next night, and how the last ones went."""

import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from recsys.config import MODEL_NAMES, OWN_STORES, PARAMS_FILE, read_settings
from recsys.errors import PublicationError, RecsysError
from recsys.plugins import GROUPS, known_names, plugins
from recsys.publication.forgetting import served_names
from recsys.publication.gates import Level
from recsys.publication.gates_file import read_gates
from recsys.publication.identity import package_versions
from recsys.publication.retention import run_ids
from recsys.publication.run_log import read_lines
from recsys.publication.work import PUBLISHED, WORK
from recsys.storage.erasures import ErasureList
from recsys.storage.manifest import read_manifest
from recsys.storage.published import LISTS, RUNS, current_run, read_publication

_LEAST_FREE_BYTES: Final = 1 << 30
_NIGHTS_SHOWN: Final = 5
_STAGES_SHOWN: Final = 3
_DONE: Final = (0, 10)
_OWN: Final = {"models": MODEL_NAMES, "stores": OWN_STORES}


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is as it should be, and what was seen."""

    what: str
    good: bool
    said: str


def examine(params: Path | None = None) -> list[Finding]:
    """Look at everything a night needs; nothing is changed."""
    return [
        Finding("python", good=True, said=f"{platform.python_version()} on {platform.system()}"),
        _packages(),
        _told("plugins", _plugins),
        _told("settings", lambda: _settings(params)),
        Finding("threads", good=True, said=_threads()),
        _disk(),
        *(Finding("size", good=True, said=f"{path}: {_size(path)}") for path in (WORK.root, PUBLISHED)),
        _told("served", _served),
        _erased(),
        _told("time", _time),
        _told("late", _late),
        _told("failure", _failure),
        *_last_nights(),
    ]


def _told(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, good=True, said=look())
    except RecsysError as error:
        return Finding(what, good=False, said=" ".join(str(error).split()))


def _packages() -> Finding:
    found = ", ".join(f"{name} {number}" for name, number in package_versions().items())
    try:
        return Finding("packages", good=True, said=f"recsys {version('recsys')}, {found}")
    except PackageNotFoundError:
        return Finding("packages", good=False, said="recsys is not installed; run make env")


def _plugins() -> str:
    """Return what other packages bring, after loading every piece once."""
    named = [str(plugin) for group in GROUPS for plugin in plugins(group).values()]
    for group in GROUPS:
        known_names(group, _OWN.get(group, ()))
        for plugin in plugins(group).values():
            plugin.load()
    return ", ".join(named) or "no package brings any"


def _settings(params: Path | None) -> str:
    path = params or Path(PARAMS_FILE)
    if params is None and not path.exists():
        return f"no {path} here; defaults are used"
    settings = read_settings(path)
    return f"{path}: source {settings.source}, seed {settings.seed}, model {settings.model.name}"


def _threads() -> str:
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
    return ", ".join(f"{name}={os.environ.get(name, 'not set')}" for name in names)


def _disk() -> Finding:
    usage = shutil.disk_usage(Path.cwd())
    free = f"{usage.free / 2**30:,.1f} of {usage.total / 2**30:,.1f} GiB free"
    return Finding("disk", good=usage.free >= _LEAST_FREE_BYTES, said=free)


def _size(folder: Path) -> str:
    if not folder.exists():
        return "not there yet"
    files = [path for path in folder.rglob("*") if path.is_file()]
    return f"{sum(path.stat().st_size for path in files) / 2**20:,.1f} MiB in {len(files):,} files"


def _served() -> str:
    if current_run(PUBLISHED) is None:
        return "nothing is published yet"
    publication = read_publication(PUBLISHED)
    rows = publication.manifest.files[LISTS].rows
    return (
        f"{publication.run_id}, {rows:,} rows, data as of {publication.manifest.data_as_of}, files verified"
    )


def _erased() -> Finding:
    try:
        erased = ErasureList.of(PUBLISHED).now()
        named = served_names(PUBLISHED, erased)
    except RecsysError as error:
        return Finding("erased", good=False, said=" ".join(str(error).split()))
    said = f"{len(erased):,} people asked to be erased"
    if named:
        return Finding("erased", good=False, said=f"{said}; what is served still names some: run the night")
    return Finding("erased", good=True, said=f"{said}; nothing served names any")


def _time() -> str:
    """Return how long the stages took the last time each ran, the slowest first."""
    if not WORK.log.exists():
        return "no stage has run yet"
    lines = read_lines(WORK.log)
    taken = {line["stage"]: line for line in lines if line.get("exit_code") in _DONE}
    slowest = sorted(taken.values(), key=lambda line: -line["seconds"])[:_STAGES_SHOWN]
    total = sum(line["seconds"] for line in taken.values())
    said = ", ".join(f"{line['stage']} {line['seconds']:,.0f} s {line['peak_mb']:,} MB" for line in slowest)
    return f"{total:,.0f} s in all{_share_of_budget(total)}; slowest: {said}"


def _share_of_budget(seconds: float) -> str:
    """Say how much of the time a night may take that is; nothing when its settings cannot be read."""
    try:
        minutes = read_settings(WORK.settings).budget.night_minutes
    except (RecsysError, OSError):
        return ""
    return f" of {minutes:,.0f} min allowed ({seconds / 60 / minutes:.0%})"


def _late() -> str:
    """Return how much came late for the last night, so that an operator sees a source that lags."""
    said = [line["late"] for line in read_lines(WORK.log) if line["stage"] == "validate" and "late" in line]
    if not said or not isinstance(said[-1], int):
        return "nothing to compare with yet"
    return f"{said[-1]:,} events came after the night they belong to; they count from the next on"


def _failure() -> str:
    if not WORK.failure.exists():
        return "the last night did not fail"
    found = json.loads(WORK.failure.read_bytes())
    first = str(found["message"]).splitlines()[0]
    raise PublicationError(f"{found['stage']} ended with {found['exit_code']}: {first}")


def _last_nights() -> Iterator[Finding]:
    for run_id in reversed(run_ids(PUBLISHED)[-_NIGHTS_SHOWN:]):
        yield _told("night", lambda folder=PUBLISHED / RUNS / run_id: _night(folder))  # type: ignore[misc]


def _night(folder: Path) -> str:
    manifest = read_manifest(folder)
    gates = read_gates(folder)
    warned = [result.gate for result in gates if result.level is Level.WARN]
    said = f"warnings: {', '.join(warned)}" if warned else "all gates passed"
    return f"{manifest.run_id}, {manifest.files[LISTS].rows:,} rows, {said}"
