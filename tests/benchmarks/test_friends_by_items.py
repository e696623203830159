"""The command at a small size, on made-up friendships of people who listen to the same."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.benchmarks import friends_by_items


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
