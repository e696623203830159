"""A person who is out is out with every account, whatever is wrong with the rows that link their accounts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.constraints.policy import may_show_each
from recsys.data.population import Population
from recsys.pipeline.night_safety import HoldStates, note_night
from recsys.safety.keys import Keys
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import Who
from recsys.storage.load import load_population
from recsys.storage.population_files import read_people, write_people

pytestmark = pytest.mark.usefixtures("tables_checked_once")

NOW = pd.Timestamp("2026-01-05T03:00Z")
LATER, EARLIER = NOW + pd.Timedelta(days=900), pd.Timestamp("2020-01-01T00:00Z")
FIRST, SECOND = (f"hmac1:{'ab' * 32}", f"hmac1:{'cd' * 32}")
Rows = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def town() -> Rows:
    return dict(recsys.make_town(60, np.random.default_rng(7)).tables)


def listed(tables: Rows, user: str) -> bool:
    people = load_population(tables, as_of=NOW)
    row = int(people.ids.find([user])[0])
    return row >= 0 and bool(recsys.Policy.default().compile(people).listed[row])


_SOMEBODY: dict[int, str] = {}


def somebody(town: Rows) -> str:
    """The first who is listed; looked for once in each town."""
    if id(town) not in _SOMEBODY:
        users = (str(user) for user in town[T.PROFILES][C.USER].unique())
        _SOMEBODY[id(town)] = next(user for user in users if listed(town, user))
    return _SOMEBODY[id(town)]


def with_profiles(town: Rows, user: str, rows: list[dict[str, Any]]) -> Rows:
    """The town in which somebody has these rows alone, made of their last one, and perhaps other accounts."""
    profiles = town[T.PROFILES]
    last = profiles[profiles[C.USER] == user].iloc[-1]
    made = pd.DataFrame([last.to_dict() | row for row in rows])
    return town | {T.PROFILES: pd.concat([profiles[profiles[C.USER] != user], made], ignore_index=True)}


OLD: dict[str, Any] = {C.USER: "zz_old", C.PERSON_TOKEN: FIRST, C.ACCOUNT_STATE: "banned"}
LINKS: dict[str, Callable[[str], list[dict[str, Any]]]] = {
    "whole": lambda _: [OLD, {C.PERSON_TOKEN: FIRST}],
    "its row is refused": lambda _: [OLD | {C.TZ: "Mars/Base"}, {C.PERSON_TOKEN: FIRST}],
    "its id is refused": lambda _: [OLD | {C.USER: "bad id!!"}, {C.PERSON_TOKEN: FIRST}],
    "its row is yet to come": lambda _: [OLD | {C.VALID_FROM: LATER}, {C.PERSON_TOKEN: FIRST}],
    "its token is in an older row": lambda _: [
        OLD | {C.VALID_FROM: EARLIER, C.ACCOUNT_STATE: "active"},
        OLD | {C.PERSON_TOKEN: None},
        {C.PERSON_TOKEN: FIRST},
    ],
    "linked by a refused row": lambda _: [
        OLD,
        {C.PERSON_TOKEN: FIRST, C.VALID_FROM: EARLIER, C.TZ: "Mars/Base"},
        {C.PERSON_TOKEN: SECOND},
    ],
    "linked by a row yet to come": lambda _: [
        OLD,
        {C.PERSON_TOKEN: SECOND},
        {C.PERSON_TOKEN: FIRST, C.VALID_FROM: LATER},
    ],
    "linked by a row in capitals": lambda user: [
        OLD,
        {C.USER: user.upper(), C.PERSON_TOKEN: FIRST, C.VALID_FROM: EARLIER, C.TZ: "Mars/Base"},
        {C.PERSON_TOKEN: SECOND},
    ],
    "linked by a whole row in capitals": lambda user: [
        OLD,
        {C.USER: user.upper(), C.PERSON_TOKEN: FIRST, C.VALID_FROM: EARLIER},
        {C.PERSON_TOKEN: SECOND},
    ],
    "its token is in a row in capitals": lambda _: [
        OLD | {C.USER: "ZZ_OLD", C.ACCOUNT_STATE: "active"},
        OLD | {C.PERSON_TOKEN: SECOND},
        {C.PERSON_TOKEN: FIRST},
    ],
    "linked by an account whose rows are refused": lambda _: [
        OLD,
        {C.USER: "zz_mid", C.PERSON_TOKEN: FIRST, C.VALID_FROM: EARLIER, C.TZ: "Mars/Base"},
        {C.USER: "zz_mid", C.PERSON_TOKEN: SECOND, C.TZ: "Mars/Base"},
        {C.PERSON_TOKEN: SECOND},
    ],
}


@pytest.mark.parametrize("link", LINKS)
def test_a_ban_reaches_the_second_account(town: Rows, link: str) -> None:
    user = somebody(town)
    assert not listed(with_profiles(town, user, LINKS[link](user)), user)


FACTS: dict[str, Callable[[str], tuple[str, dict[str, Any]]]] = {
    "block of it": lambda a: (T.BLOCKS, {C.ACTOR: a, C.TARGET: "zz_old", C.TS: EARLIER}),
    "block by it": lambda a: (T.BLOCKS, {C.ACTOR: "zz_old", C.TARGET: a, C.TS: EARLIER}),
    "report": lambda a: (T.REPORTS, {C.ACTOR: a, C.TARGET: "zz_old", C.TS: EARLIER, C.CATEGORY: "money"}),
    "event": lambda a: (T.EVENTS, happened("e1", a, "zz_old", C.TYPE, "money_request")),
    "unsafe end": lambda a: (T.EVENTS, happened("e1", a, "zz_old", C.TYPE, "end") | {C.DETAIL: "unsafe"}),
    "hold": lambda _: (T.HOLDS, {C.USER: "zz_old", C.TS: EARLIER, C.STATE: "active"}),
}
ABSENT: dict[str, list[dict[str, Any]]] = {
    "refused": [{C.TZ: "Mars/Base"}],
    "undated and refused": [{C.TZ: "Mars/Base", C.VALID_FROM: None}],
    "yet to come": [{C.VALID_FROM: LATER}],
    "yet to come and refused": [{C.VALID_FROM: LATER, C.TZ: "Mars/Base"}],
    "its token in capitals": [{C.PERSON_TOKEN: FIRST.upper()}],
    "its token broken in two": [{C.PERSON_TOKEN: f"'{FIRST[:40]}\n{FIRST[40:]}'"}],
    "its token in a row in capitals": [{C.USER: "ZZ_OLD"}, {C.PERSON_TOKEN: SECOND}],
    "erased": [{}],
}


def happened(name: str, actor: str, target: str | None, column: str, word: str) -> dict[str, Any]:
    return {C.EVENT: name, C.TS: EARLIER, C.ACTOR: actor, C.TARGET: target, column: word}


def with_absent(town: Rows, user: str, absent: str, *facts: tuple[str, dict[str, Any]]) -> Rows:
    """The town with an old account of somebody's person that is not there, and facts about it."""
    old = {C.USER: "zz_old", C.PERSON_TOKEN: FIRST}
    rows = [*(old | row for row in ABSENT[absent]), {C.PERSON_TOKEN: FIRST}]
    tables = with_profiles(town, user, rows)
    erase = [(T.EVENTS, happened("e2", "zz_old", None, C.TYPE, "erase"))] if absent == "erased" else []
    for name, row in [*facts, *erase]:
        tables = tables | {name: pd.concat([tables[name], pd.DataFrame([row])], ignore_index=True)}
    return tables


