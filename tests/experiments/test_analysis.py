"""A whole experiment: from events to effects, guard-rails, sentences; and its plan."""

import numpy as np
import pandas as pd
import pytest

from recsys.errors import InputError
from recsys.experiments import ExperimentSettings, analyse, assign, nights_needed, outcomes, plan
from recsys.experiments.conclusions import conclusions

STARTS = pd.Timestamp("2026-03-02", tz="UTC")
ARMS = {"today": {"share": 0.5}, "more": {"share": 0.5}}
PEOPLE = pd.Series([f"u{n:03d}" for n in range(160)], dtype="str")
GROUPS = pd.DataFrame({"user_id": PEOPLE, "neighbourhood": [f"n{n // 8}" for n in range(160)]})


def design(unit: str = "neighbourhood", **changes: object) -> ExperimentSettings:
    given = {
        "name": "try",
        "unit": unit,
        "starts": "2026-03-02",
        "nights": 10,
        "mature_nights": 2,
        "effect": 0.5,
    }
    return ExperimentSettings(**{**given, "arms": ARMS, **changes})


def events(one: ExperimentSettings, lift: float, *, harm: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """Nights -10 to 12: neighbours like each other back, `lift` times as often in the second arm."""
    rng = np.random.default_rng(seed)
    arm = assign(one, PEOPLE, GROUPS)["arm"].to_numpy(object)
    rows = []
    for night in range(-10, 13):
        at = STARTS + pd.Timedelta(days=night, hours=20)
        for home in range(20):
            for _ in range(6):
                a, b = home * 8 + rng.choice(8, 2, replace=False)
                rows.append((PEOPLE[a], PEOPLE[b], "impression", at))
                treated = arm[a] == "more" and 0 <= night < 10
                if rng.random() < 0.3 * (lift if treated else 1.0):
                    rows.append((PEOPLE[a], PEOPLE[b], "like", at))
                    rows.append((PEOPLE[b], PEOPLE[a], "like", at + pd.Timedelta(days=1)))
                if treated and rng.random() < harm:
                    rows.append((PEOPLE[a], PEOPLE[b], "report", at))
    table = pd.DataFrame(rows, columns=["actor", "target", "type", "ts"])
    return table.sort_values("ts", ignore_index=True)


def read(one: ExperimentSettings, log: pd.DataFrame, days: int = 12):
    found = outcomes(log, one, now=STARTS + pd.Timedelta(days=days))
    return analyse(one, assign(one, PEOPLE, GROUPS), found)


def test_an_effect_is_found_and_said_in_both_languages() -> None:
    one = design()
    result = read(one, events(one, 3.0))
    row = result.decisive("more")
    assert row["estimator"] == "neighbourhoods, adjusted"
    assert row["always_lo"] > 0.0
    assert "matches a person and night more" in " ".join(conclusions(result))
    assert "増えます" in " ".join(conclusions(result, "ja"))
    assert result.to_end == []
    assert result.nights == tuple(range(10))
    assert (result.exposures["within"] == 1.0).all()


def test_no_effect_is_open_and_the_first_night_is_not_complete_at_once() -> None:
    one = design()
    log = events(one, 1.0)
    assert "still open" in " ".join(conclusions(read(one, log)))
    assert read(one, log, days=5).nights == (0, 1, 2)
    with pytest.raises(InputError, match=r"no night of the experiment is complete.*from 2026-03-05 on"):
        read(one, log, days=1)


def test_harm_ends_the_arm_whatever_it_brings() -> None:
    one = design()
    result = read(one, events(one, 3.0, harm=0.2))
    assert result.to_end == ["more"]
    assert "End more" in " ".join(conclusions(result))


@pytest.mark.parametrize("unit", ["neighbourhood", "person", "both_sides", "night"])
def test_an_ended_arm_is_read_over_the_nights_before_its_end(unit: str) -> None:
    one = design(unit)
    log = events(one, 3.0, harm=0.2)
    ended = read(one.changed(ended={"more": "2026-03-07"}), log)
    then = read(one, log, days=7)  # five nights are complete
    for table in ("effects", "guard_rails"):
        pd.testing.assert_frame_equal(getattr(ended, table), getattr(then, table))
    if unit != "night":
        of = [result.exposures.set_index("arm").loc["more"] for result in (ended, then)]
        pd.testing.assert_series_equal(*of)
    unseen = read(one.changed(ended={"more": "2026-03-07"}), log[log["type"] != "impression"])
    pd.testing.assert_frame_equal(unseen.effects, ended.effects)  # effects need no impression
    assert (ended.nights_of("more"), ended.nights_of("today")) == (5, 10)
    assert ended.to_end == []  # what is ended already is not to be ended
    assert "more has the first arm's lists from 2026-03-07 on; it is read over its 5 nights" in " ".join(
        conclusions(ended)
    )


def test_matches_belong_to_the_night_and_the_person_that_began_them() -> None:
    one = design("person")
    found = outcomes(events(one, 1.0), one, now=STARTS + pd.Timedelta(days=12))
    assert found.nights.tolist() == list(range(-10, 10))
    likes = found.likes.merge(found.matches, on=["viewer_id", "candidate_id", "night"])
    assert len(likes) >= len(found.matches) > 100
    late = events(one, 1.0)
    late.loc[late.index % 7 == 0, "ts"] += pd.Timedelta(days=5)
    kept = outcomes(late, one, now=STARTS + pd.Timedelta(days=12)).matches
    assert len(kept) < len(found.matches)


def test_a_plan_says_what_will_be_found() -> None:
    one = design()
    past = outcomes(events(design(nights=1), 1.0), one.changed(mature_nights=0), now=STARTS)
    table = plan(one, PEOPLE, past, neighbourhoods=GROUPS, nights=(5, 10, 40), draws=12)
    assert table["error"].is_monotonic_decreasing
    assert table["power"].is_monotonic_increasing
    assert (table["smallest"] > 2.0 * table["error"]).all()
    errors = []
    for seed in range(12):
        other = design(name=f"try-{seed}")
        errors.append(float(read(other, events(other, 1.0, seed=seed)).decisive("more")["effect"]))
    assert np.std(errors) == pytest.approx(table.loc[1, "error"], rel=0.6)
    assert nights_needed(table, table.loc[1, "smallest_relative"]) == 10
    nightly = plan(design("night"), PEOPLE, past, nights=(10, 40), draws=3)
    assert nightly["units"].tolist() == [10, 40], "nights are the units: more of them halve the error"
    assert nightly["error"][1] == pytest.approx(nightly["error"][0] / 2.0)
    with pytest.raises(InputError, match="cannot be planned"):
        plan(one, PEOPLE, past.between(-2, 0), neighbourhoods=GROUPS)
