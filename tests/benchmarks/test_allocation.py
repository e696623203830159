"""The command at a small size: it runs, and its JSON holds what it promises."""

import math
from pathlib import Path

import pytest

from tests.benchmarks import allocation
from tests.benchmarks.test_commands import figures

KEYS = (
    "su_n100_l50_inv",
    "su_n100_l100_inv",
    "su_n100_l50_exp",
    "su_n200_l50_inv",
)


def test_allocation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocation, "SETTINGS", {key: allocation.SETTINGS[key] for key in KEYS[1:3]})
    found = figures(allocation, tmp_path / "out.json", "--people", "500", "--workers", "1")
    summary = found["summary"]
    for key in KEYS[1:3]:
        assert summary[f"{key}_lo"] <= summary[key] <= summary[f"{key}_hi"]
        for way in ("naive", "product", "tu", "random"):
            assert math.isfinite(summary[f"{key}_{way}"])
        assert summary[key] > summary[f"{key}_naive"]
        assert summary[f"{key}_seconds"] > 0
    assert summary["noise1_gain_lo"] <= summary["noise1_gain"] <= summary["noise1_gain_hi"]
    assert summary["noise0_gain"] > summary["noise2_gain"]
    assert summary["budget_violations"] == 0
    assert summary["optimum_share"] > 0.99
    assert summary["linear_step_agrees"] is True
    assert summary["nash_share"] > 0.9
    assert summary["envy_ratio"] < 0.1
    assert summary["seconds_500x50"] > 0
    assert math.isfinite(summary["periods_over_dh_int"])
    assert summary["thousand_welfare_s"] > 0.0
    ways = {row["way"] for row in found["rows"] if row["part"] == KEYS[1]}
    assert ways >= {"naive", "product", "harmonic", "min", "tu", "greedy", "fair", "welfare", "nash"}