@pytest.fixture(scope="module")
def pair(town: Rows) -> tuple[str, str]:
    """Two people who may meet."""
    people = load_population(town, as_of=NOW)
    a, b = (one.ravel().astype(np.int32) for one in np.indices((len(people), len(people))))
    may = may_show_each(recsys.Policy.default(), people, a, b)
    first, second = people.ids.ids([a[may][0], b[may][0]])
    return str(first), str(second)


def may_meet(tables: Rows, a: str, b: str) -> bool:
    people = load_population(tables, as_of=NOW)
    rows = people.ids.find([a, b])
    return bool(may_show_each(recsys.Policy.default(), people, rows[:1], rows[1:])[0])


@pytest.mark.parametrize("absent", ABSENT)
def test_a_fact_about_an_account_that_is_not_there_reaches_its_person(
    town: Rows, pair: tuple[str, str], absent: str
) -> None:
    a, b = pair
    assert may_meet(with_absent(town, b, absent), a, b)
    for name, fact in (
        FACTS.items()
        if absent in {"refused", "erased", "its token in a row in capitals"}
        else [*FACTS.items()][-1:]
    ):
        assert not may_meet(with_absent(town, b, absent, fact(a)), a, b), name


@pytest.mark.parametrize(
    "row", [{C.AGE_BAND: "13-17"}, {C.ACCOUNT_STATE: "banned", C.VALID_FROM: LATER, C.TZ: "x"}]
)
def test_who_is_out_by_a_row_that_cannot_be_read_is_out_with_every_account(
    town: Rows, row: dict[str, Any]
) -> None:
    user = somebody(town)
    old = {C.USER: "zz_old", C.PERSON_TOKEN: FIRST} | row
    assert not listed(with_profiles(town, user, [old, {C.PERSON_TOKEN: FIRST}]), user)


