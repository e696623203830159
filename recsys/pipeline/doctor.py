"""The doctor: preflight checks of the next night, and how the last ones went."""

import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from os.path import lexists
from pathlib import Path
from typing import Any, Final

from recsys.catalogue.catalogue import LocalizedText
from recsys.errors import RecsysError
from recsys.memory import machine_memory
from recsys.messaging.hotlines import load_hotlines
from recsys.pipeline.erasure import current_run_names_erased, neighbourhood_files
from recsys.pipeline.fingerprint import package_versions
from recsys.pipeline.gates.proposal import Level
from recsys.pipeline.history import read_gates
from recsys.pipeline.lock import is_locked
from recsys.pipeline.paths import HOME_STORE, PATHS, PUBLISHED
from recsys.pipeline.retention import run_ids
from recsys.pipeline.rollback import unreadable_later_runs
from recsys.pipeline.stage_log import read_lines
from recsys.plugins import GROUPS, known_names, plugins
from recsys.ranking.ranker import LONGEST_STALENESS
from recsys.safety.erasure_list import ErasureList
from recsys.safety.keys import read_keys
from recsys.safety.ledger import SafetyLedger
from recsys.safety.person_files import file_names_erased
from recsys.safety.sqlite_store import SqliteSafety
from recsys.safety.store_binding import StoreBinding
from recsys.settings import MODEL_NAMES, OWN_STORES, PARAMS_FILE, read_settings
from recsys.storage.manifest import read_manifest
from recsys.storage.publication import LISTS, RUNS, current_run, read_publication

_LEAST_FREE_BYTES: Final = 1 << 30
_NIGHTS_SHOWN: Final = 5
_STAGES_SHOWN: Final = 3
_MUCH_MEMORY: Final = 0.75
"""Share of the memory that one stage takes, above which the next night may not fit."""
_DONE: Final = (0, 10)
_OWN: Final = {"models": MODEL_NAMES, "stores": OWN_STORES}


@dataclass(frozen=True)
class Check:
    """One check: whether it passed, whether it is a hint for something better, and what was found."""

    name: str
    good: bool
    text: LocalizedText
    hint: bool = False


def _text(key: str, **values: object) -> LocalizedText:
    return LocalizedText(f"doctor.{key}", values)


def run_checks(params: Path | None = None) -> list[Check]:
    """Look at everything a night needs; nothing is changed."""
    return [
        Check(
            "python",
            good=True,
            text=_text("python", version=platform.python_version(), system=platform.system()),
        ),
        _packages(),
        _checked("plugins", _plugins),
        _checked("settings", lambda: _settings(params)),
        _platform(params or Path(PARAMS_FILE)),
        _threads(),
        _disk(),
        *(Check("size", good=True, text=_size(path)) for path in (PATHS.root, PUBLISHED)),
        _served(),
        _checked_newest(),
        _erased(params or Path(PARAMS_FILE)),
        _keys(),
        _checked("store", _store),
        _checked("time", _time),
        _memory(),
        _hotlines(),
        _checked("late", _late_events),
        _under_way(),
        _failure(),
        *_last_nights(),
    ]


def _checked(name: str, find: Callable[[], LocalizedText]) -> Check:
    try:
        return Check(name, good=True, text=find())
    except RecsysError as error:
        return Check(name, good=False, text=_raised(error))


def _raised(error: RecsysError) -> LocalizedText:
    """Return an error as one line; its words are those of the error, in English."""
    return _text("error", error=" ".join(str(error).split()))


def _packages() -> Check:
    found = ", ".join(f"{name} {number}" for name, number in package_versions().items())
    try:
        return Check("packages", good=True, text=_text("packages", own=version("recsys"), others=found))
    except PackageNotFoundError:
        return Check("packages", good=False, text=_text("not_installed"))


def _plugins() -> LocalizedText:
    """Return what other packages bring, after loading every piece once."""
    named = [str(plugin) for group in GROUPS for plugin in plugins(group).values()]
    for group in GROUPS:
        known_names(group, _OWN.get(group, ()))
        for plugin in plugins(group).values():
            plugin.load()
    return _text("plugins", names=", ".join(named)) if named else _text("no_plugins")


def _settings(params: Path | None) -> LocalizedText:
    path = params or Path(PARAMS_FILE)
    if params is None and not path.exists():
        return _text("no_settings", path=path)
    settings = read_settings(path)
    return _text("settings", path=path, source=settings.source, seed=settings.seed, model=settings.model.name)


