"""A stage begun or prepared beside another leaves what it would have left by itself, or nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recsys.batch.stage_ahead import ASIDE
from recsys.pipeline.paths import PATHS
from recsys.pipeline.stage_log import read_lines
from tests.pipeline.imports import ROOT

SERVER = """
import sys
sys.path[:0] = [{root!r}, "."]
sys.modules["recsys.batch.preload"] = sys  # these steps use nothing of it
from dataclasses import replace
import recsys.batch.stage_order as order
import recsys.batch.concurrency as concurrency
names = ("train", "evaluate", "publish", "report", "track")
here = {{name: f"steps:{{name}}" for name in names}}
ready = {{name: f"steps:prepare_{{name}}" for name in ("report", "track")}}
order.STAGES = tuple(
    replace(one, step=here.get(one.name, one.step), prepare=ready.get(one.name, "")) for one in order.STAGES
)
concurrency.stages_at_once = lambda settings: 2
from recsys.batch.stage_server import run_with_server
sys.exit(run_with_server(sys.argv[1:]))
"""
STEPS = """
import os
import sys
import time
from pathlib import Path
from recsys.pipeline.paths import PATHS
EVALUATED = Path("evaluated")
def train(settings, paths):
    limit = time.monotonic() + 60
    while not EVALUATED.exists():
        assert time.monotonic() < limit, "nothing runs beside"
        time.sleep(0.05)
    paths.model.mkdir()
    return {"model": "trained"}
def evaluate(settings, paths):
    with EVALUATED.open("a") as file:
        file.write("once ")
    if Path("fails").exists() and paths != PATHS:
        raise OSError("no room")
    if Path("slow").exists():
        time.sleep(600)
    text = (paths.accepted / "rows").read_text()
    for file in (paths.evaluation, paths.evaluated_pairs, paths.dvc_metrics):
        file.write_text(text)
    paths.dvc_plots.mkdir(exist_ok=True)
    (paths.dvc_plots / "models.csv").write_text(text)
    return {"people": int(text)}
def prepared(name):
    print("loading", file=sys.stderr)
    Path(f"prepared_{name}").write_text(f"{os.getpid()}")
def prepare_report(settings):
    prepared("report")
def prepare_track(settings):
    prepared("track")
    raise OSError("no store")
def publish(settings, paths):
    limit = time.monotonic() + 60
    while not (Path("prepared_report").exists() and Path("prepared_track").exists()):
        assert time.monotonic() < limit, "nothing is prepared"
        time.sleep(0.05)
    return {}
def report(settings, paths):
    Path("ran_report").write_text(f"{os.getpid()}")
    print("written", file=sys.stderr)
    return {"people": settings.people}
def track(settings, paths):
    Path("ran_track").write_text(f"{os.getpid()}")
    return {}
"""
ASKS = (
    "{python} -c 'import sys; from recsys.batch.stage_client import ask_server; "
    'sys.exit(ask_server("{name}"))\''
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "steps.py").write_text(STEPS)
    for folder in (PATHS.accepted, PATHS.tables):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / PATHS.accepted / "rows").write_text("12")
    (tmp_path / PATHS.settings).write_text("people: 60\n")
    (tmp_path / PATHS.dvc_plots).mkdir()
    (tmp_path / PATHS.dvc_plots / "of_before.csv").touch()
    return tmp_path


def served(home: Path, *commands: str) -> list[str]:
    """Return the exit codes of stages, and of other commands, that one after another ran under a server."""
    asked = [ASKS.format(python=sys.executable, name=one) if one.isidentifier() else one for one in commands]
    script = "; ".join(f"{one}; echo $?" for one in asked)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RECSYS")}
    found = subprocess.run(
        [sys.executable, "-c", SERVER.format(root=str(ROOT)), "sh", "-c", script],
        cwd=home,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert not (home / ASIDE.root).exists()
    assert "loading" not in found.stderr
    (home / "stderr").write_text(found.stderr)
    return found.stdout.split()


def runs(home: Path) -> int:
    return len((home / "evaluated").read_text().split())


def test_what_was_evaluated_beside_training_is_taken_over(home: Path) -> None:
    assert served(home, "train", "evaluate") == ["0", "0"]
    assert runs(home) == 1
    assert (home / PATHS.evaluation).read_text() == "12"
    assert [path.name for path in (home / PATHS.dvc_plots).iterdir()] == ["models.csv"]
    line = read_lines(home / PATHS.log)[-1]
    assert (line["stage"], line["exit_code"], line["people"]) == ("evaluate", 0, 12)
    assert line["cpu_seconds"] >= 0 < line["peak_mb"]


def test_other_tables_are_evaluated_anew(home: Path) -> None:
    wait = "while ! [ -e data/work/ahead/done.json ]; do sleep .05; done"
    changed = f"{wait}; echo 13 > data/work/accepted/new; mv data/work/accepted/new data/work/accepted/rows"
    assert served(home, "train", changed, "evaluate") == ["0", "0", "0"]
    assert runs(home) == 2
    assert json.loads((home / PATHS.evaluation).read_text()) == 13


def test_nothing_is_left_of_what_nobody_asked_for(home: Path) -> None:
    (home / "slow").touch()
    assert served(home, "train") == ["0"]
    assert not (home / PATHS.evaluation).exists()
    assert (home / PATHS.dvc_plots / "of_before.csv").exists()
    assert [line["stage"] for line in read_lines(home / PATHS.log)] == ["train"]


def test_one_that_failed_beside_is_run_when_it_is_asked_for(home: Path) -> None:
    (home / "fails").touch()
    assert served(home, "train", "evaluate") == ["0", "0"]
    assert runs(home) == 2
    assert (home / PATHS.evaluation).read_text() == "12"


def test_what_the_next_stages_need_is_loaded_while_one_runs(home: Path) -> None:
    assert served(home, "publish", "report", "track") == ["0", "0", "0"]
    for name in ("report", "track"):  # one that could not load it runs all the same
        assert (home / f"prepared_{name}").read_text() == (home / f"ran_{name}").read_text()
    assert [line["stage"] for line in read_lines(home / PATHS.log)] == ["publish", "report", "track"]
    assert "written" in (home / "stderr").read_text()  # where its client writes, as without a server


def test_what_was_prepared_and_not_asked_for_ends(home: Path) -> None:
    assert served(home, "publish", "kill -9 $(cat prepared_track)", "track") == ["0", "0", "0"]
    assert (home / "ran_track").read_text() != (home / "prepared_track").read_text()
    assert not (home / "ran_report").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int((home / "prepared_report").read_text()), 0)
