"""Benchmarks of nights and of serving at a small size: nothing is lost, nobody is shown wrongly."""

import json
import math
from pathlib import Path

import pytest

from recsys.pipeline import retention
from recsys.pipeline.retention import remove_leftovers
from tests.benchmarks import night, night_soak, postgres, serving, soak

SUMMARY = "open_s p50_ms p99_ms live_p50_ms live_p99_ms"
BACKEND = "rps swap_failed unsafe shared_mb private_mb"


@pytest.mark.slow
@pytest.mark.parametrize("workers", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_serving(tmp_path: Path, workers: bool) -> None:
    out = tmp_path / "out.json"
    small = ("--people", "1000", "--calls", "10", "--viewers", "10", "--seconds", "0.5", "--swaps", "1")
    arguments = [*small, *([] if workers else ["--no-backend"]), "--json", str(out)]
    assert serving.main(arguments) == 0
    summary = json.loads(out.read_text())["summary"]
    assert all(math.isfinite(summary[key]) and summary[key] > 0 for key in SUMMARY.split())
    if workers:
        assert set(BACKEND.split()) <= set(summary)
        assert summary["swap_failed"] == summary["unsafe"] == 0
        assert summary["rps"] > 0


@pytest.mark.thorough
def test_soak(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert soak.main(["--people", "1000", "--minutes", "0.05", "--json", str(out)]) == 0
    summary = json.loads(out.read_text())["summary"]
    assert summary["failed"] == summary["unsafe"] == summary["shown_while_away"] == 0
    assert summary["deaths"] >= 1


SMALL = ("model.name=popularity", "tracking.enabled=false", "evaluate.beside=[]", "allocate.enabled=false")


def linked(root: Path) -> Path:
    """Return the project with the code where it is: its kernels are compiled already."""
    for part in night.PARTS:
        (root / part).parent.mkdir(parents=True, exist_ok=True)
        (root / part).symlink_to(night.ROOT / part)
    return root


@pytest.mark.thorough
def test_what_is_cut_short_or_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One stage and one harm of the walk; `tests/crash` walks all of them at a few steps."""
    monkeypatch.setattr(night, "HARMS", night.HARMS[:1])
    monkeypatch.setattr(night, "WRITES", {"recommend": night.WRITES["recommend"]})
    out = tmp_path / "out.json"
    assert (
        night.main(["--safety-only", "--every", "90", "--every-in-stages", "1500", "--json", str(out)]) == 0
    )
    summary = json.loads(out.read_text())["summary"]
    assert summary["crash_points"] >= 3
    assert summary["corrupt_tried"] >= 30
    assert (summary["crash_lost"], summary["corrupt_loaded"]) == (0, 0)


@pytest.mark.thorough
def test_a_whole_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(night, "_project", linked)
    out = tmp_path / "out.json"
    changes = [part for change in SMALL for part in ("--set", change)]
    assert night.main(["--people", "80", "--times-only", "--json", str(out), *changes]) == 0
    found = json.loads(out.read_text())
    assert [row["stage"] for row in found["rows"]][-1] == "track"
    summary = found["summary"]
    assert summary["seconds"] > summary["rerun_seconds"] > 0
    assert summary["peak_mb"] > 100


@pytest.mark.thorough
def test_night_soak(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert night_soak.main(["--minutes", "0.05", "--json", str(out)]) == 0
    summary = json.loads(out.read_text())["summary"]
    assert summary["rounds"] >= 1
    assert summary["lost"] == 0


def test_a_writer_that_spoils_what_is_served_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    first = remove_leftovers

    def spoiled(published: Path) -> None:
        for path in published.glob("runs/2*/serving/rows.npy"):
            path.write_bytes(b"")
        first(published)

    monkeypatch.setattr(retention, "remove_leftovers", spoiled)
    assert night_soak.main(["--minutes", "2", "--first-loss"]) == 1


def test_loads_are_counted_and_nothing_is_lost(tmp_path, postgres_server, monkeypatch):
    psycopg = pytest.importorskip("psycopg", reason="the extra pg is not installed")
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("DROP SCHEMA IF EXISTS recsys CASCADE")
    monkeypatch.setenv(postgres.VARIABLE, postgres_server)
    assert postgres.main(["--people", "300", "--cuts", "1", "--json", str(tmp_path / "out.json")]) == 0
    summary = json.loads((tmp_path / "out.json").read_text())["summary"]
    assert summary["pg_rows"] == 6000
    assert summary["pg_rows_per_s"] > 0
    assert summary["pg_lost"] == 0
