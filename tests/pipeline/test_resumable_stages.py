"""Which stages run, in which order, and what is noted of them."""

import multiprocessing
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from recsys.batch import concurrency
from recsys.batch import resumable_stages as module
from recsys.batch.concurrency import may_prepare, stages_at_once
from recsys.batch.resumable_stages import RECORDS, StageRecords, run_stages
from recsys.batch.stage_order import NAMES, STAGES, stage_of
from recsys.pipeline.paths import PATHS
from recsys.pipeline.stage_log import append_line
from recsys.settings import ExecutionSettings, Settings
from recsys.storage.publication import current_run
from tests.ranking.published_world import World

FAILS = Path("fails")
BEGUN = Path("begun")
WAITS = Path("waits")
"""There is one where allocating waits until the stage after the next has loaded what it needs."""


def one_stage(name: str) -> None:
    """Write what a stage writes, in its own process, and note when."""
    with BEGUN.open("a") as file:
        file.write(f"begin {name}\n")
    if name in ("train", "evaluate"):
        Path(f"nice_{name}").write_text(str(os.nice(0)))
    limit = time.monotonic() + 30
    while name == "evaluate" and "begin train" not in BEGUN.read_text() and time.monotonic() < limit:
        time.sleep(0.05)
    while name == "allocate" and WAITS.exists() and "prepare report" not in BEGUN.read_text():
        assert time.monotonic() < limit
        time.sleep(0.05)
    if FAILS.exists() and FAILS.read_text() == name:
        raise SystemExit(40)
    for path in stage_of(name).writes:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("people: 60\n" if name == "settings" else name)
    with BEGUN.open("a") as file:
        file.write(f"end {name}\n")


def prepare_report(settings: Settings) -> None:
    """Note that the report loads what it needs."""
    assert settings.people == 60
    with BEGUN.open("a") as file:
        file.write("prepare report\n")


def prepare_track(settings: Settings) -> None:
    """Fail as a store that cannot be opened."""
    raise OSError("no store")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "_run_stage", one_stage)
    monkeypatch.setattr(concurrency, "n_processors", lambda: 2)
    monkeypatch.setattr(module, "can_be_served", lambda _: True)
    monkeypatch.setattr(module, "_bytes_of", lambda path: path.read_text() if path.exists() else "missing")
    return tmp_path


def begun() -> list[str]:
    lines = [line.split() for line in BEGUN.read_text().splitlines()]
    BEGUN.unlink()
    return [name for what, name in lines if what == "begin"]


def test_every_stage_runs_after_what_it_reads_and_the_evaluation_beside(home: Path) -> None:
    assert run_stages() == 0
    lines = BEGUN.read_text().splitlines()
    for stage in STAGES:
        for other in STAGES:
            if set(other.writes) & set(stage.reads):
                assert lines.index(f"end {other.name}") < lines.index(f"begin {stage.name}")
    assert lines.index("begin train") < lines.index("end evaluate") < lines.index("begin publish")
    assert sorted(begun()) == sorted(NAMES)


def test_the_evaluation_gives_way_to_what_runs_beside_it(home: Path) -> None:
    assert run_stages() == 0
    train, evaluate = (int(Path(f"nice_{name}").read_text()) for name in ("train", "evaluate"))
    assert train == os.nice(0) < evaluate


def test_a_second_run_does_what_is_new(home: Path) -> None:
    assert run_stages() == 0
    begun()
    assert run_stages() == 0
    assert begun() == ["settings", "ingest"]
    PATHS.model.write_text("another")
    assert run_stages() == 0
    assert begun() == ["settings", "ingest", "train"]  # which writes what was there; the rest stands


def test_what_several_stages_read_is_looked_at_once_until_it_changes(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Path] = []

    def noted(path: Path) -> str:
        looked.append(path)
        return path.read_text() if path.exists() else "missing"

    monkeypatch.setattr(module, "_bytes_of", noted)
    assert run_stages() == 0
    assert sorted(looked) == sorted({path for stage in STAGES for path in (*stage.reads, *stage.writes)})
    records, settings, stage = StageRecords.read(""), Settings(), stage_of("features")
    records.note(stage, settings)
    assert records.is_done(stage, settings)
    for path in (PATHS.accepted, PATHS.features):
        before = path.read_text()
        path.write_text("other")
        assert not records.is_done(stage, settings)
        path.write_text(before)
        assert records.is_done(stage, settings)


