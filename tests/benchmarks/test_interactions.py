import json

import pytest

from tests.benchmarks import interactions


@pytest.mark.slow
def test_every_log_is_read_and_judged(tmp_path, monkeypatch):
    monkeypatch.setattr(interactions, "MODELS", (interactions.RandomModel, interactions.PopularityModel))
    out = tmp_path / "interactions.json"
    assert interactions.main(["--people", "120", "--resamples", "5", "--json", str(out)]) == 0
    summary = json.loads(out.read_text())["summary"]
    for log in ("films", "dating", "likes"):
        assert summary[f"{log}_auc_popularity"] > 0.55
        assert abs(summary[f"{log}_auc_random"] - 0.5) < 0.1
    assert "dating_mutual_auc_popularity" in summary
    assert "films_mutual_auc_popularity" not in summary
