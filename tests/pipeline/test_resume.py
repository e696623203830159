"""Lists are the same bytes however the viewers are cut, and a rerun goes on from finished parts."""

import json
import shutil
from pathlib import Path

import pytest

from recsys.pipeline.candidates import recommend_night
from recsys.pipeline.executors import Executor, Processes, Threads
from recsys.pipeline.paths import PATHS, NightPaths
from tests.golden import PEOPLE
from tests.pipeline.nights import Folder

ONE = ("settings", "recommend")


@pytest.fixture
def folder(golden: Folder, tmp_path: Path) -> Folder:
    shutil.copytree(golden.root, tmp_path / "night")
    return Folder(tmp_path / "night")


def pool(folder: Folder) -> bytes:
    return (folder.root / PATHS.pool).read_bytes()


def said(folder: Folder) -> dict[str, int]:
    return json.loads((folder.root / PATHS.log).read_text().splitlines()[-1])


@pytest.mark.parametrize("size", [4, 40])
def test_the_bytes_do_not_depend_on_the_parts(golden: Folder, folder: Folder, size: int) -> None:
    changes = (PEOPLE, f"execution.people_a_part={size}", "execution.workers=1")
    assert folder.run(*changes, stages=ONE) == {"settings": 0, "recommend": 0}
    assert pool(folder) == pool(golden)
    assert said(folder)["parts"] == said(folder)["redone"] >= said(folder)["people"] / size


@pytest.mark.parametrize("executor", [Processes(2), Threads(3)])
def test_processes_and_threads_give_the_same_bytes(
    golden: Folder, folder: Folder, monkeypatch: pytest.MonkeyPatch, executor: Executor
) -> None:
    from recsys.settings import read_settings

    monkeypatch.chdir(folder.root)
    chosen = read_settings(PATHS.settings)
    chosen = chosen.model_copy(
        update={"execution": chosen.execution.model_copy(update={"people_a_part": 50})}
    )
    found = recommend_night(chosen, NightPaths(folder.root / PATHS.root), executor=executor)
    assert found.parts == found.redone > 1
    assert pool(folder) == pool(golden)


def test_only_what_is_missing_is_done_again(golden: Folder, folder: Folder) -> None:
    changes = (PEOPLE, "execution.people_a_part=20", "execution.workers=1")
    folder.run(*changes, stages=ONE)
    parts = folder.root / PATHS.parts / "recommend"
    (parts / "part-00001.json").unlink()
    (parts / "part-00002.parquet").write_bytes(b"PAR1 and no more")
    (folder.root / PATHS.pool).unlink()
    folder.run(*changes, stages=ONE)
    assert said(folder)["redone"] == 2
    assert pool(folder) == pool(golden)
    folder.run(*changes, "recommend.combiner=min", stages=ONE)
    assert said(folder)["redone"] == said(folder)["parts"]
