"""A block, report or hold dated after the time of the night counts at once; other rows wait.

Without a time, a night is as of the latest that has come, whatever rows are dated after the clock. Seen to
fail: sorted tables took the time of the last row, so that no night with one of 2030 was published.
"""

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from recsys.constraints.policy import Policy
from recsys.data.population import Population
from recsys.storage.load import events_of, load_population, load_sorted, load_tables, population_of
from recsys.testing.people import AS_OF, make_tables

LATER = AS_OF + pd.Timedelta(hours=2)
TABLES = make_tables(40, np.random.default_rng(3), unknown=0.0)
BASE = population_of(load_tables(TABLES, AS_OF))


LIKE = {"event_id": "e0", "ts": AS_OF, "actor": "u00000", "target": "u00001", "type": "like", "detail": None}
EVENTS = pd.DataFrame([LIKE])
ALL = TABLES | {
    "events": EVENTS,
    "blocks": pd.DataFrame(columns=["actor", "target", "ts"]),
    "reports": pd.DataFrame(columns=["actor", "target", "ts", "category"]),
}
DATED = {name: "valid_from" if "valid_from" in table else "ts" for name, table in ALL.items()}


def first_pair() -> tuple[str, str]:
    i, j = np.divmod(np.arange(len(BASE) ** 2), len(BASE))
    at = int(np.flatnonzero(Policy.default().may_meet(BASE, i, j))[0])
    return str(BASE.ids.ids([i[at]])[0]), str(BASE.ids.ids([j[at]])[0])


A, B = first_pair()
HELD = str(TABLES["holds"].loc[TABLES["holds"].state.eq("active"), "user_id"].iloc[0])
PAUSED = str(TABLES["profiles"].loc[TABLES["profiles"].account_state.eq("paused"), "user_id"].iloc[0])


def event(kind: str, detail: str | None = None) -> pd.DataFrame:
    row = {"event_id": "e1", "ts": LATER, "actor": A, "target": B, "type": kind, "detail": detail}
    return pd.DataFrame([row])


def may_meet(extra: dict[str, pd.DataFrame], *, past: bool = False) -> bool:
    people = population_of(load_tables(TABLES | extra, AS_OF, past=past))
    return bool(Policy.default().may_meet(people, [people.ids.row(A)], [people.ids.row(B)])[0])


SAFETY = {
    "block": {"blocks": pd.DataFrame({"actor": [B], "target": [A], "ts": [LATER]})},
    "report": {
        "reports": pd.DataFrame({"actor": [A], "target": [B], "ts": [LATER], "category": ["harassment"]})
    },
    "hold": {"holds": pd.DataFrame({"user_id": [A], "ts": [LATER], "state": ["active"]})},
    "an event": {"events": event("block")},
}


@pytest.mark.parametrize("name", SAFETY)
def test_it_counts_at_once(name: str) -> None:
    assert may_meet({})
    assert not may_meet(SAFETY[name])


@pytest.mark.parametrize("name", SAFETY)
def test_a_look_at_the_past_sees_the_past_alone(name: str) -> None:
    assert may_meet(SAFETY[name], past=True)


@pytest.mark.parametrize(
    "extra",
    [
        {"events": event("pass")},
        {"holds": pd.DataFrame({"user_id": [A], "ts": [LATER], "state": ["lifted"]})},
    ],
)
def test_what_is_no_matter_of_safety_waits(extra: dict[str, pd.DataFrame]) -> None:
    assert may_meet(extra)