def _platform(path: Path) -> Check:
    """Say whether a night of these settings would begin; their own check says what is broken in them.

    A whole declaration for another source is a hint: `recsys publish` takes a source of its own.
    """
    try:
        settings = read_settings(path) if path.exists() else None
    except RecsysError:
        settings = None
    if settings is None:
        return Check("platform", good=True, text=_text("no_settings", path=path), hint=True)
    declared = settings.publish.platform
    missing = declared.missing(settings.source)
    elsewhere = bool(missing) and not declared.missing(declared.declared_for)
    text = _text("undeclared", conditions=", ".join(missing)) if missing else _text("declared")
    return Check("platform", good=elsewhere or not missing, text=text, hint=elsewhere)


def _threads() -> Check:
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
    set_ = ", ".join(f"{name}={os.environ[name]}" for name in names if name in os.environ)
    text = _text("threads", names=set_) if set_ else _text("no_threads", names=", ".join(names))
    return Check("threads", good=True, text=text, hint=not set_)


def _disk() -> Check:
    usage = shutil.disk_usage(Path.cwd())
    free = _text("disk", free=f"{usage.free / 2**30:,.1f}", total=f"{usage.total / 2**30:,.1f}")
    return Check("disk", good=usage.free >= _LEAST_FREE_BYTES, text=free)


