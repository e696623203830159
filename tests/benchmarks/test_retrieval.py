"""The retrieval benchmark at a small size: exact, complete, and without packages it can do without."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import retrieval
from tests.benchmarks.retrieval_cities import WISHES, cities, eligible_share

SUMMARY = "exact seconds gemm_fraction vs_naive vs_numpy vs_faiss vs_implicit pairs_per_s peak_mb"


def rows_and_summary(out: Path, *arguments: str) -> tuple[dict[str, dict], dict]:
    assert retrieval.main([*arguments, "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    assert found["name"] == "retrieval"
    return {row["way"]: row for row in found["rows"]}, found["summary"]


def test_a_small_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ("--people", "900", "--eligible", "0.1", "--peer-viewers", "15", "--k", "10", "--graphs")
    rows, summary = rows_and_summary(tmp_path / "out.json", *small, "--growth", "300", "600")
    assert {*SUMMARY.split(), "ns_per_eligible_pair"} <= set(summary)
    assert summary["exact"] is True
    assert summary["first_call_s"] > 0
    assert "First call, which compiles or reads the cache" in capsys.readouterr().out
    assert len(summary["ns_per_eligible_pair"]) == 2
    assert all(math.isfinite(summary[key]) for key in ("live_p50_ms", "live_p99_ms", "gemm_fraction"))
    assert 0 < summary["gemm_fraction_overall"] <= summary["gemm_fraction"]
    for way in ("pandas", "numpy", "numpy blocks"):
        assert rows[way]["recall"] > 0.99
    assert sum(value for key, value in summary.items() if key.startswith("share: ")) == pytest.approx(1.0)


def test_what_is_not_installed_is_said_and_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrieval, "find_spec", lambda name: None)
    small = ("--people", "300", "--peer-viewers", "3", "--k", "5", "--no-live")
    rows, summary = rows_and_summary(tmp_path / "out.json", *small)
    for way in ("implicit", "faiss flat", "faiss hnsw", "hnswlib"):
        assert rows[way]["note"] == "not installed"
    assert summary["vs_faiss"] is None
    assert summary["vs_naive"] > 0


@pytest.mark.parametrize("eligible", sorted(WISHES))
def test_cities_let_about_the_wanted_share_meet(eligible: float) -> None:
    _, compiled = cities(4000, np.random.default_rng(0), eligible)
    found = eligible_share(compiled, np.random.default_rng(1))
    assert 0.6 * eligible < found < 1.5 * eligible


def test_an_answer_that_is_not_exact_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = retrieval._Ours.lists_of
    monkeypatch.setattr(
        retrieval._Ours, "lists_of", lambda self, question: [part[1:] for part in right(self, question)]
    )
    small = ("--people", "300", "--eligible", "0.6", "--peer-viewers", "3", "--k", "5", "--no-live")
    assert rows_and_summary(tmp_path / "out.json", *small)[1]["exact"] is False
