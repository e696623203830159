"""The tables of one person, read value by value: the population that a night's reading gives, or none."""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue import load_catalogue
from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.data import single_person
from recsys.data.population import Population
from recsys.data.single_person import population_of_one
from recsys.data.tables import CONTRACTS
from recsys.ranking.cold_start import one_person
from recsys.ranking.profile_tables import ProfileTables
from recsys.storage.load import load_population, load_tables
from recsys.testing.people import EASY_TO_LIST, make_tables

Rows = dict[str, list[dict[str, Any]]]
SENSITIVE = next(one for one in load_catalogue().questions.values() if one.sensitive)


def assert_same(one: Any, other: Any, where: str = "person") -> None:
    """Hold two values, or everything inside two objects, against each other with their types."""
    assert type(one) is type(other), where
    if isinstance(one, Catalogue):
        assert one is other, where
    elif is_dataclass(one):
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name), f"{where}.{field.name}")
    elif isinstance(one, Mapping):
        assert list(one) == list(other), where
        for key in one:
            assert_same(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, obj=where)
    elif isinstance(one, np.ndarray):
        assert (one.dtype, one.shape, one.tolist()) == (other.dtype, other.shape, other.tolist()), where
    else:
        assert one == other, where


def tables_of(seed: int, **overrides: Any) -> dict[str, pd.DataFrame]:
    tables = make_tables(1, np.random.default_rng(seed), unknown=0.0, **(EASY_TO_LIST | overrides))
    return {name: table for name, table in tables.items() if len(table) and name != "holds"}


def rows_of(tables: Mapping[str, pd.DataFrame]) -> Rows:
    return {
        name: json.loads(table.to_json(orient="records", date_format="iso")) for name, table in tables.items()
    }


def read(tables: Any, catalogue: Catalogue | None = None) -> Population | None:
    return population_of_one(ProfileTables(tables).columns, catalogue or load_catalogue())


@pytest.mark.parametrize("seed", [3, 10])
@pytest.mark.parametrize("form", [dict, rows_of], ids=["tables", "json"])
def test_sound_tables_give_the_population_of_a_night(seed: int, form: Callable[[Any], Any]) -> None:
    given = form(tables_of(seed))
    plain = read(given)
    assert plain is not None
    assert_same(plain, load_population(ProfileTables(given).frames))


def test_tables_without_a_time_are_read_as_of_now() -> None:
    rows = rows_of(tables_of(3))
    for row in (row for table in rows.values() for row in table):
        row.pop(C.VALID_FROM, None)
    plain, given = read(rows), ProfileTables(rows)
    assert plain is not None
    assert abs(plain.as_of - pd.Timestamp.now("UTC")) < pd.Timedelta(days=1)
    assert_same(plain, load_population(given.frames, plain.as_of))
    rows["profiles"][0][C.MAX_DISTANCE_KM] = "12"
    rows["holds"] = [{C.USER: "u00000", C.TS: None, C.STATE: "lifted"}]
    assert read(rows) is None
    assert len(one_person("u00000", ProfileTables(rows), load_catalogue())) == 1


def test_answers_of_a_services_own_catalogue_are_read_as_a_night_reads_them() -> None:
    questions = [
        {"question_id": "age", "label": "Age", "kind": "number", "least": 18, "most": 98, "step": 5},
        {"question_id": "pets", "label": "Pets", "kind": "several"},
    ]
    options = [{"question_id": "pets", "option_id": one, "label": one} for one in ("cat", "dog")]
    own, rows = Catalogue.of(questions=questions, options=options), rows_of(tables_of(3))
    answer = {k: rows["profiles"][0][k] for k in (C.USER, C.VALID_FROM)} | {
        C.IMPORTANCE: 1,
        C.MANDATORY: False,
    }
    answer |= {C.VISIBILITY: "public", C.ACCEPTED: None}
    rows["answers"] = [
        answer | {C.QUESTION: "age", C.ANSWER: 34.5, C.ACCEPTED: ["33..47"]},
        answer | {C.QUESTION: "pets", C.ANSWER: ["dog", "cat"]},
    ]
    rows["talk_topics"], rows["boundaries"][0][C.TOPICS_AVOID] = [], None
    tables = {name: table for name, table in rows.items() if table}
    plain = read(tables, own)
    assert plain is not None
    assert plain.long.answers[C.ANSWER].tolist() == ["33", "cat|dog"]
    assert_same(plain, load_population(ProfileTables(tables).frames, catalogue=own))


def _row(table: str, **values: Any) -> Callable[[Rows], object]:
    return lambda rows: rows[table][0].update(values)


def _again(table: str, times: int = 1, **values: Any) -> Callable[[Rows], object]:
    def change(rows: Rows) -> None:
        rows.setdefault(table, []).extend([{**(rows[table] or [{}])[0], **values}] * times)

    return change


