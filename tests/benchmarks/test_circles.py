"""The command of the circles at a small size."""

import json
from pathlib import Path

import pytest

from recsys.models.content import ContentConfig
from tests.benchmarks import circles


def test_circles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = ContentConfig(ridge=(3.0,), folds=1, calibrate=False)
    monkeypatch.setattr(circles, "ContentConfig", lambda: quick)
    monkeypatch.setattr(circles, "RESAMPLES", 20)
    monkeypatch.setattr(circles, "LEAST", 3)
    assert circles.main(["--people", "1000", "--json", str(tmp_path / "out.json")]) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert {row["order"] for row in found["rows"]} == {"two matrices", "largest", "random"}
    for key in ("recall5", "largest_recall5", "random_recall5"):
        lo, value, hi = (found["summary"][f"{key}{end}"] for end in ("_lo", "", "_hi"))
        assert 0 <= lo <= value <= hi <= 1
