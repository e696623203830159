"""One night of a home: all stages that have something new, one line of outcome, an exit code.

`run_night` is behind `recsys night`, and behind `python -m pipelines.night` in a checkout, which leaves
the order of the stages to DVC. SIGINT or SIGTERM to this process ends every stage under way with it, and
the night with 30.
"""

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import chdir, suppress
from datetime import UTC, datetime
from os.path import lexists
from pathlib import Path
from typing import Any, Final

import recsys
from recsys.batch.concurrency import stages_at_once
from recsys.batch.process_group import run_group
from recsys.batch.progress import condition_names, gate_names, kernels_are_cached, opening_lines, text
from recsys.batch.prometheus_file import write_metrics
from recsys.batch.stage_order import CHANGES, PARAMS, refuse_missing_packages
from recsys.catalogue import Language
from recsys.errors import (
    EXIT_PUBLISHED,
    EXIT_PUBLISHED_WITH_WARNINGS,
    EXIT_REFUSED,
    EXIT_TRY_AGAIN,
    BusyError,
    RecsysError,
    SettingsError,
    explained,
)
from recsys.pipeline.lock import writer_lock
from recsys.pipeline.paths import HOME_STORE, PATHS, PUBLISHED, NightPaths
from recsys.pipeline.stage_log import read_lines
from recsys.ranking.ranker import LONGEST_STALENESS
from recsys.safety.keys import read_keys_file
from recsys.settings import PARAMS_FILE, TOWN, BudgetSettings, Settings, read_settings
from recsys.storage.atomic_write import write_atomically
from recsys.storage.publication import current_run

PUBLISH: Final = "publish"
TRACK: Final = "track"
"""The one stage that may fail after the publication was made."""
SEQUENCE: Final = (sys.executable, "-P", "-m", "recsys.batch.sequence")
"""The stages of a home, one after the other."""
CACHE: Final = Path("data/cache")
"""What libraries keep for themselves, where the installation itself can be read only."""


def run_night(
    home: str | Path,
    *,
    command: Sequence[str] = SEQUENCE,
    params: str | Path | None = None,
    changes: Sequence[str] = (),
    export: str | None = None,
    lang: Language = "en",
) -> int:
    """Run one night in a folder and return its exit code; what it says goes to the error stream.

    home:    the folder with params.yaml; tables, work and publications are in `data` below it, and every
             relative path of the settings is taken from it, wherever this was called from.
    command: what runs the stages in the home.
             Keys are read from its key file, where it has one and they are not set.
    params:  a parameter file in place of that of the home, from the folder this was called from.
    changes: `key=value` texts that go before what the parameter file says.
    export:  address of a PostgreSQL database that serves the lists as well: written once they are published,
             and after a night that was refused, without whom its tables restrict.

    Exit codes: 0 published, 10 published with warnings (a gate, the time budget, old data, not tracked, not
    exported), 20 refused by a gate, 30 try again, 40 broken input or setting, 1 a defect.

    Raises SettingsError when the home holds no parameter file and none is named, MissingExtraError when
    what a night needs is not installed.
    """
    refuse_missing_packages()
    home, named = Path(home).resolve(), None if params is None else Path(params).resolve()
    file = named or home / PARAMS_FILE
    if not file.exists():
        remedy = f"write a home with recsys init {home}, or name its folder with --home"
        raise SettingsError(explained("no parameter file", got=str(file), remedy=remedy))
    shown = Path() if home == Path.cwd() else home
    with chdir(home):
        try:
            with writer_lock(PATHS.root):
                return _run(command, named, changes, export, lang, shown)
        except BusyError:
            print(text("busy", lang), file=sys.stderr)
            return EXIT_TRY_AGAIN


