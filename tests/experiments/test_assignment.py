"""Assignment: keyed, order-free, shares as asked, and neighbourhoods that cut few pairs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import InputError, SettingsError
from recsys.experiments import (
    ExperimentSettings,
    arm_of_night,
    arm_of_pairs,
    assign,
    joined_lists,
    neighbourhoods,
    outcomes,
)
from recsys.experiments.assignment import deal, night_blocks, night_number, served
from recsys.experiments.conclusions import standing
from recsys.experiments.night_arms import NightArms

ARMS = {"today": {"share": 0.5}, "nash": {"share": 0.5}}


def experiment(unit: str = "person", **changes: object) -> ExperimentSettings:
    given = {"name": "trial", "unit": unit, "arms": ARMS, "starts": "2026-03-02", "nights": 28, **changes}
    return ExperimentSettings(**given)


@given(ids=st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=30), seed=st.integers(0, 99))
def test_an_arm_depends_on_the_id_alone(ids: list[str], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(ids))
    whole = assign(experiment(), ids).set_index("user_id")["arm"]
    other = assign(experiment(), [ids[at] for at in order][: len(ids) // 2 + 1]).set_index("user_id")["arm"]
    assert other.to_dict() == {name: whole[name] for name in other.index}


def test_shares_come_out_and_experiments_and_roles_are_independent() -> None:
    ids = [f"u{n}" for n in range(20_000)]
    shares = {"a": {"share": 0.2}, "b": {"share": 0.3}, "c": {"share": 0.5}}
    three = assign(experiment(arms=shares), ids)["arm"].value_counts(normalize=True)
    assert all(abs(three[name] - arm["share"]) < 0.015 for name, arm in shares.items())
    sides = assign(experiment("both_sides"), ids)
    other = assign(experiment(name="other"), ids)["arm"]
    for pair in ((sides["arm"], sides["arm_as_candidate"]), (sides["arm"], other)):
        assert abs((pair[0] == pair[1]).mean() - 0.5) < 0.015


@given(units=st.integers(2, 60))
def test_a_few_units_are_dealt_evenly(units: int) -> None:
    found = pd.Series(deal(list(range(units)), {"a": 0.5, "b": 0.5}, "x")).value_counts()
    assert abs(found["a"] - found["b"]) <= 1


def test_who_has_no_neighbourhood_is_not_in_the_experiment() -> None:
    groups = pd.DataFrame({"user_id": ["a", "b"], "neighbourhood": ["n1", "n2"]})
    found = assign(experiment("neighbourhood"), ["a", "b", "c"], groups)
    assert found["arm"].isna().tolist() == [False, False, True]
    assert set(found["arm"].dropna()) == {"today", "nash"}
    assert served(experiment("neighbourhood"), found["arm"], 0)[2] == "today"
    with pytest.raises(InputError, match="two neighbourhoods"):
        assign(experiment("neighbourhood"), ["a"], pd.concat([groups, groups]))
    with pytest.raises(SettingsError, match="needs neighbourhoods"):
        assign(experiment("neighbourhood"), ["a"])


def test_nights_alternate_in_balanced_groups_and_outside_all_have_the_first_arm() -> None:
    nights = experiment("night", block_nights=2, washout=1)
    _, arm, counts = night_blocks(nights)
    assert counts.tolist() == [False, True] * 14
    assert all(arm[0::2] == arm[1::2])
    for at in range(0, 28, 4):
        assert set(arm[at : at + 4]) == {"today", "nash"}
    assert arm_of_night(nights, -1) == arm_of_night(nights, 28) == "today"


def test_an_ended_arm_gets_the_first_arms_lists_and_keeps_its_people() -> None:
    ids = [f"u{n}" for n in range(50)]
    ended = experiment(ended={"nash": "2026-03-05"})
    drawn = assign(ended, ids)
    assert drawn.equals(assign(experiment(), ids))
    assert served(ended, drawn["arm"], 2).equals(drawn["arm"])
    assert set(served(ended, drawn["arm"], 3)) == {"today"}
    codes = [
        set(NightArms.of(ended, np.array(ids, object), pd.Timestamp(day, tz="UTC")).codes().tolist())
        for day in ("2026-03-04", "2026-03-05")
    ]
    assert codes == [{0, 1}, {0}]  # receipts and impressions carry the arm whose lists are served


def test_settings_that_do_not_fit_are_refused() -> None:
    for wrong in (
        {"arms": {"a": {"share": 1.0}}},
        {"arms": {"a": {"share": 0.5}, "b": {"share": 0.4}}},
        {"unit": "both_sides", "arms": {"a": {"share": 0.5}, "b": {"share": 0.3}, "c": {"share": 0.2}}},
        {"ended": {"today": "2026-03-05"}},
        {"ended": {"nash": "2026-03-02"}},
        {"unit": "night", "block_nights": 2, "washout": 2},
        {"arms": {"a": {"share": 0.5, "allocate": {"fairnes": 1}}, "b": {"share": 0.5}}},
    ):
        with pytest.raises(SettingsError):
            experiment(**wrong)
    for undated in (["nash"], "nash"):
        with pytest.raises(SettingsError, match=r"impossible value of 'ended'.*\{nash: 2026-03-10\}"):
            experiment(ended=undated)


@pytest.fixture(scope="module")
def planted() -> tuple[pd.DataFrame, dict[str, int]]:
    """Twelve groups of twenty people, one pair in twenty between two of them."""
    rng = np.random.default_rng(5)
    home = {f"u{n:03d}": n % 12 for n in range(240)}
    ids = np.array(list(home))
    rows = []
    for name in ids:
        for _ in range(10):
            near = [one for one in ids if home[one] == home[name] and one != name]
            rows.append((name, rng.choice(ids if rng.random() < 0.05 else near)))
    pairs = pd.DataFrame(rows, columns=["viewer_id", "candidate_id"])
    return pairs[pairs["viewer_id"] != pairs["candidate_id"]], home


def test_planted_neighbourhoods_are_found_in_any_order(planted: tuple[pd.DataFrame, dict[str, int]]) -> None:
    pairs, home = planted
    found = neighbourhoods(pairs, count=12)
    again = neighbourhoods(pairs.sample(frac=1.0, random_state=1), count=12)
    assert found.table.equals(again.table)
    true = found.table["user_id"].map(home)
    agree = pd.crosstab(found.table["neighbourhood"], true).max(axis=1).sum() / len(true)
    assert agree > 0.95
    assert found.cut < 0.08


def test_lists_of_arms_are_joined_by_viewer_and_by_pair() -> None:
    ids = [f"u{n}" for n in range(12)]
    pairs = [(v, c, r) for v in ids for r, c in enumerate((one for one in ids if one != v), 1)]
    one = pd.DataFrame(pairs, columns=["viewer_id", "candidate_id", "rank"])
    two = one.assign(rank=12 - one["rank"]).sort_values(["viewer_id", "rank"], ignore_index=True)
    for unit in ("person", "both_sides", "night"):
        design = experiment(unit)
        people = assign(design, ids)
        found = joined_lists(design, people, {"today": one, "nash": two}, night=3, k=5)
        assert not found.duplicated(["viewer_id", "candidate_id"]).any()
        assert found["rank"].tolist() == [1, 2, 3, 4, 5] * 12
        decides = arm_of_pairs(design, people, found["viewer_id"], found["candidate_id"], 3)
        assert decides.tolist() == found["arm"].tolist()
        drawn = {"today": one, "nash": two.assign(propensity=0.5)}  # recommend and allocate, as two arms
        chance = joined_lists(design, people, drawn, night=3, k=5)
        assert (chance["propensity"] == np.where(chance["arm"] == "nash", 0.5, 1.0)).all()
    before = joined_lists(experiment(), assign(experiment(), ids), {"today": one, "nash": two}, night=-1, k=5)
    assert set(before["arm"]) == {"today"}


def test_a_night_needs_its_neighbourhoods_while_the_experiment_runs(tmp_path: Path) -> None:
    file = tmp_path / "neighbourhoods.parquet"
    one = experiment("neighbourhood", nights=7, neighbourhoods=str(file))
    ids = np.array(["a", "b"], object)
    for day in ("2026-03-01", "2026-03-09"):
        arms = NightArms.of(one, ids, pd.Timestamp(day, tz="UTC"))
        assert not arms.running
        assert (arms.codes() == -1).all()
    with pytest.raises(SettingsError, match="recsys experiment assign"):
        NightArms.of(one, ids, pd.Timestamp("2026-03-03", tz="UTC"))
    pd.DataFrame({"user_id": ids, "neighbourhood": ["m", "n"]}).to_parquet(file)
    assert sorted(NightArms.of(one, ids, pd.Timestamp("2026-03-03", tz="UTC")).codes()) == [0, 1]
    assert NightArms.of(one, ids, pd.Timestamp("2026-03-09", tz="UTC")).assignment["arm"].notna().all()


def test_where_an_experiment_stands_is_said() -> None:
    one = experiment(nights=7, mature_nights=3, ended={"nash": "2026-03-05"})
    people = assign(one, ["a", "b", "c"])

    def said(day: str, lang: str = "en") -> str:
        return " ".join(standing(one, people, pd.Timestamp(day, tz="UTC"), lang))

    assert "begins on 2026-03-02 and runs for 7 nights, to 2026-03-08" in said("2026-02-20")
    assert "night 3 of 7" in said("2026-03-04")
    assert "read from 2026-03-06 on" in said("2026-03-05")
    assert "read from" not in said("2026-03-06")
    assert "ended on 2026-03-08" in said("2026-03-09")
    assert "Ended arms: nash (the first arm's lists from 2026-03-05 on)" in said("2026-03-09")
    assert "終えた群：nash（2026-03-05 から" in said("2026-03-09", "ja")
    assert "Arm of this night: today" in " ".join(
        standing(one.changed(unit="night"), people, pd.Timestamp("2026-02-20", tz="UTC"))
    )


def test_a_night_begins_at_the_hour_of_the_nightly_run() -> None:
    """By hand: three in the morning of 3 March in Japan is 18:00 of 2 March in UTC, the first night."""
    nights = experiment("night", hour=18, mature_nights=0)
    evening = pd.Timestamp("2026-03-03T12:00Z")  # nine in the evening in Japan, after the first run
    assert [night_number(nights, pd.Timestamp(f"2026-03-02T{at}Z")) for at in ("17:59", "18:00")] == [-1, 0]
    assert night_number(nights, evening) == 0
    like = pd.DataFrame({"actor": ["a", "b"], "target": ["b", "a"], "type": "like", "ts": evening})
    found = outcomes(like, nights, now=pd.Timestamp("2026-03-03T18:00Z"))
    assert found.matches.to_numpy().tolist() == [["a", "b", 0]]
    arms = NightArms.of(nights, np.array(["a"], object), pd.Timestamp("2026-03-02T18:15Z"))
    assert (arms.night, arms.running) == (0, True)
