"""The command of the guard at a small size."""

import json
from pathlib import Path

import pytest

from tests.benchmarks import guard


def test_guard(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert guard.main(["--people", "40", "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    assert set(found) == {"name", "version", "machine", "args", "rows", "summary"}
    assert {row["half"] for row in found["rows"]} == {"dev", "frozen", "unseen", "held"}
    assert found["summary"]["drafts"] == 80
    for half in ("dev", "frozen", "unseen", "unseen_ja", "unseen_en"):
        for name in ("recall", "false_alarm", "benign_flagged"):
            lo, value, hi = (found["summary"][f"{half}_{name}{end}"] for end in ("_lo", "", "_hi"))
            assert lo <= value <= hi


def test_the_interval_is_exact() -> None:
    assert guard.exact(0, 10)[1:] == pytest.approx((0.0, 0.3085), abs=1e-4)
    assert guard.exact(8, 10) == pytest.approx((0.8, 0.4439, 0.9748), abs=1e-4)
    assert guard.exact(0, 0)[1:] == (0.0, 1.0)