def _size(folder: Path) -> LocalizedText:
    if not folder.exists():
        return _text("no_folder", folder=folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 2**20
    return _text("size", folder=folder, size=f"{size:,.1f}", files=f"{len(files):,}")


def _served() -> Check:
    """Say what is served; data older than a `Ranker` takes by itself are a hint."""
    try:
        if current_run(PUBLISHED) is None:
            return Check("served", good=True, text=_text("nothing_served"))
        publication = read_publication(PUBLISHED)
    except RecsysError as error:
        return Check("served", good=False, text=_raised(error))
    manifest = publication.manifest
    old = datetime.now(UTC) - datetime.fromisoformat(str(manifest.data_as_of)) > LONGEST_STALENESS
    text = _text(
        "served_old" if old else "served",
        run=publication.run_id,
        rows=f"{manifest.files[LISTS].rows:,}",
        as_of=manifest.data_as_of,
        **({"days": LONGEST_STALENESS.days} if old else {}),
    )
    return Check("served", good=True, text=text, hint=old)


def _checked_newest() -> Check:
    """Say whether what was published last is served, or can be read: whom it leaves out is known by it."""
    try:
        lost, served = unreadable_later_runs(PUBLISHED), current_run(PUBLISHED)
    except RecsysError as error:
        return Check("newest", good=False, text=_raised(error))
    if lost:
        return Check("newest", good=False, text=_text("newest_lost", run=lost[-1]))
    if served is None and run_ids(PUBLISHED):
        return Check("newest", good=False, text=_text("no_pointer", run=run_ids(PUBLISHED)[-1]))
    return Check("newest", good=True, text=_text("newest"))


def _erased(params: Path) -> Check:
    """Say whether what is served, or the neighbourhoods of an experiment, name somebody erased."""
    try:
        erased = ErasureList.of(PUBLISHED).now()
        named = current_run_names_erased(PUBLISHED, erased)
        files = neighbourhood_files(_neighbourhoods(params), PATHS.root.parent) if len(erased) else []
        file = next((one for one in files if file_names_erased(one, erased)), None)
    except RecsysError as error:
        return Check("erased", good=False, text=_raised(error))
    key = "still_named" if named else "file_names" if file else "erased"
    return Check("erased", good=key == "erased", text=_text(key, people=f"{len(erased):,}", file=file))


def _neighbourhoods(params: Path) -> str | None:
    """Return the file of neighbourhoods that the settings name; another check says what is broken."""
    with suppress(RecsysError):
        experiment = read_settings(params).experiment if params.exists() else None
        return experiment.neighbourhoods if experiment else None
    return None


def _keys() -> Check:
    """Say whether the safety ledger is signed; it is read to its end, so damage in it is found."""
    try:
        keys, ledger = read_keys(), SafetyLedger.of(PUBLISHED)
        ledger.now()
    except RecsysError as error:
        return Check("keys", good=False, text=_raised(error))
    text = _text("keys", keys=len(keys)) if len(keys) else _text("no_keys")
    return Check("keys", good=True, text=text, hint=not len(keys))


def _store() -> LocalizedText:
    """Say whether a worker would serve beside the safety store of the home; where not, raise."""
    if not lexists(HOME_STORE):
        return _text("no_store", store=HOME_STORE)
    StoreBinding(SqliteSafety(HOME_STORE), SafetyLedger.of(PUBLISHED)).compare()
    return _text("store", store=HOME_STORE)


def _time() -> LocalizedText:
    """Return how long the stages took the last time each ran, the slowest first."""
    if not PATHS.log.exists():
        return _text("no_stage")
    taken = _last_taken()
    slowest = sorted(taken.values(), key=lambda line: -line["seconds"])[:_STAGES_SHOWN]
    total = sum(line["seconds"] for line in taken.values())
    stages = ", ".join(f"{line['stage']} {line['seconds']:,.0f} s {line['peak_mb']:,} MB" for line in slowest)
    minutes = _budget_minutes()
    if minutes is None:
        return _text("time", seconds=f"{total:,.0f}", stages=stages)
    allowed = {"minutes": f"{minutes:,.0f}", "share": f"{total / 60 / minutes:.0%}"}
    return _text("time_of_budget", seconds=f"{total:,.0f}", stages=stages, **allowed)


def _last_taken() -> dict[str, dict[str, Any]]:
    """Return the line of each stage from the last time it ended well."""
    return {line["stage"]: line for line in read_lines(PATHS.log) if line.get("exit_code") in _DONE}


def _memory() -> Check:
    """Say what the largest stage took of the memory there is; a town or a service grows."""
    taken, there = _last_taken().values(), machine_memory()
    if not taken or there is None:
        return Check("memory", good=True, text=_text("memory_unknown"))
    most = max(taken, key=lambda line: line["peak_mb"])
    share = most["peak_mb"] * 2**20 / there
    known = {"stage": most["stage"], "gib": f"{most['peak_mb'] / 2**10:,.1f}"}
    text = _text("memory", **known, there=f"{there / 2**30:,.1f}", share=f"{share:.0%}")
    return Check("memory", good=True, text=text, hint=share > _MUCH_MEMORY)


def _hotlines() -> Check:
    """Hint at telephone lines for members in distress that nobody has looked up for half a year."""
    old = [line for lines in load_hotlines().values() for line in lines.outdated(datetime.now(UTC).date())]
    if not old:
        return Check("hotlines", good=True, text=_text("hotlines_checked"))
    names = ", ".join(f"{line.number} ({line.source})" for line in old)
    return Check("hotlines", good=True, text=_text("hotlines_old", lines=names), hint=True)


def _budget_minutes() -> float | None:
    """Return how long a night may take, None when its settings cannot be read."""
    try:
        return read_settings(PATHS.settings).budget.night_minutes
    except (RecsysError, OSError):
        return None


def _late_events() -> LocalizedText:
    """Return how much came late for the last night, so that an operator sees a source that lags."""
    counts = [
        line["late"] for line in read_lines(PATHS.log) if line["stage"] == "validate" and "late" in line
    ]
    if not counts or not isinstance(counts[-1], int):
        return _text("late_unknown")
    return _text("late", events=f"{counts[-1]:,}")


def _under_way() -> Check:
    return Check("night", good=True, text=_text("under_way" if is_locked(PATHS.root) else "at_rest"))


def _failure() -> Check:
    if (stages := PATHS.stages_running()) and not is_locked(PATHS.root):
        return Check("failure", good=False, text=_text("cut_short", stage=", ".join(stages)))
    if not PATHS.failure.exists():
        return Check("failure", good=True, text=_text("no_failure"))
    found = json.loads(PATHS.failure.read_bytes())
    first = str(found["message"]).splitlines()[0]
    text = _text("failure", stage=found["stage"], code=found["exit_code"], error=first)
    return Check("failure", good=False, text=text)


def _last_nights() -> Iterator[Check]:
    for run_id in reversed(run_ids(PUBLISHED)[-_NIGHTS_SHOWN:]):
        yield _checked("night", lambda folder=PUBLISHED / RUNS / run_id: _night(folder))  # type: ignore[misc]


def _night(folder: Path) -> LocalizedText:
    manifest = read_manifest(folder)
    gates = read_gates(folder)
    warned = [result.gate for result in gates if result.level is Level.WARN]
    text = _text("warned", gates=", ".join(warned)) if warned else _text("passed")
    return _text("night", run=manifest.run_id, rows=f"{manifest.files[LISTS].rows:,}", gates=text)
