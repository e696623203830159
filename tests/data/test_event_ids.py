"""One id of several events loses none of them, in tables, in the queue and on the page of the day."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.event_ids import with_distinct_ids
from recsys.data.events import Events
from recsys.data.tables import check_table
from recsys.moderation.report_events import named_as_in_night, rows_of_night
from recsys.moderation.review_queue import flagged_in_night, review_queue
from recsys.safety.day_log import DayEvent

AT = datetime(2026, 3, 1, tzinfo=UTC)
CALLS = (
    ("feeling_check", "pressured"),
    ("meet_feedback", "unsafe"),
    ("report", "minor"),
    ("report", "money"),
)
ONE = st.tuples(
    st.sampled_from(["check-1", "m-1"]),
    st.sampled_from(["u1", "u2", "u3"]),
    st.sampled_from(["u4", "u5"]),
    st.sampled_from(CALLS),
)


def rows_of(told: Iterable[tuple[str, str, str, tuple[str, str]]]) -> pd.DataFrame:
    rows = [
        {
            C.EVENT: name,
            C.TS: AT + timedelta(minutes=at),
            C.ACTOR: actor,
            C.TARGET: target,
            C.TYPE: kind,
            C.DETAIL: detail,
        }
        for at, (name, actor, target, (kind, detail)) in enumerate(told)
    ]
    return pd.DataFrame(rows)


def said(rows: pd.DataFrame) -> set[tuple[Any, ...]]:
    return {*rows[[C.ACTOR, C.TARGET, C.TYPE, C.DETAIL]].astype(object).itertuples(index=False, name=None)}


@settings(max_examples=150, deadline=None)
@given(told=st.lists(ONE, min_size=1, max_size=9))
def test_what_members_say_under_one_id_is_read_by_a_night(told: list[Any]) -> None:
    rows = rows_of(told)
    checked = check_table(T.EVENTS, rows)
    assert said(checked.accepted) == said(rows)
    assert checked.accepted[C.EVENT].is_unique
    assert said(Events.of(rows).frame) == said(rows)
    assert set(rows[C.EVENT]) <= set(checked.accepted[C.EVENT])  # the first keeps its id


@settings(max_examples=60, deadline=None)
@given(told=st.lists(ONE, min_size=1, max_size=7))
def test_the_queue_the_tables_of_a_night_and_the_day_name_each_alike(
    told: list[Any], tmp_path_factory: Any
) -> None:
    tables, rows = tmp_path_factory.mktemp("tables"), rows_of(told)
    rows.to_parquet(tables / "events.parquet")
    checked = check_table(T.EVENTS, rows).accepted
    queue = review_queue(Events.of(checked))
    evidence = {name for names in queue["evidence"] for name in names}
    assert evidence <= set(checked[C.EVENT])
    assert {*queue["user_id"]} >= {target for _, _, target, (kind, _) in told if kind == "report"}
    found = rows_of_night(tables, C.EVENT, evidence)
    assert set(found[C.EVENT]) == evidence
    for actor in ("u1", "u2", "u3"):
        own = rows_of_night(tables, C.ACTOR, [actor])
        assert set(own[C.EVENT]) == set(checked.loc[checked[C.ACTOR] == actor, C.EVENT])
    assert evidence <= flagged_in_night(tables, ["u4", "u5"]).keys()
    calls = [
        DayEvent(name, AT + timedelta(minutes=at), actor, target, kind, detail)
        for at, (name, actor, target, (kind, detail)) in enumerate(told)
    ][::-1]
    named = {
        one.event_id: (one.actor, one.target, one.type, one.detail)
        for one in named_as_in_night(calls, tables)
    }
    assert {*named.values()} == said(rows)
    assert (
        named.items()
        <= dict(
            zip(
                checked[C.EVENT],
                checked[[C.ACTOR, C.TARGET, C.TYPE, C.DETAIL]]
                .astype(object)
                .itertuples(index=False, name=None),
                strict=True,
            )
        ).items()
    )
    fresh = named_as_in_night(calls, tables / "none")
    assert {one.event_id for one in fresh} == named.keys()


def test_ids_told_apart_are_those_of_one_spelling_of_people() -> None:
    rows = rows_of([("e1", "u1", "u4", CALLS[0]), ("e1", "U1 ", "ｕ4", CALLS[0])])
    assert with_distinct_ids(rows)[C.EVENT].tolist() == ["e1", "e1"]


def test_a_table_whose_ids_are_all_different_is_left_as_it_is() -> None:
    rows = rows_of([("e1", "u1", "u4", CALLS[0]), ("e2", "u1", "u4", CALLS[0])])
    assert with_distinct_ids(rows) is rows


@pytest.mark.parametrize("kept", ["first", "last"])
def test_losing_a_second_row_is_seen(kept: Any) -> None:
    """The plant: of rows of one id one is kept, as before."""
    rows = rows_of([("check-1", "u1", "u4", CALLS[0]), ("check-1", "u2", "u5", CALLS[1])])
    assert said(rows.drop_duplicates(C.EVENT, keep=kept)) != said(rows)
    assert said(with_distinct_ids(rows).drop_duplicates(C.EVENT, keep=kept)) == said(rows)


def test_nothing_is_looked_for_where_nothing_is_asked(tmp_path: Path) -> None:
    rows_of([("e1", "u1", "u4", CALLS[0])]).to_parquet(tmp_path / "events.parquet")
    for column in (C.EVENT, C.ACTOR, C.TARGET):
        assert rows_of_night(tmp_path, column, []).empty
    assert named_as_in_night([], tmp_path) == []
    assert flagged_in_night(tmp_path, []) == {}
