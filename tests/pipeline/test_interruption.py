"""A night that is told to stop: every process of it ends, and it says so in one line."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from recsys.batch import night
from recsys.batch.night import outcome_of
from recsys.batch.stage import run_with
from recsys.errors import InputError
from recsys.pipeline import publish_night
from recsys.pipeline.lock import writer_lock
from recsys.pipeline.paths import PATHS
from tests.pipeline.imports import ROOT

TREE = """
import os, pathlib, signal, subprocess, sys, time
if {stubborn}:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path("pids.part").write_text(f"{{os.getpid()}} {{child.pid}}")
os.rename("pids.part", "pids")
time.sleep(60)
"""
"""A process with a child, in place of DVC and a stage."""

NIGHT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # however these tests were started
from recsys.batch import night, process_group
def run_group(command, environment):
    return process_group.run_group([sys.executable, "tree.py"], environment, grace=1.0)
night.run_group = run_group
sys.exit(night.run_night("."))
"""

PARAMS = """people: 60
publish:
  platform:
    declared_for: town
    identity_and_age_checked: true
    report_and_block: true
    partnered_members_welcome_in_writing: true
    support_contact: true
"""


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that waits to be collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def night_under_way(
    folder: Path, *, stubborn: bool, start_new_session: bool = False
) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a night whose command is a process with a child; return it and the ids of these two."""
    (folder / "params.yaml").write_text(PARAMS)
    (folder / "tree.py").write_text(TREE.format(stubborn=stubborn))
    night = subprocess.Popen(
        [sys.executable, "-c", NIGHT],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "LC_ALL": "C"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=start_new_session,
    )
    limit = time.monotonic() + 30
    while not (folder / "pids").exists() and time.monotonic() < limit:
        time.sleep(0.05)
    pids = [int(pid) for pid in (folder / "pids").read_text().split()]
    assert all(map(is_alive, pids))
    return night, pids


@pytest.mark.parametrize("of_its_group", [True, False])
@pytest.mark.parametrize("stubborn", [True, False])
def test_a_night_that_is_killed_leaves_no_process(tmp_path: Path, stubborn: bool, of_its_group: bool) -> None:
    """Seen to fail: the server of its stages went on and published."""
    night, pids = night_under_way(tmp_path, stubborn=stubborn, start_new_session=True)
    if of_its_group:
        os.killpg(night.pid, signal.SIGKILL)
    else:
        night.kill()
    night.communicate(timeout=30)
    limit = time.monotonic() + 30
    while any(map(is_alive, pids)) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not any(map(is_alive, pids))


@pytest.mark.parametrize(
    ("number", "stubborn"), [(signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGINT, True)]
)
def test_a_signal_to_the_night_ends_every_process(tmp_path: Path, number: int, stubborn: bool) -> None:
    night, pids = night_under_way(tmp_path, stubborn=stubborn)
    night.send_signal(number)
    _, said = night.communicate(timeout=30)
    assert night.returncode == 30, said
    assert said.splitlines()[-1] == "night: interrupted; run it again"
    assert not any(map(is_alive, pids))


def test_a_second_night_leaves_the_first_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS)
    with writer_lock(PATHS.root):
        PATHS.failure.write_text("of the first")
        assert night.run_night(".") == 30
    assert PATHS.failure.read_text() == "of the first"
    assert "another night is under way" in capsys.readouterr().err


KILLED = """
import os, signal, sys
from recsys.batch.stage import run_with
sys.exit(run_with("train", lambda: os.kill(os.getpid(), signal.SIGKILL)))
"""


def test_a_stage_that_is_killed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert PATHS.stages_running() == ["train"]
    assert outcome_of(255, "en") == (30, "night: train was killed, perhaps for its memory; run it again")
    monkeypatch.setattr(night, "run_group", lambda *_: 3)  # DVC itself fails before any stage
    assert night.run_night(".") == 30
    assert "stopped from outside (3)" in capsys.readouterr().err
    assert PATHS.stages_running() == []


@pytest.mark.parametrize("error", [None, InputError("no such folder"), ValueError("a defect")])
def test_a_stage_that_ended_itself_is_not_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    monkeypatch.chdir(tmp_path)

    def step() -> dict[str, object]:
        assert PATHS.stages_running() == ["train"]
        if error is not None:
            raise error
        return {}

    with suppress(ValueError):
        run_with("train", step)
    assert PATHS.stages_running() == []


def test_a_refused_night_takes_whom_it_restricts_from_the_database_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail: pages in SQL showed them until somebody exported by hand."""
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS)
    told = list[str]()

    def refused(*_: object) -> int:
        PATHS.failure.parent.mkdir(parents=True, exist_ok=True)
        PATHS.failure.write_text(json.dumps({"stage": "ingest", "exit_code": 20, "message": "no"}))
        return 1

    def export(_: Path, address: str) -> SimpleNamespace:
        told.append(address)
        return SimpleNamespace(viewers=3, suggestions=9)

    monkeypatch.setattr(night, "run_group", refused)
    monkeypatch.setattr(publish_night, "export_publication", export)
    for run, expected in ((None, []), ("20260105T000000Z-00000000", ["postgresql://db"])):
        monkeypatch.setattr(night, "current_run", lambda _, found=run: found)
        assert night.run_night(".", export="postgresql://db") == 20
        assert told == expected