YEARS = (
    *("2030-01-01T00:00:00Z", "2262-04-12T00:00:00Z", "9999-12-31T23:59:59.999999Z"),
    *("9999-12-31T23:59:59+14:00", "9999-12-31T23:59:59-12:00", "later today", "infinity"),
)
RESTRICTS = {
    "a block": ("blocks", {"actor": B, "target": A}),
    "a report": ("reports", {"actor": A, "target": B, "category": "harassment"}),
    "a hold": ("holds", {"user_id": A, "state": "active"}),
    "a hide": ("events", {"event_id": "x", "actor": A, "target": B, "type": "hide"}),
    "a ban": ("profiles", {"user_id": A, "account_state": "banned"}),
    "a pause": ("profiles", {"user_id": A, "account_state": "paused"}),
    "a line": ("boundaries", {"user_id": A, "channels": ()}),
}
OPENS = {
    "a like": ("events", {"event_id": "x", "actor": A, "target": B, "type": "like"}),
    "a proof": ("events", {"event_id": "x", "actor": A, "type": "verified", "detail": "id"}),
    "a lift": ("holds", {"user_id": HELD, "state": "lifted"}),
    "an account": ("profiles", {"user_id": PAUSED, "account_state": "active"}),
    "a far wish": ("profiles", {"user_id": A, "max_distance_km": 20000}),
}


INFINITY = "infinity"


def infinite_at_the_end(times: pd.Series) -> pd.Series:
    """Return times as a database hands them over, in a zone of its own, whose last is its `infinity`."""
    given = pd.to_datetime(times.map(lambda one: None if pd.isna(one) else str(one)), utc=True)
    held = given.dt.tz_convert(None).to_numpy().astype("datetime64[us]")
    held[-1] = np.datetime64(np.iinfo(np.int64).max, "us")
    return pd.Series(held).dt.tz_localize("UTC").dt.tz_convert(ZoneInfo("UTC"))


def with_row(name: str, values: dict[str, object], when: str) -> dict[str, pd.DataFrame]:
    """Return the tables with one more row dated ahead: of a person the last one, with other values."""
    time = str(pd.Timestamp.now("UTC") + pd.Timedelta(hours=5)) if when == "later today" else when
    time = str(LATER) if when == INFINITY else time
    table = ALL[name].astype(object)
    of_user = table[table["user_id"].eq(values["user_id"])] if "user_id" in table else table[:0]
    row = {**(of_user.iloc[-1].to_dict() if len(of_user) else {}), **values, DATED[name]: time}
    rows = pd.concat([table, pd.Series(row).to_frame().T], ignore_index=True)
    if when == INFINITY:
        rows[DATED[name]] = infinite_at_the_end(rows[DATED[name]])
        return ALL | {name: rows}
    rows[DATED[name]] = rows[DATED[name]].map(lambda one: None if pd.isna(one) else str(one))
    return ALL | {name: rows}


def pairs(people: Population) -> set[tuple[str, str]]:
    i, j = np.divmod(np.arange(len(people) ** 2), len(people))
    may = Policy.default().may_meet(people, i, j)
    return set(zip(people.ids.ids(i[may]).tolist(), people.ids.ids(j[may]).tolist(), strict=True))


@pytest.mark.parametrize("when", YEARS)
@pytest.mark.parametrize("name", [*RESTRICTS, *OPENS])
def test_a_row_dated_after_the_clock_restricts_and_does_nothing_else(name: str, when: str) -> None:
    table, values = (RESTRICTS | OPENS)[name]
    tables, before = with_row(table, values, when), pairs(BASE)
    with pytest.warns(
        UserWarning, match=f"dated after the clock.*1 in {table}, the first in row {len(ALL[table])}"
    ):
        of_night = load_sorted(tables, None)
    with pytest.warns(UserWarning, match="dated after the clock"):
        plain = load_population(tables)
    people = population_of(of_night)
    assert people.as_of == plain.as_of == BASE.as_of
    assert {name: of.rows for name, of in of_night.ahead.items()} == {table: 1}
    assert len(events_of(of_night)) == len(EVENTS)
    assert pairs(people) == pairs(plain)
    assert (pairs(people) < before) if name in RESTRICTS else (pairs(people) == before)


def test_rows_within_the_tolerance_of_the_clock_have_come() -> None:
    soon = pd.Timestamp.now("UTC") + pd.Timedelta(minutes=30)
    assert load_sorted(with_row(*RESTRICTS["a block"], str(soon)), None).as_of == soon
    with pytest.warns(UserWarning, match="dated after the clock"):
        found = load_sorted(with_row(*RESTRICTS["a block"], str(soon)), None, tolerance=timedelta(0))
    assert found.as_of == BASE.as_of
