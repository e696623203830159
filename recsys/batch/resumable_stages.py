"""The stages of a night in order, those for which something changed.

    python -P -m recsys.batch.sequence

runs them in the home that is the working directory. A stage is left out when the bytes it reads, its
settings and the code are those of its last finished run, and what that wrote is still there unchanged; the
publication is made again where a backend could not open what is served.
Each stage is a process of its own, so that its memory is free when it ends; all come from one process that
has loaded the package (`recsys.batch.preload`), which saves loading it a dozen times.
"""

import json
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final, Self

from recsys.batch import PRELOADED
from recsys.batch.concurrency import PREPARED_BEFORE, may_prepare, stages_at_once
from recsys.batch.stage import run
from recsys.batch.stage_ahead import state_of
from recsys.batch.stage_order import NAMES, STAGES, BatchStage
from recsys.errors import RecsysError
from recsys.pipeline.fingerprint import code_fingerprint, files_fingerprint, text_fingerprint
from recsys.pipeline.paths import PATHS, PUBLISHED
from recsys.settings import Settings, read_settings
from recsys.storage.atomic_write import write_atomically
from recsys.storage.publication import CURRENT, read_publication

RECORDS: Final = PATHS.root / "stages.json"
"""The finished runs of the stages of a home: by name, the fingerprint of their inputs and their outputs."""
_MISSING: Final = "missing"
_NICE: Final = 5
"""What a stage that gives way adds to its nice value: it has a third of the share of each of the others."""


