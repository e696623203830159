"""From tables to people: nothing is lost, and what cannot be read never lets a pair through."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.exclusions import EXCLUSION_REASONS
from recsys.data.population import Population
from recsys.data.quarantine import COLUMNS
from recsys.data.times import as_utc
from recsys.errors import InputError, SourceError, TableError
from recsys.storage.load import load_events, load_population, load_tables, population_of
from recsys.testing.people import AS_OF, make_tables

DAY = "2026-01-05T00:00:00Z"


def tables(n: int = 6) -> dict[str, pd.DataFrame]:
    made = make_tables(n, np.random.default_rng(0), unknown=0.0)
    return made | {T.HOLDS: made[T.HOLDS].head(0)}


def events(*rows: dict[str, Any]) -> pd.DataFrame:
    plain = {C.TS: DAY, C.ACTOR: "u00000", C.TARGET: "u00001", C.TYPE: "like", C.DETAIL: None}
    return pd.DataFrame([{C.EVENT: f"e{at}"} | plain | row for at, row in enumerate(rows)])


def block(actor: str, target: str | None, ts: str | None = DAY) -> pd.DataFrame:
    return pd.DataFrame({C.ACTOR: [actor], C.TARGET: pd.Series([target], dtype=object), C.TS: [ts]})


def separated(people: Population) -> set[tuple[str, str, str]]:
    known = people.relations
    return {
        (*people.ids.ids(pair), EXCLUSION_REASONS[why])
        for pair, why in zip(known.excluded, known.reason, strict=True)
    }


def test_valid_tables_become_people() -> None:
    people = load_population(tables(), AS_OF)
    assert list(people.ids.ids(range(6))) == [f"u{n:05d}" for n in range(6)]
    assert people.as_of == AS_OF
    assert people.has_boundaries.all()
    assert not people.held.any()
    assert people.source == "memory"


def test_relations_come_with_the_people() -> None:
    given = tables() | {T.EVENTS: events({}, {C.TYPE: "pass"}), T.BLOCKS: block("u00002", "u00003")}
    people = load_population(given, AS_OF)
    assert separated(people) == {("u00000", "u00001", "pass"), ("u00002", "u00003", "block")}


def test_counts_add_up_and_the_quarantine_names_the_rows() -> None:
    given = tables()
    given[T.PROFILES].loc[2, C.GENDER] = "?"
    loaded = load_tables(given, AS_OF)
    assert (loaded.counts["rows_in"] == loaded.counts["accepted"] + loaded.counts["quarantined"]).all()
    assert loaded.counts.set_index("table")["rows_in"].to_dict() == {n: len(f) for n, f in given.items()}
    assert tuple(loaded.quarantine.columns) == COLUMNS
    assert loaded.counts["quarantined"].sum() == len(loaded.quarantine)
    first = loaded.quarantine.iloc[0]
    assert (first["table"], first["row_number"], first["user_id"]) == ("profiles", 2, "u00002")
    assert json.loads(first["values"])[C.GENDER] == "?"
    orphans = loaded.quarantine.iloc[1:]
    assert set(orphans["codes"]) == {"user_id.orphan"}
    assert set(orphans["user_id"]) == {"u00002"}
    assert "u00002" not in population_of(loaded).ids


def test_an_empty_quarantine_has_the_same_columns() -> None:
    assert tuple(load_tables(tables(), AS_OF).quarantine.columns) == COLUMNS


def test_every_broken_table_is_told_at_once() -> None:
    given = tables()
    given[T.PROFILES] = given[T.PROFILES].drop(columns=[C.GENDER])
    given[T.INTERESTS] = given[T.INTERESTS].assign(price=1)
    with pytest.raises(TableError) as caught:
        load_population(given)
    assert "profiles: missing column: got 'gender'" in str(caught.value)
    assert "interests: payment is refused: got 'price'" in str(caught.value)


@pytest.mark.parametrize("lacking", [T.PROFILES, T.BOUNDARIES])
def test_people_need_profiles_and_boundaries(lacking: str) -> None:
    given = {name: table for name, table in tables().items() if name != lacking}
    with pytest.raises(SourceError, match=f"no table '{lacking}' in memory; add the table '{lacking}'"):
        load_population(given)


def test_the_other_tables_may_be_lacking() -> None:
    given = tables()
    people = load_population({name: given[name] for name in (T.PROFILES, T.BOUNDARIES)})
    assert len(people) == 6


def test_without_a_time_the_latest_of_the_source_is_taken() -> None:
    given = tables() | {T.EVENTS: events({C.TS: "2026-05-01T00:00Z"}, {C.TS: "2026-04-01T00:00Z"})}
    assert load_population(given).as_of == as_utc("2026-05-01")


def test_without_any_time_one_must_be_given() -> None:
    given = tables()
    bare = {name: given[name].drop(columns=[C.VALID_FROM]) for name in (T.PROFILES, T.BOUNDARIES)}
    with pytest.raises(InputError, match="give as_of"):
        load_population(bare)
    assert len(load_population(bare, "2026-01-05")) == 6


def test_what_is_later_than_the_time_is_not_known_yet() -> None:
    given = tables() | {T.EVENTS: events({}, {C.TS: "2026-01-09T00:00Z", C.TYPE: "pass"})}
    loaded = load_tables(given, "2026-01-06")
    assert loaded.quarantine["codes"].tolist() == ["ts.future"]
    assert separated(population_of(loaded)) == set()


@pytest.mark.parametrize("ts", ["2026-01-05T00:00:00", None, "long ago"])
def test_a_block_that_cannot_be_read_separates_all_the_same(ts: str | None) -> None:
    other = block("u00004", "u00005")
    given = tables() | {T.BLOCKS: pd.concat([block("u00003", "u00001", ts), other])}
    loaded = load_tables(given, AS_OF)
    assert len(loaded.accepted[T.BLOCKS]) == 1
    assert ("u00001", "u00003", "block") in separated(population_of(loaded))


def test_a_block_that_is_yet_to_come_separates_at_once() -> None:
    given = tables() | {T.BLOCKS: block("u00003", "u00001", "2027-01-05T00:00Z")}
    assert separated(load_population(given, AS_OF)) == {("u00001", "u00003", "block")}
    assert separated(population_of(load_tables(given, AS_OF, past=True))) == set()


@pytest.mark.parametrize(
    ("row", "apart"),
    [
        ({C.TYPE: "block", C.TS: "2026-01-05"}, True),
        ({C.TYPE: "Block"}, True),
        ({C.TYPE: "report", C.DETAIL: "ugly"}, True),
        ({C.TYPE: "meet_feedback", C.DETAIL: "not_safe"}, True),
        ({C.TYPE: "meet_feedback", C.DETAIL: None}, True),
        ({C.TYPE: "feeling_check", C.DETAIL: "pressured", C.POSITION: -1}, True),
        ({C.TYPE: "end", C.DETAIL: None}, True),
        ({C.TYPE: "money_request", C.TS: "2026-01-05"}, True),
        ({C.TYPE: "meet_feedback", C.DETAIL: "safe_again", C.POSITION: -1}, False),
        ({C.TYPE: "like", C.TS: "2026-01-05"}, False),
        ({C.TYPE: "superlike"}, False),
        ({C.TYPE: "block", C.TS: "2027-01-05T00:00Z"}, True),
        ({C.TYPE: "like", C.TS: "2027-01-05T00:00Z"}, False),
    ],
)
def test_which_refused_events_separate(row: dict[str, Any], apart: bool) -> None:
    frame = events({C.POSITION: 0} | row, {C.ACTOR: "u00004", C.TARGET: "u00005", C.POSITION: 0})
    loaded = load_tables(tables() | {T.EVENTS: frame}, AS_OF)
    assert len(loaded.quarantine) == 1
    assert separated(population_of(loaded)) == ({("u00000", "u00001", "block")} if apart else set())


@pytest.mark.parametrize(
    ("ts", "state", "held"), [(None, "active", True), (DAY, "activ", True), (None, "lifted", False)]
)
def test_a_hold_that_cannot_be_read_holds(ts: str | None, state: str, held: bool) -> None:
    fine = {C.USER: "u00005", C.TS: DAY, C.STATE: "lifted"}
    holds = pd.DataFrame([{C.USER: "u00001", C.TS: ts, C.STATE: state}, fine])
    people = load_population(tables() | {T.HOLDS: holds}, AS_OF)
    assert people.held.tolist() == [False, held, False, False, False, False]


def test_a_plain_hash_holds_the_person_whose_exclusions_are_not_known() -> None:
    given = tables()
    tokens = given[T.TOKENS]
    tokens.loc[0, C.HMAC] = "0" * 64
    people = load_population(given, AS_OF)
    assert people.held[people.ids.row(tokens.loc[0, C.USER])]
    assert people.held.sum() == 1


def test_a_refused_profile_does_not_bring_the_older_one_back() -> None:
    given = tables()
    newer = (
        given[T.PROFILES].iloc[[1]].assign(**{C.VALID_FROM: as_utc("2026-02-01"), C.ACCOUNT_STATE: "baned"})
    )
    given[T.PROFILES] = pd.concat([given[T.PROFILES], newer])
    people = load_population(given, AS_OF)
    assert "u00001" not in people.ids
    assert len(people) == 5


def test_a_refused_boundary_leaves_its_person_without_boundaries() -> None:
    given = tables()
    given[T.BOUNDARIES].loc[1, C.ROMANCE_LINE] = "?"
    people = load_population(given, AS_OF)
    assert people.has_boundaries.tolist() == [True, False, True, True, True, True]


@pytest.mark.parametrize("ts", [DAY, "2027-01-01T00:00Z", "2026-01-05"])
def test_an_erased_person_is_in_no_table_from_whatever_time(ts: str) -> None:
    given = tables()
    gone = {C.TYPE: "erase", C.ACTOR: "u00001", C.TARGET: None, C.TS: ts}
    given[T.EVENTS] = events({}, gone, {C.ACTOR: "u00001", C.TARGET: "u00000"}, {C.TARGET: "u00002"})
    given[T.BLOCKS] = block("u00001", "u00002")
    given[T.INTERESTS].loc[given[T.INTERESTS][C.USER] == "u00001", C.LEVEL] = 99
    loaded = load_tables(given, AS_OF)
    assert (loaded.counts["rows_in"] == loaded.counts["accepted"] + loaded.counts["quarantined"]).all()
    assert "u00001" not in population_of(loaded).ids
    left = {name: table for name, table in loaded.accepted.items() if name != T.EVENTS}
    assert all("u00001" not in table.to_csv() for table in left.values())
    kept = loaded.accepted[T.EVENTS]
    assert kept.loc[kept[C.TYPE] != "erase", C.TARGET].tolist() == ["u00002"]
    assert "u00001" not in loaded.quarantine.to_csv()
    assert "person.erased" in set(loaded.quarantine["codes"])


def test_events_alone_load_whatever_their_ids() -> None:
    frame = events({C.ACTOR: "😀 a.b", C.TARGET: "日本"}, {C.ACTOR: "x" * 256, C.TARGET: "p/q"})
    assert len(load_events({T.EVENTS: frame})) == 2
    assert len(load_events({T.EVENTS: frame}, "2026-01-01")) == 0


def test_events_need_an_event_table() -> None:
    with pytest.raises(SourceError, match="no table 'events'"):
        load_events(tables())


def test_loading_does_not_change_what_was_given() -> None:
    given = tables() | {T.EVENTS: events({}, {C.TYPE: "erase", C.TARGET: None})}
    before = {name: table.copy(deep=True) for name, table in given.items()}
    load_population(given, AS_OF)
    for name, table in given.items():
        pd.testing.assert_frame_equal(table, before[name])


def test_the_order_of_rows_does_not_matter_to_people() -> None:
    given = tables()
    shuffled = {name: table.sample(frac=1, random_state=0) for name, table in given.items()}
    one, other = load_population(given, AS_OF), load_population(shuffled, AS_OF)
    assert one.ids == other.ids
    assert one.cells.tolist() == other.cells.tolist()
    assert one.codes(C.GENDER).tolist() == other.codes(C.GENDER).tolist()


def test_a_table_of_profiles_of_which_none_can_be_used_is_told() -> None:
    """Seen to give nobody without a word, for person tokens that are no tokens."""
    made = make_tables(2, np.random.default_rng(0), unknown=0.0)
    tables = {name: made[name] for name in (T.PROFILES, T.BOUNDARIES)}
    tables[T.PROFILES] = tables[T.PROFILES].assign(**{C.PERSON_TOKEN: ["t0", "t1"]})
    with pytest.warns(UserWarning, match=r"every profile is set aside.*2 person_token\.not_a_token"):
        assert len(load_population(tables, AS_OF)) == 0