BETWEEN = {C.ACTOR: "u00000", C.TARGET: "u1", C.TS: "2026-01-05T00:00Z"}
LEFT_TO_A_NIGHT: dict[str, Callable[[Rows], object]] = {
    "age outside the band": _row("profiles", age_years=90),
    "ages end before they begin": _row("profiles", min_age_years=40, max_age_years=30),
    "age unproved": _row("profiles", verification="none"),
    "two profiles": _again("profiles", valid_from="2026-01-04T00:00Z"),
    "two boundaries": _again("boundaries", valid_from="2026-01-04T00:00Z"),
    "row of another": _row("interests", user_id="u1"),
    "option of no question": _row("answers", answer="zebra"),
    "option of another question": _row("answers", question_id=SENSITIVE.id),
    "sensitive without consent": _row(
        "answers", question_id=SENSITIVE.id, answer=SENSITIVE.answers[0], accepted=None, consent_id=None
    ),
    "sensitive and mandatory": _row(
        "answers",
        **{C.QUESTION: SENSITIVE.id, C.ANSWER: SENSITIVE.answers[0], C.ACCEPTED: [SENSITIVE.answers[0]]},
        **{C.CONSENT: "yes", C.MANDATORY: True, C.VISIBILITY: "public"},
    ),
    "mandatory and private": _row("answers", mandatory=True, visibility="match_only"),
    "mandatory and open": _row("answers", mandatory=True, visibility="public", accepted=None),
    "answer repeated": _again("answers"),
    "interest repeated": _again("interests"),
    "many interests": lambda rows: rows["interests"].extend(
        [{**rows["interests"][0], C.TAG: f"thing {at}"} for at in range(31)]
    ),
    "topic repeated": _again("talk_topics"),
    "later row": _row("interests", valid_from="2999-01-01T00:00Z"),
    "block": lambda rows: rows.update(blocks=[BETWEEN]),
    "hold": lambda rows: rows.update(holds=[{C.USER: "u00000", C.TS: BETWEEN[C.TS], C.STATE: "active"}]),
    "unknown table": lambda rows: rows.update(wallet=[{C.USER: "u00000"}]),
    "unknown column": _row("profiles", salary=1),
    "missing column": lambda rows: rows["boundaries"][0].pop(C.CHANNELS),
    "no boundaries": lambda rows: rows.pop("boundaries"),
}


@pytest.mark.parametrize("change", LEFT_TO_A_NIGHT.values(), ids=LEFT_TO_A_NIGHT)
def test_what_is_not_plain_is_left_to_a_nights_reading(change: Callable[[Rows], object]) -> None:
    """Each rule was taken out of the module once, and its line here seen to fail."""
    rows = rows_of(tables_of(3))
    assert read(rows) is not None
    change(rows)
    assert read(rows) is None


def test_a_rule_that_is_not_read_here_leaves_everybody_to_a_nights_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {**single_person._RULES, "profiles": frozenset({"proved_age"})}
    monkeypatch.setattr(single_person, "_RULES", known)
    monkeypatch.setattr(single_person, "_contracts", single_person._contracts.__wrapped__)
    assert read(tables_of(3)) is None


STRANGE = (
    *(None, float("nan"), "", "zebra", "ja", "ja|en", "|", "none", "banned", "u1", "5", " 5", "inf", "TRUE"),
    *("2026-01-05", "2026-01-05T09:00:00+09:00", "2026-01-05 24:00Z", "2999-01-01T00:00Z", "\ud800", "a\0b"),
    *(0, 1, 3, 30, 90, -1, 2.5, 10**30, True, False, [], ["zebra"], ["ja", "en"], [None], {"a": 1}),
)


@settings(max_examples=40)
@given(data=st.data(), seed=st.sampled_from([3, 10]), as_json=st.booleans())
def test_any_value_anywhere_gives_the_population_of_a_night_or_none(
    data: st.DataObject, seed: int, as_json: bool
) -> None:
    tables: Any = rows_of(tables_of(seed)) if as_json else tables_of(seed)
    name = data.draw(st.sampled_from(sorted(tables)))
    column = data.draw(st.sampled_from(CONTRACTS[name].columns))
    value = data.draw(st.sampled_from(STRANGE))
    if as_json:
        tables[name][0][column] = value
    else:
        given_as = object if isinstance(value, str) else None
        values = pd.Series([value] * len(tables[name]), dtype=given_as)
        tables[name] = tables[name].assign(**{column: values})
    plain = read(tables)
    if plain is None:
        return
    frames = ProfileTables(tables).frames
    assert load_tables(frames).quarantine.empty
    assert_same(plain, load_population(frames))
