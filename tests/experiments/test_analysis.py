"""A whole experiment: from events to effects, guard-rails, sentences; and its plan."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recsys.cli.experiment import table_text
from recsys.data.events import Events
from recsys.errors import InputError
from recsys.experiments import (
    ExperimentSettings,
    analyse,
    arm_of_night,
    assign,
    nights_needed,
    outcomes,
    plan,
)
from recsys.experiments.assignment import design_mark
from recsys.experiments.conclusions import conclusions, night_reading
from recsys.experiments.guard_rails import guard_rails
from recsys.experiments.night_arms import NightArms

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


@pytest.fixture(scope="module")
def by_person() -> pd.DataFrame:
    """Return the log of an experiment by person, whose impressions say which arm they are of."""
    return played(design("person"))


def without_marks(log: pd.DataFrame) -> pd.DataFrame:
    """Return such a log as it was before impressions said of which design they are."""
    mark = f".{design_mark(design('person'))}"
    return log.assign(model_version=log["model_version"].str.replace(mark, "", regex=False))


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
    early = read(one, log, days=1)
    assert not early.nights
    assert "By the reports and blocks up to now" in " ".join(conclusions(early))
    with pytest.raises(InputError, match=r"no night of the experiment is complete.*from 2026-03-05 on"):
        early.decisive("more")
    with pytest.raises(InputError, match="no night of the experiment is complete"):
        read(one, log, days=0)


def test_harm_ends_the_arm_whatever_it_brings() -> None:
    one = design()
    result = read(one, events(one, 3.0, harm=0.2))
    assert result.to_end == ["more"]
    assert "End more" in " ".join(conclusions(result))


@pytest.mark.parametrize(("unit", "first"), [("neighbourhood", 1), ("person", 1), ("night", 2)])
def test_harm_is_read_at_once_however_long_matches_are_waited_for(unit: str, first: int) -> None:
    """Thirty people of the arm's first night block: the arm ends as soon as nights of both are over."""
    quick = design(unit, mature_nights=0)
    log, who = events(quick, 1.0), assign(quick, PEOPLE, GROUPS)
    night = 0 if unit != "night" else [arm_of_night(quick, n) for n in range(10)].index("more")
    ill = who.loc[(who["arm"] == "more") | (unit == "night"), "user_id"].head(30)
    at = STARTS + pd.Timedelta(days=night, hours=21)
    log = pd.concat([log, pd.DataFrame({"actor": ill, "target": ill.iloc[::-1], "type": "block", "ts": at})])
    for days in range(first, 12, 4):
        rails = [read(design(unit, mature_nights=wait), log, days).guard_rails for wait in (0, 7)]
        pd.testing.assert_frame_equal(*rails)
        assert rails[0].loc[rails[0]["guard_rail"] == "people who block", "stop"].all()
    waits = read(design(unit), log, first)
    assert not waits.nights
    assert "End more" in " ".join(conclusions(waits))
    assert "終えてください" in " ".join(conclusions(waits, "ja"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "other-1"}, r"another experiment \(try\."),
        ({"arms": {"today": {"share": 0.6}, "more": {"share": 0.4}}}, "another design of it"),
        ({"starts": "2026-03-04"}, "another design of it"),
        ({"starts": "2026-02-28"}, "another design of it.* carry no arm"),
        ({"nights": 7}, "on nights that are none of it"),
        ({"unit": "night"}, "another design of it .unit person, the settings say night"),
        ({"unit": "both_sides"}, "another design of it .unit person, the settings say both_sides"),
        ({"hour": 18}, "another first night or hour"),
        ({"arms": dict(reversed(ARMS.items()))}, "another order of the arms, their shares"),
        ({"arms": ARMS | {"more": {"share": 0.5, "order": "naive"}}}, "their shares or lists"),
        ({"arms": ARMS | {"more": {"share": 0.5, "allocate": {"fairness": 1.0}}}}, "their shares or lists"),
    ],
)
def test_what_was_not_played_is_not_read(
    by_person: pd.DataFrame, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        read(design(**{"unit": "person", **changes}), by_person)


def test_what_was_played_is_read(by_person: pd.DataFrame) -> None:
    one, log = design("person"), by_person
    found = read(one, log)
    assert found.nights == tuple(range(10))
    kept = outcomes(Events.of(log).compact(), one)  # what a night keeps of events says which arm
    assert kept.exposures["logged"].notna().sum() == log["model_version"].str.contains("+", regex=False).sum()
    pd.testing.assert_frame_equal(read(one, log.drop(columns="model_version")).effects, found.effects)
    assert read(one, without_marks(log)).nights == tuple(range(10))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arms": {"today": {"share": 0.6}, "more": {"share": 0.4}}}, "another arm"),
        ({"arms": dict(reversed(ARMS.items()))}, "another arm"),
        ({"starts": "2026-03-04"}, "on nights that are none of it"),
        ({"starts": "2026-02-28"}, "carry no arm"),
        ({"unit": "night"}, "another arm"),
    ],
)
def test_a_log_of_before_there_were_marks_is_judged_by_its_arms(
    by_person: pd.DataFrame, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        read(design(**{"unit": "person", **changes}), without_marks(by_person))


@pytest.mark.parametrize("share", [0.4, 0.7, 1.0])
def test_impressions_that_carry_nothing_are_refused_in_one_arm_alone(
    by_person: pd.DataFrame, share: float
) -> None:
    """Seen to fail: an arm whose impressions lost their marks was read as if it had been played."""
    one, rng = design("person"), np.random.default_rng(5)
    log, who = by_person, assign(one, PEOPLE, GROUPS)
    lost = log["type"].eq("impression") & (rng.random(len(log)) < share)
    plain = log["model_version"].str.partition("+")[0]
    more = log["actor"].isin(who.loc[who["arm"] == "more", "user_id"])
    with pytest.raises(InputError, match="carry no arm"):
        read(one, log.assign(model_version=log["model_version"].where(~(lost & more), plain)))
    if share < 1.0:
        assert read(one, log.assign(model_version=log["model_version"].where(~lost, plain))).nights


@pytest.mark.parametrize(
    "changes", [{"unit": "both_sides"}, {"hour": 18}, {"arms": dict(reversed(ARMS.items()))}]
)
def test_a_night_says_when_the_design_was_changed_while_it_ran(
    by_person: pd.DataFrame, changes: dict[str, object]
) -> None:
    """Of five nights the impressions carry the first design; the sixth is made by another."""
    one, as_of = design("person"), STARTS + pd.Timedelta(days=5)
    log = Events.of(by_person.query("ts < @as_of"))
    arms = [NightArms.of(each, PEOPLE.to_numpy(object), as_of) for each in (one, one.changed(**changes))]
    same, other = (night_reading(each, log, as_of)["en"] for each in arms)
    assert "can be read" in same[0]
    assert "were made by another experiment, design, arm or night" in other[0]
    assert len(other) == 1


@pytest.mark.parametrize("unit", ["neighbourhood", "person", "both_sides", "night"])
def test_an_assignment_of_another_unit_or_other_arms_is_refused(unit: str) -> None:
    """People read as both sides gave an interval of a design that was never played."""
    log = events(design(), 1.0)
    one = design(unit)
    found = outcomes(log, one, now=STARTS + pd.Timedelta(days=12))
    for other in {"neighbourhood", "person", "both_sides", "night"} - {unit}:
        said = f"the assignment is of unit {other}, the experiment of {unit}"
        with pytest.raises(InputError, match="nobody takes part" if other == "night" else said):
            analyse(one, assign(design(other), PEOPLE, GROUPS), found)
    if unit != "night":
        who = assign(one, PEOPLE, GROUPS).replace({"arm": {"more": "less"}})
        with pytest.raises(InputError, match=r"arms of another experiment.*less"):
            analyse(one, who, found)


def test_a_sentence_says_how_much_a_person_and_night_and_in_percent() -> None:
    one = design()
    result = read(one, events(one, 3.0))
    row = result.decisive("more")
    said = conclusions(result)
    more = next(sentence for sentence in said if "With more for everybody" in sentence)
    share = f"{100.0 * row['effect'] / row['control']:+.0f} %"
    assert f"{row['effect']:+.3f} matches a person and night more" in more
    assert f"({share} of its {row['control']:.3f})" in more
    assert "; neighbourhoods are compared." in said[0]
    naive = next(sentence for sentence in said if "as if nobody shared" in sentence)
    assert "matches a person and night (" in naive
    assert any(
        share in sentence and "一人・夜間処理一回あたり" in sentence for sentence in conclusions(result, "ja")
    )
    harmed = " ".join(conclusions(read(one, events(one, 3.0, harm=0.2)), "ja"))
    assert "安全の目安を超えました（通報した人）" in harmed


def played(one: ExperimentSettings) -> pd.DataFrame:
    """Return a log whose impressions carry the arms that were served."""
    log = events(one, 1.0)
    arms, night = assign(one, PEOPLE).set_index("user_id")["arm"], (log["ts"] - STARTS).dt.days
    tag = f"4f1c9a+{one.name}.{design_mark(one)}:" + log["actor"].map(arms)
    seen = (log["type"] == "impression") & night.between(0, one.nights - 1)
    return log.assign(model_version=tag.where(seen, "4f1c9a"))


def test_few_nights_say_what_is_missing_instead_of_an_interval() -> None:
    one = design("night")
    log = events(design(), 1.0)
    early, late = read(one, log, days=8), read(one, log)
    assert early.effects[["lo", "hi", "always_lo", "always_hi"]].isna().all(axis=None)
    assert "6 blocks of nights are too few" in " ".join(conclusions(early))
    assert late.effects[["lo", "hi", "always_lo", "always_hi"]].notna().all(axis=None)
    assert "still open" in " ".join(conclusions(late))


@pytest.mark.parametrize(("unit", "every"), [("person", 30), ("both_sides", 100)])
def test_a_handful_of_matches_says_too_few_instead_of_an_interval_of_thousands(unit: str, every: int) -> None:
    """Seen in a rehearsal of 150 people on both sides: -0.019 (-43380.298 to +43380.260); here 28095."""
    one = design(unit, effect=0.1)
    log = events(one, 1.0)
    few = read(one, log[(log["type"] != "like") | (log.index.to_numpy() % every < every // 6)])
    assert few.effects.loc[few.effects["decisive"], ["always_lo", "always_hi"]].isna().all(axis=None)
    assert "too few units or matches" in " ".join(conclusions(few))


@pytest.mark.parametrize("unit", ["neighbourhood", "person", "both_sides", "night"])
def test_an_ended_arm_is_read_over_the_nights_before_its_end(unit: str) -> None:
    one = design(unit)
    log = events(one, 3.0, harm=0.2)
    ended = read(one.changed(ended={"more": "2026-03-07"}), log)
    then, at_end = read(one, log, days=7), read(one, log, days=5)  # five nights are complete; are over
    pd.testing.assert_frame_equal(ended.effects, then.effects)
    pd.testing.assert_frame_equal(ended.guard_rails, at_end.guard_rails)
    if unit != "night":
        of = [result.exposures.set_index("arm").loc["more"] for result in (ended, at_end)]
        pd.testing.assert_series_equal(*of)
    unseen = read(one.changed(ended={"more": "2026-03-07"}), log[log["type"] != "impression"])
    pd.testing.assert_frame_equal(unseen.effects, ended.effects)  # effects need no impression
    assert (ended.nights_of("more"), ended.nights_of("today")) == (5, 10)
    assert ended.to_end == []  # what is ended already is not to be ended
    assert "more has the first arm's lists from 2026-03-07 on; it is read over 5 of its nights" in " ".join(
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
    empty = past.between(-2, 0)
    older = replace(past, nights=np.arange(-30, 0))  # people were there before anybody was shown to them
    pd.testing.assert_frame_equal(
        plan(one, PEOPLE, older, neighbourhoods=GROUPS, nights=(5,), draws=2),
        plan(one, PEOPLE, past, neighbourhoods=GROUPS, nights=(5,), draws=2),
    )
    with pytest.raises(InputError, match="cannot be planned"):
        plan(one, PEOPLE, empty, neighbourhoods=GROUPS)


@pytest.mark.parametrize("cut", [0.25, 0.76])
def test_a_plan_counts_what_pairs_between_neighbourhoods_hide(cut: float) -> None:
    """A plan said power .92 for an effect of which by its own sentence a quarter was left."""
    one, past = design(), outcomes(events(design(), 1.0), design(), now=STARTS)
    whole, left = (
        plan(one, PEOPLE, past, neighbourhoods=GROUPS, nights=(7, 28), draws=2, cut=hidden)
        for hidden in (0.0, cut)
    )
    seen = plan(
        one.changed(effect=one.effect * (1.0 - cut)),
        PEOPLE,
        past,
        neighbourhoods=GROUPS,
        nights=(7, 28),
        draws=2,
    )
    assert left["power"].tolist() == pytest.approx(seen["power"].tolist(), abs=1e-12)
    assert left["always_power"].tolist() == pytest.approx(seen["always_power"].tolist(), abs=1e-12)
    assert (left["smallest"] * (1.0 - cut)).tolist() == pytest.approx(whole["smallest"].tolist())
    assert left["error"].tolist() == whole["error"].tolist()
    with pytest.raises(InputError, match="cut=1"):
        plan(one, PEOPLE, past, neighbourhoods=GROUPS, cut=1.0)


def test_attention_does_not_depend_on_the_order_of_impressions() -> None:
    """People shown equally often stand at the edge of the twentieth: which of them are in it is by id."""
    one = design("person")
    found, who = outcomes(events(one, 1.0), one, now=STARTS + pd.Timedelta(days=12)), assign(one, PEOPLE)
    read_of = []
    for seed in range(6):
        order = np.random.default_rng(seed).permutation(len(found.exposures))
        part = replace(found, exposures=found.exposures.iloc[order].reset_index(drop=True))
        table = guard_rails(one, who, part)
        read_of.append(table.loc[table["guard_rail"] == "attention", ["value", "control"]].iloc[0].tolist())
    assert all(row == pytest.approx(read_of[0], abs=1e-12) for row in read_of)


def test_no_sentence_says_that_an_arm_may_have_fewer_matches_than_none() -> None:
    one = design("person", effect=2.0)
    result = read(one, events(one, 1.0).iloc[::3].reset_index(drop=True))
    row = result.decisive("more")
    assert row["always_lo"] < -row["control"]  # or this shows nothing
    said = " ".join(conclusions(result))
    assert "-100 %" in said
    assert f"-{row['control']:.3f}" in said


def test_a_table_shows_counts_of_people_without_digits() -> None:
    table = pd.DataFrame({"value": [7.0, 0.2194, np.inf], "evidence": [20.5, np.nan, 1.0]})
    assert table_text(table, "en").split() == [
        "value",
        "evidence",
        "7",
        "20.5000",
        "0.2194",
        "NaN",
        "inf",
        "1",
    ]
