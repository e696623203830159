import warnings

import numpy as np
import pandas as pd
import pytest

from recsys.interactions import Interactions
from recsys.models import CrossedEffects

K = {"viewer": "who", "candidate": "whom", "outcome": "said", "ts": "at"}


def log_of(form: str, rng: np.random.Generator, n: int = 400) -> pd.DataFrame:
    """Return a log over about a hundred days: evenly, ever more, or by evenings."""
    days = {
        "evenly": rng.random(n) * 100,
        "ever more": 100 - rng.exponential(20, n).clip(0, 100),
        "by evenings": rng.integers(0, 5, n) * 25.0 + rng.random(n) / 8,
    }[form]
    who, whom = rng.integers(0, 40, n), rng.integers(0, 39, n)
    frame = pd.DataFrame({"who": who, "whom": np.where(whom >= who, whom + 1, whom)})
    frame["said"] = (rng.random(n) < 0.4).astype(int)
    return frame.assign(at=pd.Timestamp("2025-01-06") + pd.to_timedelta(days, unit="D"))


@pytest.mark.parametrize("form", ["evenly", "ever more", "by evenings"])
@pytest.mark.parametrize("year", [("2099",), ("1970",), ("2099", "1970"), ("2032", "1999", "2099")])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_row_of_a_mistaken_year_changes_nothing_of_the_others(form, year, seed):
    """Seen to fail: one row of 2099 among 25,000 made all others 74 years old without a word."""
    rng = np.random.default_rng(seed)
    frame = log_of(form, rng)
    wrong = rng.choice(len(frame), len(year), replace=False)
    broken = frame.copy()
    broken.loc[wrong, "at"] = [pd.Timestamp(f"{one}-01-01") for one in year]
    with pytest.warns(UserWarning, match=rf"{len(year)} of 400 rows.* set aside"):
        log = Interactions.of(broken, **K)
    assert log.quarantine["row_number"].tolist() == sorted(wrong.tolist())
    assert set(log.quarantine["codes"]) == {"ts.alone"}
    others = Interactions.of(frame.drop(wrong), **K)
    assert log.people.as_of == others.people.as_of
    fits = [
        CrossedEffects().fit(one.people, one.events, rng=1).score_pairs(others.seen) for one in (log, others)
    ]
    pd.testing.assert_frame_equal(*fits)


@pytest.mark.parametrize("form", ["evenly", "ever more", "by evenings"])
@pytest.mark.parametrize("seed", range(4))
def test_times_of_one_log_are_none_alone(form, seed):
    rng = np.random.default_rng(seed)
    for n in (12, 40, 400):
        frame = log_of(form, rng, n)
        with warnings.catch_warnings(record=True, action="always") as caught:
            log = Interactions.of(frame, **K)
        assert log.quarantine.empty
        assert not [one for one in caught if "further from all" in str(one.message)] or n == 12


def test_a_row_some_months_later_is_told_and_kept():
    frame = log_of("evenly", np.random.default_rng(0))
    frame.loc[7, "at"] = pd.Timestamp("2025-09-01")
    with pytest.warns(UserWarning, match="further from all others"):
        log = Interactions.of(frame, **K)
    assert log.quarantine.empty


def test_rows_after_the_clock_are_told_where_most_are_before_it():
    frame = log_of("evenly", np.random.default_rng(0))
    now = pd.Timestamp.now()
    frame["at"] += now.normalize() - frame["at"].max()
    frame.loc[:2, "at"] = now + pd.Timedelta(days=20)
    with pytest.warns(UserWarning, match="3 of 400 rows, the last of"):
        log = Interactions.of(frame, **K)
    assert log.quarantine.empty
    frame["at"] += pd.Timedelta(days=40_000)  # shifted, as data that hides its times is
    Interactions.of(frame, **K)
