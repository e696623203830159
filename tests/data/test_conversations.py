import numpy as np
import pandas as pd
import pytest

from recsys.data.conversations import active_matches
from recsys.data.events import Events
from recsys.data.ids import IdIndex

IDS = IdIndex(["a", "b", "c", "d"])


def of(*rows: tuple[int, str, str, str, str | None]) -> Events:
    frame = pd.DataFrame(rows, columns=["day", "actor", "target", "type", "detail"])
    frame["ts"] = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(frame.pop("day"), unit="D")
    return Events.of(frame)


BOTH = ((1, "a", "b", "feeling_check", "comfortable"), (2, "b", "a", "feeling_check", "comfortable"))


def test_active_matches_need_both_to_be_comfortable() -> None:
    assert active_matches(of(*BOTH), IDS).tolist() == [1, 1, 0, 0]
    assert active_matches(of(BOTH[0]), IDS).tolist() == [0, 0, 0, 0]
    assert active_matches(Events.none(), IDS).tolist() == [0, 0, 0, 0]


def test_the_last_feeling_check_counts() -> None:
    drift = (3, "a", "b", "feeling_check", "drifting")
    again = (4, "a", "b", "feeling_check", "comfortable")
    assert active_matches(of(*BOTH, drift), IDS).tolist() == [0, 0, 0, 0]
    assert active_matches(of(*BOTH, drift, again), IDS).tolist() == [1, 1, 0, 0]
    assert active_matches(of(*BOTH, drift), IDS, "2026-01-03T12:00Z").tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("kind", "detail"),
    [("block", None), ("end", "amicable"), ("report", "money"), ("meet_feedback", "unsafe")],
)
def test_blocks_ends_reports_and_unsafe_meetings_end_a_match(kind: str, detail: str | None) -> None:
    assert not active_matches(of(*BOTH, (5, "b", "a", kind, detail)), IDS).any()


def test_each_pair_counts_once_for_each_of_its_two() -> None:
    more = [(9, x, y, "feeling_check", "comfortable") for x, y in (("a", "c"), ("c", "a"), ("a", "b"))]
    assert active_matches(of(*BOTH, *more), IDS).tolist() == [2, 1, 1, 0]
    assert np.array_equal(active_matches(of(*BOTH, *more), IDS), active_matches(of(*more, *BOTH), IDS))
