"""First messages and their replies, by hand, and the command at a small size."""

import json
from pathlib import Path

import pandas as pd

from tests.benchmarks import replies
from tests.datasets import needs


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


@needs("logs")
def test_the_command_at_a_small_size(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert replies.main(["--people", "150", "--resamples", "5", "--json", str(out)]) == 0
    summary = json.loads(out.read_text())["summary"]
    assert abs(summary["auc_random"] - 0.5) < 0.15
    assert 0.4 < summary["auc_updated_daily"] < 1.0
