"""Stages that one process runs for a command end as they would by themselves."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recsys.batch.stage_client import SERVER, ask_server
from recsys.pipeline.paths import PATHS
from tests.pipeline.imports import ROOT

SERVED = (sys.executable, "-m", "recsys.batch.stage_server")
STAGE = "import sys; from pipelines.{name} import main; sys.exit(main())"


def served(home: Path, *commands: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RECSYS")}
    environment |= {"PYTHONPATH": str(ROOT), **more}
    script = "; ".join(f"{sys.executable} -c {json.dumps(command)}; echo code $?" for command in commands)
    return subprocess.run(
        [*SERVED, "sh", "-c", script], cwd=home, env=environment, capture_output=True, text=True, check=False
    )


def test_a_served_stage_writes_and_says_what_it_does_by_itself(tmp_path: Path) -> None:
    alone, home = tmp_path / "alone", tmp_path / "served"
    for folder in (alone, home):
        folder.mkdir()
        (folder / "params.yaml").write_text("people: 40\npublish: {platform: {declared_for: town}}\n")
    plain = subprocess.run(
        [sys.executable, "-c", STAGE.format(name="settings")],
        cwd=alone,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = served(home, STAGE.format(name="settings"), STAGE.format(name="validate"))
    assert f"code {plain.returncode}" in found.stdout.splitlines()[0]
    # a server that has kernels to compile says so before
    said = [[one for one in done.stderr.splitlines() if one.startswith("error: ")] for done in (plain, found)]
    assert said[0] == said[1][:1] != []
    assert found.stdout.splitlines()[1] == "code 40"  # there are no tables yet
    assert "error: " in found.stderr
    assert json.loads((home / PATHS.failure).read_text())["stage"] == "validate"


HANGING = """
import os, sys, time
sys.path.insert(0, {root!r})
sys.modules["recsys.batch.preload"] = sys  # nothing of it is used here
import recsys.batch.stage as stage
def run(name):
    open("begun", "w").write(str(os.getpid()))
    if name == "killed":
        os.kill(os.getpid(), 9)
    time.sleep(600)
stage.run = run
from recsys.batch.stage_server import run_with_server
sys.exit(run_with_server(sys.argv[1:]))
"""


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", 128 + 9)])
def test_the_command_s_exit_code_is_kept(tmp_path: Path, script: str, code: int) -> None:
    command = [sys.executable, "-c", HANGING.format(root=str(ROOT)), "sh", "-c", script]
    ended = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert ended.returncode == code


def test_a_stage_that_a_signal_ends_ends_its_client_so(tmp_path: Path) -> None:
    asks = "from recsys.batch.stage_client import ask_server; ask_server('killed')"
    script = f"{sys.executable} -c {json.dumps(asks)}; echo code $?"
    found = subprocess.run(
        [sys.executable, "-c", HANGING.format(root=str(ROOT)), "sh", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "code 137" in found.stdout


def test_a_stage_whose_client_is_killed_ends_too(tmp_path: Path) -> None:
    asks = "from recsys.batch.stage_client import ask_server; ask_server('slow')"
    script = f"{sys.executable} -c {json.dumps(asks)} & echo $! > client; wait; sleep 600"
    process = subprocess.Popen(
        [sys.executable, "-c", HANGING.format(root=str(ROOT)), "sh", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    try:
        stage = _pid(tmp_path / "begun")
        os.kill(_pid(tmp_path / "client"), signal.SIGKILL)
        limit = time.monotonic() + 60
        while _is_alive(stage) and time.monotonic() < limit:
            time.sleep(0.05)
        assert not _is_alive(stage)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_without_a_server_a_stage_runs_by_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(SERVER, raising=False)
    assert ask_server("settings") is None
    monkeypatch.setenv(SERVER, str(tmp_path / "nobody"))
    assert ask_server("settings") is None


def _pid(file: Path) -> int:
    limit = time.monotonic() + 120
    while not (file.exists() and file.read_text().strip()) and time.monotonic() < limit:
        time.sleep(0.05)
    return int(file.read_text())


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
