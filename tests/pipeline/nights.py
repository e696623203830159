"""Nights for tests: every stage by its own main(), in a folder of its own."""

from contextlib import chdir
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

from recsys.batch.stage_order import CHANGES
from recsys.pipeline.night import Night
from recsys.pipeline.paths import PATHS, PUBLISHED, NightPaths
from recsys.settings import read_settings

ROOT = Path(__file__).parents[2]
STAGES = (
    "settings",
    "simulate",
    "ingest",
    "validate",
    "features",
    "train",
    "evaluate",
    "recommend",
    "allocate",
    "publish",
    "report",
)


@dataclass(frozen=True)
class Folder:
    """A folder in which nights are run."""

    root: Path

    @property
    def lists(self) -> Path:
        return self.root / PATHS.lists

    @property
    def published(self) -> Path:
        return self.root / PUBLISHED

    def night(self) -> Night:
        """Return the night under way here, with its files by their full paths."""
        work = NightPaths(self.root / PATHS.root)
        return Night.current(read_settings(work.settings), work)

    def run(self, *changes: str, stages: tuple[str, ...] = STAGES) -> dict[str, int]:
        """Run stages one after the other until one fails; return their exit codes.

        A source that the changes name is declared as well, unless they say what is.
        """
        sources = [change.removeprefix("source=") for change in changes if change.startswith("source=")]
        if sources and not any("declared_for" in change for change in changes):
            changes = (*changes, f"publish.platform.declared_for={sources[-1]}")
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
        codes: dict[str, int] = {}
        with pytest.MonkeyPatch.context() as patch, chdir(self.root):
            patch.setenv(CHANGES, "\n".join(changes))
            for stage in stages:
                codes[stage] = import_module(f"pipelines.{stage}").main()
                if codes[stage] != 0:
                    break
        return codes
