"""Whose later likes are left out of training, beside a twin that goes through people one by one."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.events import Events
from recsys.data.indiscriminate import _Eagerness, without_excess_likes


def one_by_one(events: Events) -> list[int]:
    """The twin: the rows that stay, person after person."""
    coded = events.coded
    likes, decides = coded.are("like"), coded.are("like", "pass", "hide")
    n = len(coded.people)
    found = _Eagerness.of(
        np.bincount(coded.actor[likes], minlength=n), np.bincount(coded.actor[decides], minlength=n)
    )
    stays = np.ones(len(events), bool)
    for who in np.flatnonzero(found.share & found.many):
        stays[np.flatnonzero(likes & (coded.actor == who))[int(np.ceil(found.most)) :]] = False
    return np.flatnonzero(stays).tolist()


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), n_eager=st.integers(0, 4))
def test_later_likes_of_each_are_left_out(seed: int, n_eager: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        (f"p{who:02d}", f"q{to:03d}", "like" if rng.random() < (0.95 if who < n_eager else 0.2) else "pass")
        for who in range(40)
        for to in range(150 if who < n_eager else int(rng.integers(5, 12)))
    ]
    order = rng.permutation(len(rows))
    log = pd.DataFrame([rows[at] for at in order], columns=["actor", "target", "type"])
    log["ts"] = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(len(log)), unit="min")
    events = Events.of(log)
    expected = events.frame.iloc[one_by_one(events)].reset_index(drop=True)
    found = without_excess_likes(events)
    pd.testing.assert_frame_equal(found.frame, expected)
    assert without_excess_likes(events) is found
    assert (len(found) < len(events)) == (n_eager > 0)
