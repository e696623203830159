"""A night's tables hold the same whether its events are texts or were kept as categories from the start."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.contract import _are_different
from recsys.data.events import Events
from recsys.data.shared_values import are_equal, without_categories
from recsys.data.tables import read_and_check
from recsys.errors import TableError
from recsys.simulation.town import DEFAULT_AS_OF, make_town
from recsys.storage.load import events_of, load_sorted, load_tables, population_of
from recsys.storage.population_files import write_people
from recsys.storage.table_files import write_tables
from recsys.testing.people import AS_OF, make_tables

_TYPES = st.sampled_from(["like", "pass", "impression", "feeling_check", "wink", "block", "erase", None])
_PEOPLE = st.sampled_from(["a", "b", "U1", "u1", "u\x00", None])
_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            C.EVENT: st.sampled_from([*"mnopqrstuvw", None]),
            C.TS: st.one_of(
                st.none(), st.integers(0, 5).map(lambda day: pd.Timestamp(f"2026-01-0{day + 1}", tz="UTC"))
            ),
            C.ACTOR: _PEOPLE,
            C.TARGET: _PEOPLE,
            C.TYPE: _TYPES,
            C.SURFACE: st.sampled_from(["list", "", None]),
            C.POSITION: st.sampled_from([1.0, 2.0, 0.5, None]),
            C.PROPENSITY: st.sampled_from([0.5, 2.0, None]),
            C.MODEL_VERSION: st.sampled_from(["one", "two", None]),
            C.DETAIL: st.sampled_from(["safe", "unsafe", "harassment", "odd", None]),
            C.COUNT: st.sampled_from([3.0, None]),
            C.REPLY_LAG_H: st.sampled_from([1.5, None]),
        }
    ),
    max_size=14,
)


@settings(deadline=None)
@given(rows=_ROWS, categories=st.booleans())
def test_events_kept_as_categories_are_checked_and_sorted_as_texts_are(
    rows: list[dict[str, Any]], categories: bool
) -> None:
    names = [C.EVENT, C.TS, C.ACTOR, C.TARGET, C.TYPE, C.SURFACE, C.POSITION, C.PROPENSITY]
    names += [C.MODEL_VERSION, C.DETAIL, C.COUNT, C.REPLY_LAG_H]
    texts = (C.EVENT, C.ACTOR, C.TARGET, C.TYPE, C.SURFACE, C.MODEL_VERSION, C.DETAIL)
    frame = pd.DataFrame(rows, columns=names).astype(dict.fromkeys(texts, object))
    frame[C.TS] = pd.to_datetime(frame[C.TS], utc=True)
    frame[C.EVENT] = frame[C.EVENT].astype("str")
    if categories:
        frame = frame.astype(dict.fromkeys(texts[1:], "category"))
    as_of = pd.Timestamp("2026-01-04", tz="UTC")
    plain, coded = (read_and_check(T.EVENTS, frame.copy, as_of=as_of, coded=coded) for coded in (False, True))
    pd.testing.assert_frame_equal(without_categories(coded.accepted), plain.accepted)
    pd.testing.assert_frame_equal(coded.quarantined, plain.quarantined)
    pd.testing.assert_frame_equal(coded.later, plain.later)
    assert coded.restrictions == plain.restrictions
    expected = Events.of(plain.accepted).compact().frame if len(plain.accepted) else Events.none().frame
    found = Events.compact_of(coded.accepted).frame
    if len(expected):
        pd.testing.assert_frame_equal(found, expected)
        for name in (C.ACTOR, C.TYPE, C.DETAIL, C.MODEL_VERSION):
            assert found[name].cat.categories.tolist() == expected[name].cat.categories.tolist()
    assert len(found) == len(expected)


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from(["a", "b", "c", None])] * 2), max_size=12))
def test_columns_are_equal_where_their_texts_are(rows: list[tuple[str | None, str | None]]) -> None:
    expected = [a is not None and a == b for a, b in rows]
    for dtype in (object, "category"):
        one, other = (pd.Series([row[at] for row in rows], dtype=dtype) for at in (0, 1))
        assert are_equal(one, other).tolist() == expected


@pytest.mark.parametrize("seed", [3, 4])
def test_a_town_loads_as_it_does_with_texts(seed: int, tmp_path: Any) -> None:
    town = make_town(150, np.random.default_rng(seed))
    write_tables(town.tables, f"parquet:{tmp_path / 'tables'}")
    for source in (town.tables, f"parquet:{tmp_path / 'tables'}"):
        plain, found = load_tables(source, DEFAULT_AS_OF), load_sorted(source, DEFAULT_AS_OF)
        pd.testing.assert_frame_equal(found.quarantine, plain.quarantine)
        pd.testing.assert_frame_equal(found.counts, plain.counts)
        assert (found.restrictions, found.nobody) == (plain.restrictions, plain.nobody)
        pd.testing.assert_frame_equal(events_of(found).frame, events_of(plain).compact().frame)
        for name, tables in (("plain", plain), ("found", found)):
            write_people(population_of(tables), tmp_path / name, made_from="")
        for path in sorted((tmp_path / "plain").rglob("*")):
            if path.is_file():
                assert (
                    path.read_bytes()
                    == (tmp_path / "found" / path.relative_to(tmp_path / "plain")).read_bytes()
                )


def test_a_large_town_checked_in_turns_is_the_same_town(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Answers after events, and relations without the impressions: as where memory is short."""
    tables = make_town(60, np.random.default_rng(5)).tables
    write_people(population_of(load_sorted(tables, DEFAULT_AS_OF)), tmp_path / "at once")
    monkeypatch.setattr("recsys.storage.check_tables.takes_too_much", lambda n_bytes: True)
    monkeypatch.setattr("recsys.data.events.LARGE_LOG", 0)
    in_turns = population_of(load_sorted(tables, DEFAULT_AS_OF), answers_last_read=True)
    write_people(in_turns, tmp_path / "in turns")
    for file in sorted((tmp_path / "at once").iterdir()):
        assert file.read_bytes() == (tmp_path / "in turns" / file.name).read_bytes(), file.name


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(*[st.sampled_from(["a", "b", "c", None])] * 3), min_size=2, max_size=6),
    few_numbers=st.booleans(),
)
def test_rows_are_different_where_no_two_are_equal(
    rows: list[tuple[str | None, ...]], few_numbers: bool
) -> None:
    columns = [pd.Series(column, dtype=object) for column in zip(*rows, strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        if few_numbers:  # rows are numbered anew before each column
            patch.setattr("recsys.data.contract._MOST_NUMBERS", 0)
        assert _are_different(columns) == (len(set(rows)) == len(rows))


def test_no_events_at_all_are_none() -> None:
    tables = dict(make_town(30, np.random.default_rng(1)).tables)
    empty = tables | {T.EVENTS: tables[T.EVENTS].iloc[:0]}
    lacking = {name: rows for name, rows in tables.items() if name != T.EVENTS}
    for source in (empty, lacking):
        assert len(events_of(load_sorted(source, DEFAULT_AS_OF))) == 0
        assert len(population_of(load_sorted(source, DEFAULT_AS_OF))) == 30


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("broken", [(T.EVENTS,), (T.EVENTS, T.ANSWERS), (T.PROFILES,)])
def test_broken_tables_are_told_alike_by_any_number_of_threads(
    broken: tuple[str, ...], threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.storage.load.n_threads", lambda: threads)
    tables = dict(make_town(30, np.random.default_rng(2)).tables)
    whole = events_of(load_sorted(tables, DEFAULT_AS_OF)).frame
    pd.testing.assert_frame_equal(whole, events_of(load_tables(tables, DEFAULT_AS_OF)).compact().frame)
    for name in broken:
        tables[name] = tables[name].assign(odd=1)
    with pytest.raises(TableError) as expected:
        load_tables(tables, DEFAULT_AS_OF)
    with pytest.raises(TableError) as found:
        load_sorted(tables, DEFAULT_AS_OF)
    assert str(found.value) == str(expected.value)


OPTIONAL = (T.BLOCKS, T.REPORTS, T.HOLDS, T.TOKENS, C.PERSON_TOKEN)


@pytest.mark.parametrize("kept", [kept for n in range(6) for kept in combinations(OPTIONAL, n)], ids=str)
def test_events_restrict_whatever_other_tables_there_are(kept: tuple[str, ...], tmp_path: Any) -> None:
    """Seen to fail: of sorted events none kept anybody apart beside no blocks, reports, holds and tokens."""
    tables = make_tables(8, np.random.default_rng(2), unknown=0.0)
    users, at = tables[T.PROFILES][C.USER].tolist(), AS_OF - pd.Timedelta(days=1)
    said = [("block", users[1], None), ("hide", users[2], None), ("end", users[3], "unsafe")]
    said += [("like", users[4], None)]
    events = [(f"e{kind}", at, users[0], target, kind, detail) for kind, target, detail in said]
    tables[T.EVENTS] = pd.DataFrame(events, columns=[C.EVENT, C.TS, C.ACTOR, C.TARGET, C.TYPE, C.DETAIL])
    for name in (T.BLOCKS, T.REPORTS):
        more = [C.CATEGORY] if name == T.REPORTS else []
        tables[name] = pd.DataFrame(columns=[C.ACTOR, C.TARGET, C.TS, *more])
    for name in {T.BLOCKS, T.REPORTS, T.HOLDS, T.TOKENS} - {*kept}:
        tables.pop(name, None)
    if C.PERSON_TOKEN not in kept:
        tables[T.PROFILES] = tables[T.PROFILES].drop(columns=C.PERSON_TOKEN, errors="ignore")
    plain, found = (population_of(load(tables, AS_OF)) for load in (load_tables, load_sorted))
    write_people(plain, tmp_path / "plain", made_from="")
    write_people(found, tmp_path / "found", made_from="")
    for file in sorted((tmp_path / "plain").iterdir()):
        assert file.read_bytes() == (tmp_path / "found" / file.name).read_bytes(), file.name
    apart = {frozenset(found.ids.ids(pair).tolist()) for pair in found.relations.excluded}
    assert {frozenset({users[0], one}) for one in users[1:4]} <= apart
    assert frozenset({users[0], users[4]}) not in apart