def test_what_runs_beside_a_stage_that_fails_is_not_done_again(home: Path) -> None:
    FAILS.write_text("train")
    assert run_stages() == 40
    assert "recommend" not in begun()
    FAILS.unlink()
    assert run_stages() == 0
    again = begun()
    assert {"evaluate", "features", "validate"}.isdisjoint(again)
    assert {"train", "recommend", "publish"} <= set(again)


@pytest.fixture
def prepared(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = {name: f"{__name__}:prepare_{name}" for name in ("report", "track")}
    stages = [replace(stage, prepare=here.get(stage.name, "")) for stage in STAGES]
    monkeypatch.setattr(module, "STAGES", stages)
    WAITS.touch()


@pytest.mark.usefixtures("prepared")
def test_the_stages_after_the_one_that_runs_load_what_they_need() -> None:
    assert run_stages() == 0
    lines = BEGUN.read_text().splitlines()
    order = ["begin publish", "end publish", "begin report", "end report", "begin track"]
    assert [line for line in lines if line in order] == order
    assert lines.index("end recommend") < lines.index("prepare report") < lines.index("end allocate")
    assert sorted(begun()) == sorted(NAMES)  # one that could not prepare runs all the same


@pytest.mark.usefixtures("prepared")
def test_nothing_is_loaded_ahead_for_stages_that_have_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_stages() == 0
    asked: list[str] = []
    monkeypatch.setattr(
        module._StageProcesses, "prepare", lambda _, stages: asked.extend(one.name for one in stages)
    )
    assert run_stages() == 0
    assert {"publish", "report", "track"}.isdisjoint(asked)


@pytest.mark.usefixtures("prepared")
def test_what_was_prepared_ends_with_a_night_that_fails() -> None:
    FAILS.write_text("publish")
    assert run_stages() == 40
    assert {"report", "track"}.isdisjoint(begun())
    assert not [child for child in multiprocessing.active_children() if child.is_alive()]


def test_one_worker_runs_one_stage_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "n_processors", lambda: 8)
    monkeypatch.setattr(concurrency, "machine_memory", lambda: 24 << 30)
    assert stages_at_once(None) == stages_at_once(Settings()) == 2
    assert stages_at_once(Settings(execution=ExecutionSettings(workers=1))) == 1


def test_stages_run_at_once_where_both_fit_into_the_memory(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append_line(PATHS.log, {"stage": "validate", "rows": {"profiles": 1_000_000}})
    for gib, at_once, prepares in ((16, 1, False), (24, 2, False), (64, 2, True), (None, 2, True)):
        memory = None if gib is None else gib << 30
        monkeypatch.setattr(concurrency, "machine_memory", lambda size=memory: size)
        assert (stages_at_once(None), may_prepare(None)) == (at_once, prepares)


def test_records_that_cannot_be_read_are_none(home: Path) -> None:
    PATHS.root.mkdir(parents=True)
    for content in ("", "[]", '{"train": 3}', "\x00"):
        module.RECORDS.write_text(content)
        assert StageRecords.read("code").known == {}


def changed(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1] + b"?")


DAMAGES: dict[str, Callable[[Path, Path], None]] = {
    "an array": lambda _, run: changed(sorted(run.rglob("*.npy"))[0]),
    "lists": lambda _, run: changed(run / "recommendations.parquet"),
    "gates": lambda _, run: changed(run / "gates.json"),
    "a file is gone": lambda _, run: sorted(run.rglob("*.npy"))[-1].unlink(),
    "manifest": lambda _, run: (run / "manifest.json").unlink(),
    "run": lambda _, run: shutil.rmtree(run),
    "pointer": lambda published, _: (published / "CURRENT").write_text("runs/20250101T000000Z-deadbeef\n"),
    "ledger": lambda published, _: [file.unlink() for file in published.glob("safety-ledger.*")],  # type: ignore[func-returns-value]
    "ledger's line": lambda published, _: changed(published / "safety-ledger.jsonl"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_night_without_anything_new_publishes_what_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    """Seen to fail: such a night said `published, RUN is served`, and no worker could open the run."""
    stage, settings, published = stage_of("publish"), Settings(), tmp_path / "published"
    assert World.small().publish(published).published
    monkeypatch.chdir(tmp_path)
    RECORDS.parent.mkdir(parents=True)
    monkeypatch.setattr(module, "PUBLISHED", published)
    monkeypatch.setattr(module, "_bytes_of", lambda path: path.name)
    known = StageRecords("code")
    known.note(replace(stage, writes=(published,)), settings)
    publishes = replace(stage, writes=(published,))
    assert known.is_done(publishes, settings)
    DAMAGES[damage](published, published / "runs" / str(current_run(published)))
    assert not known.is_done(publishes, settings)
