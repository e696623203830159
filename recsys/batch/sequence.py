"""The stages of a night one after the other, those for which something changed.

    python -P -m recsys.batch.sequence

runs them in the home that is the working directory. A stage is left out when the bytes it reads, its
settings and the code are those of its last finished run, and what that wrote is still there unchanged.
Each stage is a process of its own, so that its memory is free when it ends; all come from one process that
has loaded the package, which saves loading it a dozen times.
"""

import json
import multiprocessing
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from recsys.batch.declaration import STAGES, Stage
from recsys.batch.stage import run
from recsys.pipeline.fingerprint import code_fingerprint, files_fingerprint, text_fingerprint
from recsys.pipeline.paths import PATHS, PUBLISHED
from recsys.settings import Settings, read_settings
from recsys.storage.atomic_write import write_atomically
from recsys.storage.publication import CURRENT

RECORDS: Final = PATHS.root / "stages.json"
"""The finished runs of the stages of a home: by name, the fingerprint of their inputs and their outputs."""
_MISSING: Final = "missing"


@dataclass
class StageRecords:
    """What finished, as far as its bytes are still those; a record that cannot be read is none.

    code: the fingerprint of the code that runs.
    """

    code: str
    known: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, code: str) -> "StageRecords":
        """Read the records of the home."""
        try:
            content = json.loads(RECORDS.read_bytes())
            known = {str(name): [str(part) for part in parts] for name, parts in content.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            known = {}
        return cls(code, known)

    def is_done(self, stage: Stage, settings: Settings) -> bool:
        """Say whether running a stage again would write what is there."""
        return not stage.always and self.known.get(stage.name) == self._of(stage, settings)

    def note(self, stage: Stage, settings: Settings) -> None:
        """Note that a stage has finished; before that, `forget` it."""
        self.known[stage.name] = self._of(stage, settings)
        self._write()

    def forget(self, stage: Stage) -> None:
        """Note that what a stage wrote may be half written."""
        if self.known.pop(stage.name, None) is not None:
            self._write()

    def _of(self, stage: Stage, settings: Settings) -> list[str]:
        chosen = settings.model_dump(mode="json", include=set(stage.settings))
        inputs = [self.code, json.dumps(chosen, sort_keys=True), *map(_bytes_of, stage.reads)]
        return [text_fingerprint("\n".join(inputs)), text_fingerprint(" ".join(map(_bytes_of, stage.writes)))]

    def _write(self) -> None:
        write_atomically(RECORDS, json.dumps(self.known, indent=1).encode() + b"\n")


def _bytes_of(path: Path) -> str:
    """Return the fingerprint of a file or folder; of publications, which one is served."""
    found = path / CURRENT if path == PUBLISHED else path
    return files_fingerprint(found) if found.exists() else _MISSING


def run_stages() -> int:
    """Run what has something new to do; return the exit code of the first stage that fails, else 0."""
    records = StageRecords.read(code_fingerprint())
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(sorted({stage.step.partition(":")[0] for stage in STAGES}))
    for stage in STAGES:
        if PATHS.settings.exists() and records.is_done(stage, read_settings(PATHS.settings)):
            continue
        records.forget(stage)
        process = context.Process(target=_run_stage, args=(stage.name,))
        process.start()
        process.join()
        code = process.exitcode or 0
        if code != 0:
            return code
        records.note(stage, read_settings(PATHS.settings))
    return 0


def _run_stage(name: str) -> None:
    sys.exit(run(name))


if __name__ == "__main__":
    sys.exit(run_stages())
