"""A town with nights ahead: newcomers, leavers and unfinished talks become known in time."""

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.tables import CONTRACTS
from recsys.simulation.abuse import holds_of
from recsys.simulation.settings import TownSettings
from recsys.simulation.town import Town, make_town
from recsys.storage.load import load_tables

NIGHTS = 28
PEOPLE = 400


@pytest.fixture(scope="module")
def ahead() -> Town:
    return make_town(PEOPLE, np.random.default_rng(8), nights_ahead=NIGHTS)


def days(n: int) -> pd.Timedelta:
    return pd.Timedelta(days=n)


def test_newcomers_are_in_no_table_before_they_join(ahead: Town) -> None:
    joined = ahead.arrivals.joined
    late = set(ahead.ids.ids(np.flatnonzero(joined > ahead.as_of.timestamp())))
    assert len(ahead.ids) - PEOPLE == len(late) == round(PEOPLE * 0.08 * NIGHTS / 56)
    for table in ahead.tables.values():
        for column in {C.USER, C.ACTOR, C.TARGET} & set(table.columns):
            assert not late & set(table[column].dropna())


def test_every_table_of_every_week_passes_its_contract(ahead: Town) -> None:
    town = ahead
    for week in range(1, NIGHTS // 7 + 1):
        town = town.after(town.tables[T.EVENTS].iloc[:0], ahead.as_of + days(7 * week))
        loaded = load_tables(town.tables, town.as_of)
        assert sorted(loaded.accepted) == sorted(CONTRACTS)
        assert loaded.quarantine.empty
    assert set(town.tables[T.PROFILES][C.USER]) == set(town.ids.ids(np.arange(len(town.ids))))
    last = town.tables[T.PROFILES].sort_values(C.VALID_FROM).drop_duplicates(C.USER, keep="last")
    dormant = ahead.ids.rows(last.loc[last[C.ACTIVITY] == "dormant", C.USER])
    left = np.flatnonzero(ahead.arrivals.left <= town.as_of.timestamp())
    assert set(left) <= set(dormant)
    assert (ahead.arrivals.left[left] > ahead.as_of.timestamp()).any()


def test_unfinished_conversations_go_on(ahead: Town) -> None:
    later = ahead.after(ahead.tables[T.EVENTS].iloc[:0], ahead.as_of + days(NIGHTS))
    grown = later.tables[T.EVENTS].iloc[len(ahead.tables[T.EVENTS]) :]
    assert (grown[C.TYPE] == "message").sum() > 20
    assert (grown[C.TS] > ahead.as_of).all()
    assert not later.tables[T.EVENTS][C.EVENT].duplicated().any()


def test_the_town_is_the_same_after_one_step_or_many(ahead: Town) -> None:
    none = ahead.tables[T.EVENTS].iloc[:0]
    at_once = ahead.after(none, ahead.as_of + days(6))
    slowly = ahead
    for day in range(1, 7):
        slowly = slowly.after(none, ahead.as_of + days(day))
    for name, table in at_once.tables.items():
        columns = list(table.columns)
        if name == T.HOLDS:
            continue
        pd.testing.assert_frame_equal(
            *(t.tables[name].sort_values(columns[:3], ignore_index=True) for t in (at_once, slowly))
        )


def test_absent_people_open_no_list(ahead: Town) -> None:
    a, b = ahead.ids.ids([len(ahead.ids) - 1, 0])
    lists = pd.DataFrame({C.VIEWER: [a], C.CANDIDATE: [b], C.RANK: [1]})
    shown = [(ahead.step(lists, np.random.default_rng(s))[C.TYPE] == "impression").any() for s in range(15)]
    assert not any(shown)


def test_a_town_without_nights_ahead_is_the_same_town() -> None:
    plain, again = (make_town(60, np.random.default_rng(3)) for _ in range(2))
    assert not plain.coming
    for name, table in plain.tables.items():
        pd.testing.assert_frame_equal(table, again.tables[name])


def test_holds_by_brigades_are_lifted_and_those_by_victims_stay() -> None:
    ts = pd.Timestamp("2026-01-01", tz="UTC")
    rows = [(f"r{n}", "ganged", None) for n in range(3)] + [(f"r{n}", "bad", "talk") for n in range(3)]
    rows += [("r0", "fine", "talk"), ("r1", "fine", "talk"), ("r1", "fine", "talk")]
    reports = pd.DataFrame(rows, columns=[C.ACTOR, C.TARGET, C.SURFACE]).assign(**{C.TS: ts})
    soon, later = (holds_of(reports, ts + pd.Timedelta(hours=h), held_after=3) for h in (1, 13))
    assert sorted(zip(soon[C.USER], soon[C.STATE], strict=True)) == [("bad", "active"), ("ganged", "active")]
    assert sorted(zip(later[C.USER], later[C.STATE], strict=True)) == [
        ("bad", "active"),
        ("ganged", "active"),
        ("ganged", "lifted"),
    ]


def test_conversations_lower_the_next_like_and_who_is_alone_leaves_only_where_the_town_has_it() -> None:
    rng = np.random.default_rng
    settings = TownSettings()
    busy = settings.changed(funnel=settings.funnel.changed(busy=6.0, leaves_a_night=0.3))
    plain, other = (make_town(150, rng(3), settings=one, nights_ahead=3) for one in (settings, busy))
    assert plain.truth.intercept == other.truth.intercept
    later = other.as_of + pd.Timedelta(days=2)
    gone = other.after(other.tables["events"].iloc[:0], later)
    left = (gone.arrivals.left < other.arrivals.left).sum()
    assert left > 10
    newest = gone.tables["profiles"].sort_values("valid_from").drop_duplicates("user_id", keep="last")
    who = other.ids.ids(np.flatnonzero(gone.arrivals.left < other.arrivals.left))
    assert set(newest.loc[newest["user_id"].isin(who), "activity"]) == {"dormant"}
    same = plain.after(plain.tables["events"].iloc[:0], later)
    assert (same.arrivals.left == plain.arrivals.left).all()
    likes = [(town.tables["events"]["type"] == "like").sum() for town in (plain, other)]
    assert likes[1] < likes[0]
