"""Spark does the same parts to the same bytes; `make test-spark` brings it.

The session is `local[2,4]`: two workers, and four tries a task, so that retries are real.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pyspark", reason="the extra spark is not installed: make test-spark")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java 17 or newer", allow_module_level=True)

from recsys.errors import BusyError, InputError, TableError
from recsys.pipeline.candidates import recommend_night
from recsys.pipeline.executors import InProcess, Spark, _rebuilt_error
from recsys.pipeline.paths import PATHS, NightPaths
from recsys.pipeline.regions import allocate_regions
from recsys.settings import read_settings
from recsys.testing.executor_contract import ExecutorContract, Squares
from tests.pipeline.nights import STAGES, Folder

MASTER = "local[2,4]"


@pytest.fixture(scope="module", autouse=True)
def one_session() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # the jobs of these tests lie in it
        yield
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        active.stop()


class TestSpark(ExecutorContract):
    def executor(self) -> Spark:
        return Spark(MASTER)


def test_the_active_session_is_taken(tmp_path):
    list(Spark(MASTER).run(Squares(tmp_path), [1]))
    assert [done.number for done in Spark().run(Squares(tmp_path), [2, 3])] == [2, 3]


def test_a_part_that_kills_every_worker_ends_the_step(tmp_path):
    with pytest.raises(BusyError, match="Spark gave up"):
        list(Spark(MASTER).run(AlwaysDies(tmp_path), [0]))


class AlwaysDies(Squares):
    def _one(self, number):
        import os
        import signal

        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("kind", [InputError, TableError])
def test_an_error_comes_back_as_its_own_kind(kind):
    error = _rebuilt_error(kind.__name__, "what, where, got; remedy")
    assert type(error) is kind
    assert str(error) == "what, where, got; remedy"


def test_spark_gives_the_same_bytes(tmp_path, monkeypatch):
    """A night of a small town in this process, then its lists again by two workers of Spark."""
    folder = Folder(tmp_path)
    until = STAGES[: STAGES.index("recommend") + 1]
    codes = folder.run("people=150", "model.name=popularity", "execution.workers=1", stages=until)
    assert set(codes.values()) == {0}
    monkeypatch.chdir(folder.root)
    settings = read_settings(PATHS.settings)
    work = NightPaths(folder.root / PATHS.root)
    here = recommend_night(settings, work, executor=None)
    expected = {path.name: path.read_bytes() for path in sorted(work.root.glob("*.parquet"))}
    shutil.rmtree(work.parts)
    parted = settings.model_copy(
        update={"execution": settings.execution.model_copy(update={"people_a_part": 20})}
    )
    there = recommend_night(parted, work, executor=Spark(MASTER))
    assert there.parts == there.redone > 2
    assert (there.rows, there.people) == (here.rows, here.people)
    assert {path.name: path.read_bytes() for path in sorted(work.root.glob("*.parquet"))} == expected


def test_regions_on_spark_give_the_same_bytes(tmp_path, monkeypatch):
    """Lists by region, in this process and by the workers of Spark."""
    folder = Folder(tmp_path)
    until = tuple(s for s in STAGES[: STAGES.index("recommend") + 1] if s != "evaluate")
    changes = ("people=300", "model.name=popularity", "execution.workers=1", "regions.people=80")
    codes = folder.run(*changes, "regions.rounds=2", "allocate.steps=4", stages=until)
    assert set(codes.values()) == {0}
    monkeypatch.chdir(folder.root)
    settings, work = read_settings(PATHS.settings), NightPaths(folder.root / PATHS.root)
    here = allocate_regions(settings, work, executor=InProcess())
    expected = work.lists.read_bytes()
    assert allocate_regions(settings, work, executor=Spark(MASTER)) == here
    assert work.lists.read_bytes() == expected
    assert here.regions == 3
