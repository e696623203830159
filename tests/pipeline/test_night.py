"""The whole night through DVC, in another folder of the project: first, again, and broken."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipelines.night import main
from recsys.batch.list_stages import publish
from recsys.batch.night import outcome_of, over_budget, run_night
from recsys.batch.stage import run_with
from recsys.catalogue import Language
from recsys.pipeline.doctor import run_checks
from recsys.pipeline.gates.proposal import GateResult, Level
from recsys.pipeline.paths import PATHS, PUBLISHED
from recsys.pipeline.publish import PublishResult
from recsys.settings import Settings
from recsys.storage.publication import current_run
from tests.pipeline.imports import ROOT
from tests.tracking.databases import put_database

PARTS = ("recsys", "pipelines", "dvc.yaml", "params.yaml", ".dvc/config", ".dvc/.gitignore", ".dvcignore")
CHANGES = ("people=60", "model.name=popularity", "evaluate.beside=[]", "publish.gates.list_floor=1")
SMALL = tuple(part for change in CHANGES for part in ("--set", change))


@pytest.fixture(scope="module")
def project(tracking_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    for part in PARTS:
        target = root / part
        target.parent.mkdir(exist_ok=True)
        target.symlink_to(ROOT / part)  # the code where it is: its kernels are compiled already
    put_database(root / "data/tracking", tracking_database)
    return root


def night(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RECSYS")}
    return subprocess.run(
        [sys.executable, "-m", "pipelines.night", *arguments],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def stages_run(project: Path) -> list[str]:
    """The stages that were run and ended well."""
    lines = [json.loads(line) for line in (project / PATHS.log).read_text().splitlines()]
    return [line["stage"] for line in lines if line["exit_code"] in {0, 10}]


@pytest.mark.slow
def test_a_night_and_the_one_after(project: Path) -> None:
    first = night(project, *SMALL, "--set", "tracking.store=params.yaml")
    assert first.returncode == 10, first.stdout + first.stderr
    run = current_run(project / PUBLISHED)
    assert run is not None
    said = first.stderr.splitlines()[-1]
    assert f"{run} is served from" in said
    assert "could not be tracked" in said
    assert stages_run(project)[-1] == "report"
    (project / PATHS.log).unlink()

    second = night(project, *SMALL)
    assert second.returncode in {0, 10}, second.stderr
    assert f"{run} is served from" in second.stderr.splitlines()[-1]
    assert stages_run(project) == ["settings", "ingest", "track"]
    tracked = json.loads((project / PATHS.tracked).read_text())
    assert (tracked["version"], tracked["is_new"]) == (1, True)
    assert current_run(project / PUBLISHED) == run


@pytest.mark.parametrize("missing", [".dvc", "dvc.yaml"])
def test_a_folder_without_dvc_is_a_broken_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    """Seen to fail while DVC itself said so: 30, and whoever ran it tried again."""
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(tmp_path)
    assert main([]) == 40
    assert "no parameter file" in capsys.readouterr().err
    (tmp_path / "params.yaml").write_text("people: 60\n")
    path = tmp_path / missing
    path.rmdir() if path.is_dir() else path.unlink()
    assert main([]) == 40
    assert f"got 'no {missing}'" in capsys.readouterr().err


def log_line(stage: str, seconds: float, at: str) -> str:
    return json.dumps({"stage": stage, "seconds": seconds, "at": at}) + "\n"


def test_a_night_over_its_budget_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    begun = datetime(2026, 1, 5, 3, tzinfo=UTC)
    assert over_budget(begun) == ""
    PATHS.root.mkdir(parents=True)
    PATHS.settings.write_text("budget: {night_minutes: 5, stage_minutes: {train: 1}}\n")
    last_night = log_line("train", 600.0, "2026-01-04T03:00:00+00:00")
    PATHS.log.write_text(last_night + '{"stage": "old", "seconds": 900}\n')
    assert over_budget(begun) == ""
    with PATHS.log.open("a") as log:
        log.write(log_line("train", 90.0, "2026-01-05T03:10:00+00:00"))
        log.write(log_line("recommend", 120.0, "2026-01-05T03:12:00+00:00"))
    assert over_budget(begun) == "train 1.5 min"
    with PATHS.log.open("a") as log:
        log.write(log_line("publish", 120.0, "2026-01-05T03:14:00+00:00"))
    assert over_budget(begun) == "train 1.5 min, the night 5.5 min"


def test_the_line_is_in_the_language_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert outcome_of(2, "ja")[0] == 30
    assert outcome_of(2, "ja")[1].startswith("夜間処理：段階の途中で外から止められました（2）")
    PATHS.root.mkdir(parents=True)
    PATHS.failure.write_text('{"stage": "ingest", "exit_code": 40, "message": "no such folder"}')
    assert outcome_of(1, "ja") == (40, "夜間処理：ingest が失敗しました（40）：no such folder")


@pytest.mark.parametrize(
    ("lang", "refused", "warned"),
    [
        ("en", "refused by Pages as members get them (pages);", "warnings from Time of the night (clock);"),
        ("ja", "通らなかった検査：実際の画面での表示 (pages)", "公開しました（夜間処理の日時 (clock)）。"),
    ],
)
def test_the_line_names_the_gates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: Language, refused: str, warned: str
) -> None:
    """Seen to fail while a refusal repeated the first line of an error, which is English and names none."""
    monkeypatch.chdir(tmp_path)
    clock, pages = GateResult("clock", Level.WARN, "late"), GateResult("pages", Level.BLOCK, "empty")
    monkeypatch.setattr("recsys.batch.list_stages.Night", SimpleNamespace(current=lambda *_: None))
    monkeypatch.setattr("recsys.batch.list_stages.PublicationInputs", SimpleNamespace(of=lambda _: None))
    for gates, code, said in (((clock, pages), 20, refused), ((clock,), 10, warned)):
        outcome = PublishResult("r", Path("r"), gates)
        monkeypatch.setattr("recsys.batch.list_stages.publish_night", lambda *_, o=outcome, **__: o)
        PATHS.failure.unlink(missing_ok=True)
        PATHS.outcome.parent.mkdir(parents=True, exist_ok=True)
        returned = run_with("publish", lambda: publish(Settings(), PATHS))
        assert outcome_of(returned, lang)[0] == code
        assert said in outcome_of(returned, lang)[1]


@pytest.mark.parametrize(("lang", "said"), [("en", "There is a support"), ("ja", "困ったときの相談窓口")])
def test_an_undeclared_service_is_told_before_anything_else(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lang: Language,
    said: str,
) -> None:
    """Seen to fail while the gate alone asked, after every stage had run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("source: parquet:members\npublish: {platform: {}}\n")
    assert run_night(tmp_path, command=("false",), lang=lang) == 20
    assert said in capsys.readouterr().err
    found = {check.name: check.good for check in run_checks()}
    assert (found["settings"], found["platform"]) == (True, False)