@pytest.mark.parametrize("absent", ["", *(one for one in ABSENT if one != "erased")])
def test_a_number_excluded_is_that_of_every_account(town: Rows, pair: tuple[str, str], absent: str) -> None:
    """Seen to fail for every account without a row, while its numbers were left out with it."""
    a, b = pair
    old = {C.USER: "zz_old", C.PERSON_TOKEN: FIRST}
    rows = [old | row for row in ABSENT.get(absent, [{}])]
    tables = with_profiles(town, b, [*rows, {C.PERSON_TOKEN: FIRST}])
    number = {C.NAMESPACE: "phone", C.HMAC: SECOND}
    rows = [{C.USER: "zz_old", C.KIND: "self"} | number, {C.USER: a, C.KIND: "exclude"} | number]
    assert may_meet(tables, a, b)
    tokens = pd.concat([tables[T.TOKENS], pd.DataFrame(rows)], ignore_index=True)
    assert not may_meet(tables | {T.TOKENS: tokens}, a, b)


@pytest.mark.parametrize("absent", ["refused", "yet to come", "erased"])
def test_the_ledger_stops_and_separates_who_comes_back_with_the_token(
    town: Rows, pair: tuple[str, str], tmp_path: Path, absent: str
) -> None:
    a, b = pair

    def night(*facts: str) -> Population:
        tables = with_absent(town, b, absent, *(FACTS[fact](a) for fact in facts))
        profiles = tables[T.PROFILES]
        return load_population(tables | {T.PROFILES: profiles[profiles[C.USER] != b]}, as_of=NOW)

    ledger, people = SafetyLedger(tmp_path, Keys()), night("block of it")
    write_people(people, tmp_path / "people")
    note_night(ledger, read_people(tmp_path / "people"))
    state, new = ledger.now(), Who("new", FIRST)
    other = Who(a, people.person_tokens[people.ids.find([a])[0]])
    assert not set(state.fingerprints(other)).isdisjoint(state.separated_from(state.fingerprints(new)))
    assert not state.is_stopped(state.fingerprints(new))
    note_night(ledger, night("hold"))
    state = ledger.now()
    assert state.is_stopped(state.fingerprints(new))
    assert not state.is_stopped(state.fingerprints(Who("other", SECOND)))


def test_a_stop_by_a_row_that_cannot_be_read_ends_when_it_is_put_right(town: Rows, tmp_path: Path) -> None:
    user, ledger = somebody(town), SafetyLedger(tmp_path, Keys())
    for row, out in (({C.TZ: "x", C.ACCOUNT_STATE: "no such word"}, True), ({}, False)):
        note_night(ledger, load_population(with_profiles(town, user, [row]), as_of=NOW))
        state = ledger.now()
        assert state.is_stopped(state.fingerprints(Who(user))) is out