def _run(  # noqa: PLR0917
    command: Sequence[str],
    params: Path | None,
    changes: Sequence[str],
    export: str | None,
    spoken: Language,
    shown: Path,
) -> int:
    PATHS.failure.unlink(missing_ok=True)
    shutil.rmtree(PATHS.running, ignore_errors=True)
    environment = stage_environment(params, changes)
    begun, settings = datetime.now(UTC), _settings(params or Path(PARAMS_FILE), changes)
    if settings is not None and (missing := settings.publish.platform.missing(settings.source)):
        print(text("undeclared", spoken, conditions=condition_names(missing, spoken)), file=sys.stderr)
        _note_restrictions(environment)
        write_metrics(PATHS, EXIT_REFUSED, begun=begun, now=datetime.now(UTC))
        return EXIT_REFUSED
    package = Path(recsys.__file__).parent
    compiling = not kernels_are_cached(package, environment.get("NUMBA_CACHE_DIR"))
    at_once = command == SEQUENCE and stages_at_once(settings) > 1
    for line in opening_lines(settings, PATHS.log, spoken, compiling=compiling, at_once=at_once):
        print(line, file=sys.stderr, flush=True)
    with _Compiling(environment, needed=compiling):
        returned = run_group(command, environment)
    if returned is None:
        print(text("interrupted", spoken), file=sys.stderr)
        return EXIT_TRY_AGAIN
    code, message = outcome_of(returned, spoken, shown)
    if code == EXIT_REFUSED:
        message += _page_of_refused(environment, spoken, shown)
    if code in (EXIT_PUBLISHED, EXIT_PUBLISHED_WITH_WARNINGS):
        over_time = over_budget(begun, spoken)
        warnings = [text("over", spoken, over_time=over_time) if over_time else ""]
        warnings += [old_data(PATHS, datetime.now(UTC), spoken), _of_store(spoken), _exported(export, spoken)]
        if any(warnings):
            code, message = EXIT_PUBLISHED_WITH_WARNINGS, message + "".join(warnings)
    elif _note_restrictions(environment):
        message += _exported(export, spoken)  # whom the refused night restricts leaves these pages as well
    write_metrics(PATHS, code, begun=begun, now=datetime.now(UTC))
    print(message, file=sys.stderr)
    return code


def _page_of_refused(environment: Mapping[str, str], spoken: Language, shown: Path) -> str:
    """Write the page about a night that a gate refused, and say where it is: else that of the last one stays.

    The stage that writes it does not run, since one before it has ended the night.
    """
    failure = PATHS.failure.read_bytes()
    if json.loads(failure)["stage"] != PUBLISH:  # nothing was judged
        return ""
    returned = _quietly(environment, "recsys.batch.stage", "report").wait()
    write_atomically(PATHS.failure, failure)  # what ended the night, whatever became of its page
    return "" if returned else text("refused_page", spoken, page=shown / PATHS.report)


def _note_restrictions(environment: Mapping[str, str]) -> bool:
    """Let what the tables restrict count in what is served, as far as they can be read; say if anything is.

    A night that was not published ends with the code it has, whatever comes of it.
    """
    is_served = False
    with suppress(RecsysError):  # a damaged pointer serves nobody
        is_served = current_run(PUBLISHED) is not None
    if is_served:
        _quietly(environment, "recsys.batch.unfinished").wait()
    return is_served


