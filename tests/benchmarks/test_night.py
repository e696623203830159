"""The benchmark of the night at a small size: its figures are there, and nothing is lost."""

import json
from pathlib import Path

import pytest

from tests.benchmarks import night

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