def test_the_ledger_keeps_what_was_said_of_an_account_whose_row_cannot_be_read(
    town: Rows, pair: tuple[str, str], tmp_path: Path
) -> None:
    """Next night the row is whole, and the ban, the block and the hold are missing: nothing lifts."""
    a, b = pair
    for name, broken, fact, stopped in (
        ("ban", {C.ACCOUNT_STATE: "banned"}, None, True),
        ("hold", {}, (T.HOLDS, {C.USER: b, C.TS: EARLIER, C.STATE: "active"}), True),
        ("block", {}, (T.BLOCKS, {C.ACTOR: a, C.TARGET: b, C.TS: EARLIER}), False),
    ):
        tables = with_profiles(town, b, [{C.TZ: "Mars/Base", C.PERSON_TOKEN: None} | broken])
        if fact:
            tables |= {fact[0]: pd.concat([tables[fact[0]], pd.DataFrame([fact[1]])], ignore_index=True)}
        ledger = SafetyLedger(tmp_path / name, Keys())
        for given in (tables, with_profiles(town, b, [{C.PERSON_TOKEN: None}])):
            source = load_population(given, as_of=NOW)
            note_night(ledger, source, holds_of(given, source.as_of))
            state = ledger.now()
            assert state.is_stopped(state.fingerprints(Who(b))) is stopped, name
            token = source.person_tokens[source.ids.find([a])[0]]
            apart = state.separated_from(state.fingerprints(Who(a, token)))
            assert apart.isdisjoint(state.fingerprints(Who(b))) is stopped, name


def holds_of(tables: Rows, as_of: pd.Timestamp) -> HoldStates:
    """What a night reads of the holds table, where profiles are dated."""
    rows = tables[T.HOLDS]
    rows = rows[rows[C.STATE].eq("active")]
    dated = tables[T.PROFILES].groupby(C.USER)[C.VALID_FROM].max().dropna().to_dict()
    return HoldStates(frozenset((str(one), "") for one in rows[C.USER]), {}, lambda: dated)


@pytest.mark.parametrize("link", LINKS)
def test_without_a_ban_they_are_listed(town: Rows, link: str) -> None:
    """What links two accounts takes nobody out when neither is; a row that may be their own does."""
    user = somebody(town)
    rows = [row | {C.ACCOUNT_STATE: "active"} for row in LINKS[link](user)]
    own = link == "linked by a row in capitals"
    assert listed(with_profiles(town, user, rows), user) is not own


def test_a_ban_outlives_the_erasure_of_the_account(town: Rows) -> None:
    user = somebody(town)
    tables = with_profiles(town, user, [OLD, {C.PERSON_TOKEN: FIRST}])
    event = {C.EVENT: "erase-1", C.TS: NOW, C.ACTOR: "zz_old", C.TARGET: None, C.TYPE: "erase"}
    events = pd.concat([tables[T.EVENTS], pd.DataFrame([event])], ignore_index=True)
    assert not listed(tables | {T.EVENTS: events}, user)


@pytest.mark.parametrize("mark", [str.upper, lambda user: f"{user}\U0001d173", lambda user: f" {user}\u2063"])
@pytest.mark.parametrize("value", [None, "no such word"])
def test_a_broken_row_in_another_spelling_holds_the_one_it_can_mean(
    town: Rows, mark: Callable[[str], str], value: str | None
) -> None:
    user = somebody(town)
    boundaries = town[T.BOUNDARIES]
    row = (
        boundaries[boundaries[C.USER] == user]
        .iloc[[-1]]
        .assign(**{C.USER: mark(user), C.PHYSICAL_LINE: pd.Series([value], dtype=object).to_numpy(object)})
    )
    tables = town | {T.BOUNDARIES: pd.concat([boundaries, row], ignore_index=True)}
    assert not listed(tables, user)


def test_a_contact_token_in_another_spelling_of_the_id_holds_its_person(town: Rows) -> None:
    user = somebody(town)
    row = {C.USER: user.upper(), C.NAMESPACE: "phone", C.KIND: "exclude", C.HMAC: FIRST}
    tokens = pd.concat([town[T.TOKENS], pd.DataFrame([row])], ignore_index=True)
    assert not listed(town | {T.TOKENS: tokens}, user)


@pytest.mark.parametrize("when", ["2100-12-31T00:00Z", "9000-01-01T00:00Z"])
def test_a_hold_lifted_in_a_time_to_come_holds_until_then(town: Rows, when: str) -> None:
    """Without `as_of` the latest time of the tables counts, but none that the clock has not reached."""
    user = somebody(town)
    rows = [(user, NOW - pd.Timedelta(days=9), "active"), (user, pd.Timestamp(when), "lifted")]
    holds = pd.DataFrame(rows, columns=[C.USER, C.TS, C.STATE])
    with pytest.warns(UserWarning, match="dated after the clock"):
        people = load_population(town | {T.HOLDS: holds})
    assert people.as_of <= pd.Timestamp.now("UTC")
    assert people.held[int(people.ids.find([user])[0])]
