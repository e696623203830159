"""The serving benchmark at a small size: nothing fails, nobody is shown wrongly; workers in `make soak`."""

import json
import math
from pathlib import Path

import pytest

from tests.benchmarks import serving, soak

SUMMARY = "open_s p50_ms p99_ms live_p50_ms live_p99_ms"
BACKEND = "rps swap_failed unsafe shared_mb private_mb"


@pytest.mark.slow
@pytest.mark.parametrize("workers", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_a_small_run(tmp_path: Path, workers: bool) -> None:
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
def test_a_short_soak(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert soak.main(["--people", "1000", "--minutes", "0.05", "--json", str(out)]) == 0
    summary = json.loads(out.read_text())["summary"]
    assert summary["failed"] == summary["unsafe"] == summary["shown_while_away"] == 0
    assert summary["deaths"] >= 1
