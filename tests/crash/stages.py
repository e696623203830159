"""Stages of a night, cut short at any step: what is left is whole or refused, and a rerun ends the same."""

import shutil
from collections.abc import Callable, Iterable
from contextlib import chdir
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from recsys.errors import RecsysError
from recsys.pipeline.from_settings import load_model
from recsys.pipeline.night import Night
from recsys.pipeline.paths import PATHS, NightPaths
from recsys.pipeline.stage_outputs import (
    is_accepted,
    read_accepted_events,
    read_accepted_people,
    read_features,
    read_prices,
)
from recsys.settings import read_settings
from recsys.storage.atomic_write import sha256_of
from tests.crash.disk import Disk, Harm, failing
from tests.crash.processes import in_process
from tests.crash.walk import Walked
from tests.pipeline.nights import Folder

SMALL: Final = (
    *("people=60", "model.name=popularity", "evaluate.beside=[]", "tracking.enabled=false"),
    *("execution.executor=in_process", "execution.people_a_part=10"),
)
REGIONS: Final = (
    *("people=150", "regions.people=50", "regions.rounds=1", "allocate.steps=1"),
    "recommend.pool=20",
)
"""On top of `SMALL`: a night whose lists are allocated by region, in few steps."""
WRITES: Final = {
    "ingest": (PATHS.tables, PATHS.erased),
    "validate": (PATHS.accepted, PATHS.quarantine, PATHS.validation),
    "features": (PATHS.features,),
    "train": (PATHS.model,),
    "evaluate": (PATHS.evaluation, PATHS.evaluated_pairs, PATHS.dvc_metrics, PATHS.dvc_plots),
    "recommend": (PATHS.pool,),
    "allocate": (PATHS.lists, PATHS.allocation),
}
"""What each stage leaves, by stage; publishing has its own story in `tests.crash.publishing`."""


@dataclass(frozen=True)
class Stages:
    """A night that went well, from which one stage after another is done again and cut short."""

    whole: Folder
    here: Folder

    @classmethod
    def of(cls, folder: Path, *changes: str) -> "Stages":
        """Run the night that goes well; changes: of its settings, after those of `SMALL`."""
        whole = Folder(folder / "whole")
        codes = whole.run(*SMALL, *changes)
        if set(codes.values()) != {0}:
            raise AssertionError(codes)
        return cls(whole, Folder(folder / "here"))

    def fresh(self, stage: str) -> None:
        """Put everything as it is when the stage begins: DVC has removed what it wrote."""
        removed = {self.whole.root / path for path in (*WRITES[stage], PATHS.parts)}
        shutil.rmtree(self.here.root, ignore_errors=True)
        shutil.copytree(
            self.whole.root,
            self.here.root,
            ignore=lambda folder, names: {name for name in names if Path(folder) / name in removed},
        )

    def run(self, stage: str) -> int:
        """Run the stage and return its exit code."""
        with chdir(self.here.root):
            code: int = import_module(f"pipelines.{stage}").main()
            return code

    def steps(self, stage: str) -> int:
        """Return how many steps on the disk the stage takes."""
        return len(self.kinds(stage))

    def kinds(self, stage: str) -> list[str]:
        """Return of which kind each of these steps is."""
        self.fresh(stage)

        def counted() -> list[str]:
            with failing(Disk()) as disk:
                self.run(stage)
            return disk.kinds

        ended = in_process(counted)
        if ended.error or ended.killed:
            raise AssertionError(ended.error or f"{stage} was killed")
        return [str(kind) for kind in ended.value]

    def walk(self, stage: str, harm: Harm, points: Iterable[int]) -> Walked:
        """Cut the stage short at each point, look at what is there, and run it again."""
        walked = Walked()
        for point in points:
            self.fresh(stage)
            ended = in_process(lambda at=point: self._harmed(stage, harm, at))  # type: ignore[misc]
            if not ended.killed and not ended.error and ended.value == 0:
                continue
            walked.points += 1
            if not ended.killed and ended.value != 30:
                walked.lost.append(f"{stage}, {harm} at {point}: ended with {ended.error or ended.value}")
            next_one = in_process(lambda: [self.wrong(stage), self.run(stage)])
            wrong, code = next_one.value or ([], None)
            walked.lost += [f"{stage}, {harm} at {point}: {text}" for text in wrong]
            if code != 0 or (left := self._differing(stage)):
                said = next_one.error or (f"ended with {code}" if code != 0 else left)
                walked.lost.append(f"{stage}, after {harm} at {point}: {said}")
        return walked

    def _harmed(self, stage: str, harm: Harm, point: int) -> int:
        with failing(Disk(harm, point)):
            return self.run(stage)

    def wrong(self, stage: str) -> list[str]:
        """Return what stands there and is neither whole nor refused by who reads it."""
        found = []
        for path in WRITES[stage]:
            here = self.here.root / path
            if not here.exists() or path == PATHS.tables or not self._differs(path):
                continue  # copied tables have no reader before the stage is done
            if path == PATHS.dvc_plots:  # read by nobody but DVC, once the stage is done: each file is whole
                whole, there = _hashes(self.whole.root / path), _hashes(here)
                known = sorted(there.keys() & whole.keys())
                found += [f"{name} is not whole" for name in known if whole[name] != there[name]]
                continue
            if here.is_file() or _is_taken(self.here.root, path):
                found.append(f"{path.name} is neither whole nor refused")
        return found

    def _differing(self, stage: str) -> list[str]:
        return [path.name for path in WRITES[stage] if self._differs(path)]

    def _differs(self, path: Path) -> bool:
        return _hashes(self.whole.root / path) != _hashes(self.here.root / path)


def _is_taken(root: Path, path: Path) -> bool:
    """Say whether the reader of a folder takes it for whole."""
    work = NightPaths(root / PATHS.root)
    settings = read_settings(work.settings)
    readers: dict[Path, Callable[[], Any]] = {
        PATHS.features: lambda: read_features(work.features),
        PATHS.model: lambda: load_model(settings.model, work.model),
        PATHS.allocation: lambda: read_prices(work.allocation, Night.current(settings, work).people.ids),
    }
    if path == PATHS.accepted:
        return is_accepted(work.accepted, Night.current(settings, work).fingerprint) and bool(
            read_accepted_people(work.accepted) and read_accepted_events(work.accepted)
        )
    try:
        readers[path]()
    except RecsysError:
        return False
    return True


def _hashes(path: Path) -> dict[str, str]:
    files = [path] if path.is_file() else sorted(path.rglob("*")) if path.is_dir() else []
    return {str(one.relative_to(path)): sha256_of(one) for one in files if one.is_file()}