def _quietly(environment: Mapping[str, str], *module: str) -> "subprocess.Popen[bytes]":
    """Start a module of the package, with its arguments, in a process of its own that says nothing."""
    return subprocess.Popen(  # noqa: S603 ours
        [sys.executable, "-P", "-m", *module],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def stage_environment(params: Path | None, changes: Sequence[str]) -> dict[str, str]:
    """Return the environment of the stages: this Python first, keys of the home, writable caches.

    A key that is set already is not taken from the home.

    The compiled kernels lie beside the code; where that can be read only, they lie in the home.
    """
    here = str(Path(sys.executable).parent)  # stages run with this Python, whatever else is installed
    path = here + os.pathsep + os.environ.get("PATH", os.defpath)
    found = (
        read_keys_file(Path())
        | os.environ
        | {CHANGES: "\n".join(changes), "PATH": path, "PYTHONUNBUFFERED": "1"}
    )
    if params is not None:
        found[PARAMS] = str(params)
    package = Path(recsys.__file__).parent
    if not os.access(package / "retrieval", os.W_OK):
        found.setdefault("NUMBA_CACHE_DIR", str((CACHE / "numba").resolve()))
        found.setdefault("MPLCONFIGDIR", str((CACHE / "matplotlib").resolve()))
    return found


class _Compiling:
    """Compiles kernels in a process of its own while the first stages read tables."""

    def __init__(self, environment: Mapping[str, str], *, needed: bool) -> None:
        self._process = _quietly(environment, "recsys.batch.compile_kernels") if needed else None

    def __enter__(self) -> None:
        """Nothing waits for it."""

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _settings(params: Path, changes: Sequence[str]) -> Settings | None:
    """Return the settings of the night, None when they cannot be read: the first stage then says why."""
    try:
        return read_settings(params, changes)
    except RecsysError:
        return None


def _of_store(spoken: Language) -> str:
    """Return why no worker would serve beside the safety store of the home, as text."""
    from recsys.safety import SqliteSafety
    from recsys.safety.ledger import SafetyLedger
    from recsys.safety.store_binding import StoreBinding

    try:
        if lexists(HOME_STORE):
            StoreBinding(SqliteSafety(HOME_STORE), SafetyLedger.of(PUBLISHED)).compare()
    except RecsysError as error:
        return text("unserved_store", spoken, store=HOME_STORE, error=str(error).splitlines()[0])
    return ""


def _exported(address: str | None, spoken: Language) -> str:
    """Load the publication into a database; return what went wrong, as text."""
    if address is None:
        return ""
    from recsys.pipeline.publish_night import export_publication  # loads models, which no other night needs

    try:
        served = export_publication(PUBLISHED, address)
    except RecsysError as error:
        return text("not_exported", spoken, error=str(error).splitlines()[0])
    counts = {"viewers": f"{served.viewers:,}", "rows": f"{served.suggestions:,}"}
    print(text("exported", spoken, **counts), file=sys.stderr)
    return ""


def outcome_of(returned: int, lang: Language = "en", home: Path = Path()) -> tuple[int, str]:
    """Return the exit code of the night in the working directory and one line about it.

    home: how paths of the night are shown to who called it.
    """
    if PATHS.failure.exists():
        failure = _read(PATHS.failure)
        first = failure["message"].splitlines()[0]
        if failure["stage"] == TRACK:
            served = {"run": current_run(PUBLISHED), "folder": home / PUBLISHED}
            return EXIT_PUBLISHED_WITH_WARNINGS, text("not_tracked", lang, **served, error=first)
        code = failure["exit_code"]
        if code == EXIT_REFUSED and failure["stage"] == PUBLISH:
            return code, text("refused", lang, gates=gate_names(_read(PATHS.outcome)["gates"], lang))
        return code, text("failed", lang, stage=failure["stage"], code=code, error=first)
    if returned != 0 and (stages := PATHS.stages_running()):
        return EXIT_TRY_AGAIN, text("killed", lang, stage=", ".join(stages))
    if returned != 0:
        return EXIT_TRY_AGAIN, text("stopped", lang, code=returned)
    return _published(lang, home)


def _published(lang: Language, home: Path) -> tuple[int, str]:
    """Return the exit code and the line of a night whose lists are served."""
    outcome = _read(PATHS.outcome)
    served = {"run": current_run(PUBLISHED), "folder": home / PUBLISHED, "page": home / PATHS.report}
    if outcome["exit_code"] == EXIT_PUBLISHED:
        return EXIT_PUBLISHED, text("published", lang, **served)
    named = gate_names(outcome.get("gates", ()), lang)  # an earlier version wrote none
    return outcome["exit_code"], text("warned", lang, gates=named, **served)


def over_budget(begun: datetime, lang: Language = "en") -> str:
    """Return what of the stages that ended since `begun` took longer than its budget, as text."""
    if not (PATHS.settings.exists() and PATHS.log.exists()):
        return ""
    budget = read_settings(PATHS.settings).budget
    lines = read_lines(PATHS.log)
    since = begun.replace(microsecond=0)
    minutes = {
        line["stage"]: line["seconds"] / 60
        for line in lines
        if "at" in line and datetime.fromisoformat(line["at"]) >= since
    }
    over_time = [
        text("stage_took", lang, stage=name, minutes=f"{taken:.1f}")
        for name, taken in minutes.items()
        if taken > _limit(budget, name)
    ]
    if sum(minutes.values()) > budget.night_minutes:
        over_time.append(text("all_took", lang, minutes=f"{sum(minutes.values()):.1f}"))
    return ", ".join(over_time)


def old_data(paths: NightPaths, now: datetime, lang: Language = "en") -> str:
    """Return how old the data of a night are when they are older than `budget.data_hours`, as text.

    So it does, whatever is set, of data that a `Ranker` with its defaults refuses to serve.
    The town, and a night that stands at a time of its settings, are of any age.
    """
    settings = read_settings(paths.settings)
    try:
        as_of = json.loads(paths.validation.read_bytes())["as_of"]
    except (OSError, ValueError, KeyError):
        return ""
    if settings.source == TOWN or settings.as_of is not None or not as_of:
        return ""
    hours = (now - datetime.fromisoformat(as_of)).total_seconds() / 3600
    longest = LONGEST_STALENESS.total_seconds() / 3600
    if hours > longest:
        return text("unserved_data", lang, hours=f"{hours:,.0f}", days=LONGEST_STALENESS.days)
    return text("old_data", lang, hours=f"{hours:,.0f}") if hours > settings.budget.data_hours else ""


def _limit(budget: BudgetSettings, stage: str) -> float:
    return budget.stage_minutes.get(stage, math.inf)


def _read(path: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content
