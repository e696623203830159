"""A night in a home of its own, wherever it is called from."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import chdir
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recsys.batch import stage_order
from recsys.batch.night import run_night, stage_environment
from recsys.batch.stage_order import PACKAGES
from recsys.cli import app
from recsys.errors import MissingExtraError, SettingsError
from recsys.pipeline.paths import PATHS, PUBLISHED
from recsys.pipeline.service_home import KEY_FILE, make_home
from recsys.storage.publication import current_run
from tests.pipeline.imports import ROOT
from tests.pipeline.nights import Folder

PARAMS = """
source: parquet:members
people: 60
model: {name: popularity}
recommend: {k: 5, pool: 20}
evaluate: {beside: [random]}
publish:
  gates: {list_floor: 1, warn_short_lists: 1.0}
  platform:
    declared_for: parquet:members
    identity_and_age_checked: true
    report_and_block: true
    partnered_members_welcome_in_writing: true
    support_contact: true
budget: {data_hours: 1000000}
"""


def night(home: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RECSYS")}
    environment |= {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    command = "from recsys.cli import app; app()"
    return subprocess.run(
        [sys.executable, "-P", "-c", command, "night", "--home", str(home), *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def stages_run(home: Path) -> list[str]:
    return [json.loads(line)["stage"] for line in (home / PATHS.log).read_text().splitlines()]


@pytest.mark.slow
def test_two_homes_of_one_installation(golden: Folder, tmp_path: Path) -> None:
    homes = [tmp_path / name for name in ("staging", "production")]
    for home in homes:
        home.mkdir()
        (home / "params.yaml").write_text(PARAMS)
        shutil.copytree(golden.root / PATHS.tables, home / "members")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    first = night(homes[0], elsewhere, "--set", "tracking.enabled=false")
    assert first.returncode in {0, 10}, first.stderr
    assert "12 stages" in first.stderr
    assert current_run(homes[0] / PUBLISHED) is not None
    assert not (homes[1] / "data").exists()
    assert list(elsewhere.iterdir()) == []
    assert "recsys_night_people_listed" in (homes[0] / PATHS.metrics).read_text()

    (homes[0] / PATHS.log).unlink()
    (homes[0] / PATHS.pool).write_bytes(b"damaged")  # what a stage wrote is not there any more
    changes = ("--set", "tracking.enabled=false", "--set", "publish.gates.block_gini=0")
    refused = night(homes[0], elsewhere, *changes)
    assert refused.returncode == 20, refused.stderr
    assert stages_run(homes[0]) == ["settings", "ingest", "recommend", "publish", "report"]
    page = (homes[0] / PATHS.report).read_text()  # that of the last publication stayed, and said "published"
    assert json.loads((homes[0] / PATHS.outcome).read_text())["run_id"] in page
    assert str(homes[0] / PATHS.report) in refused.stderr
    assert json.loads((homes[0] / PATHS.failure).read_text())["stage"] == "publish"

    (tmp_path / "staging.yaml").write_text(PARAMS.replace("k: 5", "kk: 5"))
    with chdir(tmp_path):
        other = CliRunner().invoke(app, ["night", "--home", str(homes[1]), "--params", "staging.yaml"])
    assert other.exit_code == 40
    assert "did you mean 'k'?" in other.stderr
    assert not (homes[1] / PUBLISHED).exists()


def test_a_folder_without_settings_is_no_home(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no parameter file"):
        run_night(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", PACKAGES)
def test_a_night_without_a_package_of_its_stages_is_refused_before_it_begins(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_home(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(stage_order, "find_spec", lambda name: None if name == module else find_spec(name))
    with pytest.raises(MissingExtraError, match=re.escape(f"{PACKAGES[module]} is not installed")) as refused:
        run_night(tmp_path)
    assert "pip install 'recsys[night]'" in str(refused.value)
    assert refused.value.exit_code == 40
    assert sorted(tmp_path.rglob("*")) == before


def test_the_extra_of_a_night_brings_the_packages_of_its_stages() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = [re.split(r"[>=\[]", line)[0] for line in declared["optional-dependencies"]["night"]]
    assert set(PACKAGES.values()) <= set(extra)


def test_libraries_keep_their_caches_in_the_home_where_the_code_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    assert "NUMBA_CACHE_DIR" not in stage_environment(None, ())
    monkeypatch.setattr(os, "access", lambda *_: False)
    caches = [Path(stage_environment(None, ())[name]) for name in ("NUMBA_CACHE_DIR", "MPLCONFIGDIR")]
    assert all(path.is_relative_to(tmp_path / "data") for path in caches)
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/var/cache/numba")
    assert stage_environment(None, ())["NUMBA_CACHE_DIR"] == "/var/cache/numba"


def test_keys_of_the_home_are_those_of_its_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RECSYS_KEY", raising=False)
    make_home(tmp_path / "home")
    monkeypatch.chdir(tmp_path / "home")
    key = stage_environment(None, ())["RECSYS_KEY"]
    assert len(key) == 64
    monkeypatch.setenv("RECSYS_KEY", "0" * 64)
    assert stage_environment(None, ())["RECSYS_KEY"] == "0" * 64
    Path(KEY_FILE).chmod(0o644)
    with pytest.raises(SettingsError, match="others may read"):
        stage_environment(None, ())
