"""A person who is out is out with every account, whatever is wrong with the rows that link their accounts."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.storage.load import load_population

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


def somebody(town: Rows) -> str:
    return next(str(user) for user in town[T.PROFILES][C.USER].unique() if listed(town, str(user)))


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
    "linked by an account whose rows are refused": lambda _: [
        OLD,
        {C.USER: "zz_mid", C.PERSON_TOKEN: FIRST, C.VALID_FROM: EARLIER, C.AGE_BAND: "wrong"},
        {C.USER: "zz_mid", C.PERSON_TOKEN: SECOND, C.AGE_BAND: "wrong"},
        {C.PERSON_TOKEN: SECOND},
    ],
}


@pytest.mark.parametrize("link", LINKS)
def test_a_ban_reaches_the_second_account(town: Rows, link: str) -> None:
    user = somebody(town)
    assert not listed(with_profiles(town, user, LINKS[link](user)), user)


@pytest.mark.parametrize("link", LINKS)
def test_without_a_ban_they_are_listed(town: Rows, link: str) -> None:
    """What links two accounts takes nobody out when neither is; a row that may be their own does."""
    user = somebody(town)
    rows = [row | {C.ACCOUNT_STATE: "active"} for row in LINKS[link](user)]
    own = "capitals" in link
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
    people = load_population(town | {T.HOLDS: holds})
    assert people.as_of <= pd.Timestamp.now("UTC")
    assert people.held[int(people.ids.find([user])[0])]
