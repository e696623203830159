"""Checkpoints: finished parts of a stage on disk, from which a killed night resumes.

A part that is complete and made from the inputs of this night is not done again.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recsys.pipeline.executors import PartResult
from recsys.storage.atomic_write import sha256_of, write_atomically

_INPUTS: Final = "inputs.json"


@dataclass(frozen=True)
class Checkpoint:
    """The files of the parts of one step, in one folder.

    A part is a Parquet file, and beside it a small JSON file with its hash, written after it; without
    the second, or when the two disagree, the part is not there.
    """

    folder: Path

    def path(self, number: int) -> Path:
        """Return where the rows of a part are."""
        return self.folder / f"part-{number:05d}.parquet"

    def begin(self, inputs: str) -> None:
        """Keep what was made from `inputs`, remove what was made from others."""
        if self._inputs() != inputs:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            write_atomically(self.folder / _INPUTS, json.dumps({"inputs": inputs}).encode() + b"\n")

    def finish(self, number: int, *, rows: int, counts: Mapping[str, int]) -> PartResult:
        """Note that the file of a part is complete."""
        known = {"rows": rows, "counts": dict(counts), "sha256": sha256_of(self.path(number))}
        write_atomically(self._note(number), json.dumps(known).encode() + b"\n")
        return PartResult(number, rows, dict(counts))

    def done(self, number: int) -> PartResult | None:
        """Return a finished part, None when it is not there or damaged."""
        try:
            known = json.loads(self._note(number).read_bytes())
            if sha256_of(self.path(number)) != known["sha256"]:
                return None
            return PartResult(number, int(known["rows"]), dict(known["counts"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _note(self, number: int) -> Path:
        return self.folder / f"part-{number:05d}.json"

    def _inputs(self) -> str | None:
        try:
            return str(json.loads((self.folder / _INPUTS).read_bytes())["inputs"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
