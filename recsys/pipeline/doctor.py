"""Whether everything is in place for the next night, and how the last ones went."""

import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from recsys.catalogue.catalogue import LocalizedText
from recsys.config import MODEL_NAMES, OWN_STORES, PARAMS_FILE, read_settings
from recsys.errors import RecsysError
from recsys.pipeline.erasure import current_run_names_erased
from recsys.pipeline.fingerprint import package_versions
from recsys.pipeline.gates.base import Level
from recsys.pipeline.history import read_gates, read_lines
from recsys.pipeline.lock import is_locked
from recsys.pipeline.paths import PATHS, PUBLISHED
from recsys.pipeline.retention import run_ids
from recsys.plugins import GROUPS, known_names, plugins
from recsys.safety.erasure_list import ErasureList
from recsys.storage.manifest import read_manifest
from recsys.storage.publication import LISTS, RUNS, current_run, read_publication

_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where Linux keeps the limit of a container (control groups of version 2 and 1)."""


def machine_memory(limits: tuple[Path, ...] = _LIMITS) -> int | None:
    """Return bytes: what the machine has, or less where a container is given less; None when unknown.

    >>> (machine_memory() or 1 << 30) > 1 << 20
    True
    """
    try:
        found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, OSError, ValueError):  # not everywhere
        found = []
    found += [limit for path in limits if (limit := _limit(path)) is not None]
    return min(found, default=None)


def _limit(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None  # "max": none is set


_LEAST_FREE_BYTES: Final = 1 << 30
_NIGHTS_SHOWN: Final = 5
_STAGES_SHOWN: Final = 3
_MUCH_MEMORY: Final = 0.75
"""Share of the memory that one stage takes, above which the next night may not fit."""
_DONE: Final = (0, 10)
_OWN: Final = {"models": MODEL_NAMES, "stores": OWN_STORES}


@dataclass(frozen=True)
class Check:
    """One thing looked at: whether it is as it should be or could be better (a hint), and what was seen."""

    what: str
    good: bool
    said: LocalizedText
    hint: bool = False


def _said(key: str, **values: object) -> LocalizedText:
    return LocalizedText(f"doctor.{key}", values)


def run_checks(params: Path | None = None) -> list[Check]:
    """Look at everything a night needs; nothing is changed."""
    return [
        Check(
            "python",
            good=True,
            said=_said("python", version=platform.python_version(), system=platform.system()),
        ),
        _packages(),
        _told("plugins", _plugins),
        _told("settings", lambda: _settings(params)),
        _threads(),
        _disk(),
        *(Check("size", good=True, said=_size(path)) for path in (PATHS.root, PUBLISHED)),
        _told("served", _served),
        _erased(),
        _told("time", _time),
        _memory(),
        _told("late", _late),
        _under_way(),
        _failure(),
        *_last_nights(),
    ]


def _told(what: str, look: Callable[[], LocalizedText]) -> Check:
    try:
        return Check(what, good=True, said=look())
    except RecsysError as error:
        return Check(what, good=False, said=_raised(error))


def _raised(error: RecsysError) -> LocalizedText:
    """Return an error as one line; its words are those of the error, in English."""
    return _said("error", error=" ".join(str(error).split()))


def _packages() -> Check:
    found = ", ".join(f"{name} {number}" for name, number in package_versions().items())
    try:
        return Check("packages", good=True, said=_said("packages", own=version("recsys"), others=found))
    except PackageNotFoundError:
        return Check("packages", good=False, said=_said("not_installed"))


def _plugins() -> LocalizedText:
    """Return what other packages bring, after loading every piece once."""
    named = [str(plugin) for group in GROUPS for plugin in plugins(group).values()]
    for group in GROUPS:
        known_names(group, _OWN.get(group, ()))
        for plugin in plugins(group).values():
            plugin.load()
    return _said("plugins", names=", ".join(named)) if named else _said("no_plugins")


def _settings(params: Path | None) -> LocalizedText:
    path = params or Path(PARAMS_FILE)
    if params is None and not path.exists():
        return _said("no_settings", path=path)
    settings = read_settings(path)
    return _said("settings", path=path, source=settings.source, seed=settings.seed, model=settings.model.name)


def _threads() -> Check:
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
    set_ = ", ".join(f"{name}={os.environ[name]}" for name in names if name in os.environ)
    said = _said("threads", names=set_) if set_ else _said("no_threads", names=", ".join(names))
    return Check("threads", good=True, said=said, hint=not set_)


def _disk() -> Check:
    usage = shutil.disk_usage(Path.cwd())
    free = _said("disk", free=f"{usage.free / 2**30:,.1f}", total=f"{usage.total / 2**30:,.1f}")
    return Check("disk", good=usage.free >= _LEAST_FREE_BYTES, said=free)


def _size(folder: Path) -> LocalizedText:
    if not folder.exists():
        return _said("no_folder", folder=folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 2**20
    return _said("size", folder=folder, size=f"{size:,.1f}", files=f"{len(files):,}")


def _served() -> LocalizedText:
    if current_run(PUBLISHED) is None:
        return _said("nothing_served")
    publication = read_publication(PUBLISHED)
    rows = publication.manifest.files[LISTS].rows
    as_of = publication.manifest.data_as_of
    return _said("served", run=publication.run_id, rows=f"{rows:,}", as_of=as_of)


def _erased() -> Check:
    try:
        erased = ErasureList.of(PUBLISHED).now()
        named = current_run_names_erased(PUBLISHED, erased)
    except RecsysError as error:
        return Check("erased", good=False, said=_raised(error))
    said = _said("still_named" if named else "erased", people=f"{len(erased):,}")
    return Check("erased", good=not named, said=said)


def _time() -> LocalizedText:
    """Return how long the stages took the last time each ran, the slowest first."""
    if not PATHS.log.exists():
        return _said("no_stage")
    taken = _last_taken()
    slowest = sorted(taken.values(), key=lambda line: -line["seconds"])[:_STAGES_SHOWN]
    total = sum(line["seconds"] for line in taken.values())
    stages = ", ".join(f"{line['stage']} {line['seconds']:,.0f} s {line['peak_mb']:,} MB" for line in slowest)
    minutes = _budget_minutes()
    if minutes is None:
        return _said("time", seconds=f"{total:,.0f}", stages=stages)
    allowed = {"minutes": f"{minutes:,.0f}", "share": f"{total / 60 / minutes:.0%}"}
    return _said("time_of_budget", seconds=f"{total:,.0f}", stages=stages, **allowed)


def _last_taken() -> dict[str, dict[str, Any]]:
    """Return the line of each stage from the last time it ended well."""
    return {line["stage"]: line for line in read_lines(PATHS.log) if line.get("exit_code") in _DONE}


def _memory() -> Check:
    """Say what the largest stage took of the memory there is; a town or a service grows."""
    taken, there = _last_taken().values(), machine_memory()
    if not taken or there is None:
        return Check("memory", good=True, said=_said("memory_unknown"))
    most = max(taken, key=lambda line: line["peak_mb"])
    share = most["peak_mb"] * 2**20 / there
    known = {"stage": most["stage"], "gib": f"{most['peak_mb'] / 2**10:,.1f}"}
    said = _said("memory", **known, there=f"{there / 2**30:,.1f}", share=f"{share:.0%}")
    return Check("memory", good=True, said=said, hint=share > _MUCH_MEMORY)


def _budget_minutes() -> float | None:
    """Return how long a night may take, None when its settings cannot be read."""
    try:
        return read_settings(PATHS.settings).budget.night_minutes
    except (RecsysError, OSError):
        return None


def _late() -> LocalizedText:
    """Return how much came late for the last night, so that an operator sees a source that lags."""
    said = [line["late"] for line in read_lines(PATHS.log) if line["stage"] == "validate" and "late" in line]
    if not said or not isinstance(said[-1], int):
        return _said("late_unknown")
    return _said("late", events=f"{said[-1]:,}")


def _under_way() -> Check:
    return Check("night", good=True, said=_said("under_way" if is_locked(PATHS.root) else "at_rest"))


def _failure() -> Check:
    if PATHS.current_stage.exists() and not is_locked(PATHS.root):
        stage = PATHS.current_stage.read_text(encoding="utf-8").strip()
        return Check("failure", good=False, said=_said("cut_short", stage=stage))
    if not PATHS.failure.exists():
        return Check("failure", good=True, said=_said("no_failure"))
    found = json.loads(PATHS.failure.read_bytes())
    first = str(found["message"]).splitlines()[0]
    said = _said("failure", stage=found["stage"], code=found["exit_code"], error=first)
    return Check("failure", good=False, said=said)


def _last_nights() -> Iterator[Check]:
    for run_id in reversed(run_ids(PUBLISHED)[-_NIGHTS_SHOWN:]):
        yield _told("night", lambda folder=PUBLISHED / RUNS / run_id: _night(folder))  # type: ignore[misc]


def _night(folder: Path) -> LocalizedText:
    manifest = read_manifest(folder)
    gates = read_gates(folder)
    warned = [result.gate for result in gates if result.level is Level.WARN]
    said = _said("warned", gates=", ".join(warned)) if warned else _said("passed")
    return _said("night", run=manifest.run_id, rows=f"{manifest.files[LISTS].rows:,}", said=said)