@dataclass
class StageRecords:
    """What finished, as far as its bytes are still those; a record that cannot be read is none.

    code: the fingerprint of the code that runs. seen: fingerprints of what was looked at in this run, with
    the state in which it was: a large file is looked at once, though several stages read it.
    """

    code: str
    known: dict[str, list[str]] = field(default_factory=dict)
    seen: dict[Path, tuple[list[list[object]], str]] = field(default_factory=dict)

    @classmethod
    def read(cls, code: str) -> "StageRecords":
        """Read the records of the home."""
        try:
            content = json.loads(RECORDS.read_bytes())
            known = {str(name): [str(part) for part in parts] for name, parts in content.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            known = {}
        return cls(code, known)

    def is_done(self, stage: BatchStage, settings: Settings) -> bool:
        """Say whether running a stage again would write what is there."""
        if stage.always or stage.name not in self.known:
            return False
        if self.known[stage.name] != self._of(stage, settings):
            return False
        return PUBLISHED not in stage.writes or can_be_served(PUBLISHED)

    def note(self, stage: BatchStage, settings: Settings) -> None:
        """Note that a stage has finished; before that, `forget` it."""
        self.known[stage.name] = self._of(stage, settings)
        self._write()

    def forget(self, stage: BatchStage) -> None:
        """Note that what a stage wrote may be half written."""
        if self.known.pop(stage.name, None) is not None:
            self._write()

    def _of(self, stage: BatchStage, settings: Settings) -> list[str]:
        chosen = settings.model_dump(mode="json", include=set(stage.settings))
        inputs = [self.code, json.dumps(chosen, sort_keys=True), *map(self._bytes, stage.reads)]
        return [
            text_fingerprint("\n".join(inputs)),
            text_fingerprint(" ".join(map(self._bytes, stage.writes))),
        ]

    def _bytes(self, path: Path) -> str:
        state = state_of([path / CURRENT if path == PUBLISHED else path])
        known = self.seen.get(path)
        if known is None or known[0] != state:
            known = self.seen[path] = state, _bytes_of(path)
        return known[1]

    def _write(self) -> None:
        write_atomically(RECORDS, json.dumps(self.known, indent=1).encode() + b"\n")


def _bytes_of(path: Path) -> str:
    """Return the fingerprint of a file or folder; of publications, which one is served."""
    found = path / CURRENT if path == PUBLISHED else path
    return files_fingerprint(found) if found.exists() else _MISSING


def can_be_served(published: Path) -> bool:
    """Say whether a backend can open what is served: every file is whole, and ledger and erasures are there.

    >>> can_be_served(Path("nowhere"))
    False
    """
    from recsys.ranking.snapshot_files import open_snapshot  # loads what no other night needs here
    from recsys.safety.store import MemorySafety

    try:
        open_snapshot(published, read_publication(published).run_id, MemorySafety())
    except RecsysError:
        return False
    return True


def run_stages() -> int:
    """Run what has something new to do; return the exit code of the first stage that fails, else 0.

    A stage begins when everything it reads is written; so many run at once as `stages_at_once` says. Where
    one more could, the processes of stages whose turn comes soon load what they need (`BatchStage.prepare`).
    """
    records = StageRecords.read(code_fingerprint())
    waiting, running = list(STAGES), dict[Any, BatchStage]()
    with _StageProcesses() as processes:
        while waiting or running:
            for stage in [one for one in waiting if _is_ready(one, [*waiting, *running.values()])]:
                settings = _settings()
                if len(running) >= stages_at_once(settings):
                    break
                waiting.remove(stage)
                if settings is not None and records.is_done(stage, settings):
                    break  # what waited for it may be ready now
                records.forget(stage)
                running[processes.run(stage)] = stage
            if 0 < len(running) < stages_at_once(_settings()) and may_prepare(_settings()):
                processes.prepare(waiting[:PREPARED_BEFORE])
            code = _ended(running, records)
            if code != 0:
                return code
    return 0


class _StageProcesses:
    """Processes of stages: started when a stage runs, or ahead, to wait until it does."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([PRELOADED])
        self._prepared: dict[str, tuple[Any, Connection]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process, told in self._prepared.values():
            told.close()
            process.terminate()
            process.join()

    def prepare(self, stages: Iterable[BatchStage]) -> None:
        """Start the processes of stages that have something to load ahead."""
        for stage in stages:
            if stage.prepare and stage.name not in self._prepared:
                tells, told = self._context.Pipe(duplex=False)
                target = self._context.Process(
                    target=run_when_told, args=(stage, tells.recv, partial(_run_stage, stage.name))
                )
                target.start()
                tells.close()
                self._prepared[stage.name] = target, told

    def run(self, stage: BatchStage) -> Any:
        """Run a stage, in the process that was prepared for it where it is still there."""
        process, told = self._prepared.pop(stage.name, (None, None))
        if process is not None and told is not None:
            with told, suppress(OSError):  # one that was killed while it waited
                told.send(None)
                return process
        target, given = (
            (_give_way, (_run_stage, stage.name)) if stage.gives_way else (_run_stage, (stage.name,))
        )
        process = self._context.Process(target=target, args=given)
        process.start()
        return process


def run_when_told(stage: BatchStage, told: Callable[[], object], run_stage: Callable[[], None]) -> None:
    """Load what a stage needs, and run it once its turn has come.

    told: waits for the word that it has; raises EOFError when it never will.
    """
    prepare = stage.load_prepare()
    with suppress(Exception):  # the stage meets it again, and says so
        if prepare is not None:
            prepare(read_settings(PATHS.settings))
    try:
        told()
    except EOFError:
        return
    run_stage()


def _give_way(run_stage: Callable[[str], None], name: str) -> None:
    """Run a stage so that others beside it have the processors first.

    Training and the stages that make lists keep one processor busy for part of their time; the evaluation,
    which none of them waits for, then takes the other, and takes little from them where they use both.
    """
    os.nice(_NICE)
    run_stage(name)


def _is_ready(stage: BatchStage, unfinished: Sequence[BatchStage]) -> bool:
    """Say whether no stage before it has still to write what it reads; all read the settings."""
    needed = {PATHS.settings, *stage.reads}
    earlier = [one for one in unfinished if NAMES.index(one.name) < NAMES.index(stage.name)]
    written = {path for other in earlier for path in other.writes}
    return not needed & written


def _settings() -> Settings | None:
    return read_settings(PATHS.settings) if PATHS.settings.exists() else None


def _ended(running: dict[Any, BatchStage], records: StageRecords) -> int:
    """Wait until stages end and note them; after one has failed the others end too, and its code is returned.

    What runs beside a stage that fails is left to finish: the next night need not do it again.
    """
    failed = 0
    while running:
        wait([process.sentinel for process in running])
        for process in [one for one in running if one.exitcode is not None]:
            stage, code = running.pop(process), int(process.exitcode)
            failed = failed or code
            if code == 0:
                records.note(stage, read_settings(PATHS.settings))
        if not failed:
            break
    return failed


def _run_stage(name: str) -> None:
    sys.exit(run(name))
