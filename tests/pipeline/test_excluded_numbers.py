"""Whoever excludes a number of somebody stays apart from them when it changes, by day or by night."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety
from recsys.safety.day_log import DayEvent
from recsys.safety.ledger import SafetyLedger, told_under
from recsys.safety.ledger_state import EXCLUDED_NUMBER
from tests.safety.restriction_doors import (
    NOW,
    TOWN,
    USERS,
    Published,
    Row,
    Tables,
    copy_of,
    opened,
    own_tables,
    token,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.usefixtures("tables_checked_once"),
]
EXCLUDING, MEMBER, OTHER = USERS[20], USERS[25], USERS[30]
NEW = "came-by-day"
NUMBERS = {at: token("n", at) for at in "abc"}
"""Numbers that nobody of the town has."""


def _rows(user: str, own: str | None, excluded: str | None = None, space: str = "phone") -> list[Row]:
    said = [("self", own), ("exclude", excluded)]
    return [
        {C.USER: user, C.NAMESPACE: space, C.KIND: kind, C.HMAC: value}
        for kind, value in said
        if value is not None
    ]


def _night_of(said: Mapping[str, Sequence[Row]], *, person_of: Mapping[str, str] | None = None) -> Tables:
    """Return tables in which some members have these contact tokens; whoever is new is like the member."""
    found = {name: table.copy() for name, table in TOWN.items()}
    tokens = found[T.TOKENS]
    rows = pd.DataFrame([row for rows in said.values() for row in rows], columns=tokens.columns)
    found[T.TOKENS] = pd.concat([tokens[~tokens[C.USER].isin(list(said))], rows], ignore_index=True)
    for user in said:
        for name, table in found.items():
            columns = [c for c in (C.USER, C.ACTOR) if c in table]
            if user in USERS or name == T.TOKENS or not columns:
                continue
            mine = table[table[columns[0]] == MEMBER].assign(**{columns[0]: user})
            if C.EVENT in mine:
                mine = mine[mine[C.TARGET].isna()].assign(**{C.EVENT: lambda t, u=user: t[C.EVENT] + u})
            if C.PERSON_TOKEN in mine:
                mine[C.PERSON_TOKEN] = token("p", (person_of or {}).get(user, user))
            found[name] = pd.concat([table, mine], ignore_index=True)
    return found


def _change(ranker: Ranker, user: str, rows: Sequence[Row], at: int, person: str | None = None) -> None:
    own = own_tables(user if user in USERS else MEMBER)
    own = {name: [row | {C.USER: user} for row in table] for name, table in own.items()}
    own[T.PROFILES] = [row | {C.PERSON_TOKEN: token("p", person or user)} for row in own[T.PROFILES]]
    own[T.TOKENS] = [*rows]
    moment = NOW + timedelta(minutes=at)
    ranker.day.change_tables(user, own, event_id=f"tables-{user}-{at}", at=moment)
    said = (("terms_accepted", None), ("verified", "id"))
    ranker.day.append([DayEvent(f"{kind}-{user}", NOW, user, None, kind, detail) for kind, detail in said])


def _is_shown(ranker: Ranker, a: str, b: str) -> bool:
    """Say whether either of two is shown to the other by any call."""
    moment = NOW + timedelta(hours=1)
    for one, other in ((a, b), (b, a)):
        pages = [ranker.inbox(one, 100, moment)]
        pages += [
            ranker.rank(one, 100, moment) for _ in range(4)
        ]  # one member of the day is folded in a call
        pages += ranker.rank_many([one], 100, moment)
        if any(item.candidate_id == other for page in pages for item in page.items):
            return True
        if ranker.look(one, other, moment) is not None:
            return True
    return False


ORDERS = ("of the night", "by day before", "by day after", "by day after the change")


@pytest.mark.parametrize("space", ["phone", "email"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("whose", [NEW, MEMBER])
@pytest.mark.parametrize("later", ["b", None])
def test_a_number_of_the_day_that_is_excluded_keeps_apart_when_it_changes(
    town: Published, tmp_path: Path, whose: str, order: str, space: str, later: str | None
) -> None:
    """Seen to fail: who sent another number by day was shown to whoever had excluded the first one."""
    if space == "email" and (later is None or order == "by day after the change"):
        pytest.skip("of one space each order and change is tried")
    folder = copy_of(town, tmp_path)
    excluding = [*_rows(EXCLUDING, token("t", EXCLUDING)), *_rows(EXCLUDING, None, NUMBERS["a"], space)]
    by_night = _night_of({EXCLUDING: excluding})
    assert town.night(folder, by_night if order == ORDERS[0] else TOWN, hours=1).published
    next_number = None if later is None else NUMBERS[later]
    store = MemorySafety()
    with opened(folder, store) as ranker, opened(folder, store) as second:
        if order == "by day before":
            _change(ranker, EXCLUDING, excluding, 1)
        _change(ranker, whose, _rows(whose, NUMBERS["a"], space=space), 2)
        if order == "by day after":
            _change(second, EXCLUDING, excluding, 3)
        _change(second, whose, _rows(whose, next_number, space=space), 4)
        if order == "by day after the change":
            _change(second, EXCLUDING, excluding, 5)
        for worker in (ranker, second):
            assert _is_shown(worker, whose, OTHER)
            assert not _is_shown(worker, whose, EXCLUDING)
    later_rows = {EXCLUDING: excluding, whose: _rows(whose, next_number, space=space)}
    for hours in (8, 9):  # nights whose tables know the later number alone
        assert town.night(folder, _night_of(later_rows), hours=hours).published
        with opened(folder, MemorySafety()) as ranker:
            assert _is_shown(ranker, whose, OTHER)
            assert not _is_shown(ranker, whose, EXCLUDING)
    free = {EXCLUDING: _rows(EXCLUDING, token("t", EXCLUDING)), whose: later_rows[whose]}
    assert town.night(folder, _night_of(free), hours=10).published
    with opened(folder, MemorySafety()) as ranker:
        assert _is_shown(ranker, whose, EXCLUDING)


def test_a_number_of_the_day_counts_for_every_account_of_its_person(town: Published, tmp_path: Path) -> None:
    """Seen to fail: another account of who had the excluded number by day was shown after a change."""
    folder = copy_of(town, tmp_path)
    excluding = [*_rows(EXCLUDING, token("t", EXCLUDING)), *_rows(EXCLUDING, None, NUMBERS["a"])]
    assert town.night(folder, _night_of({EXCLUDING: excluding}), hours=1).published
    with opened(folder, MemorySafety()) as ranker:
        assert _is_shown(ranker, MEMBER, EXCLUDING)
        _change(ranker, NEW, _rows(NEW, NUMBERS["a"]), 1, person=MEMBER)
        _change(ranker, NEW, _rows(NEW, NUMBERS["b"]), 2, person=MEMBER)
        assert not _is_shown(ranker, MEMBER, EXCLUDING)
        assert not _is_shown(ranker, NEW, EXCLUDING)
    said = {EXCLUDING: excluding}
    assert town.night(folder, _night_of(said), hours=8).published
    with opened(folder, MemorySafety()) as ranker:
        assert not _is_shown(ranker, MEMBER, EXCLUDING)
        assert _is_shown(ranker, MEMBER, OTHER)


def test_an_employer_and_numbers_that_nobody_excludes_part_nobody(town: Published, tmp_path: Path) -> None:
    """Seen to fail with employers noted."""
    folder = copy_of(town, tmp_path)
    avoided = [*_rows(EXCLUDING, None, NUMBERS["a"], "employer"), *_rows(EXCLUDING, None, NUMBERS["b"])]
    assert town.night(folder, _night_of({EXCLUDING: avoided}), hours=1).published
    with opened(folder, MemorySafety()) as ranker:
        for at, (value, space) in enumerate(
            [
                (NUMBERS["a"], "employer"),
                (NUMBERS["a"], "phone"),
                (NUMBERS["b"], "email"),
                (NUMBERS["c"], "phone"),
            ]
        ):
            _change(ranker, NEW, _rows(NEW, value, space=space), at)
        assert not told_under(SafetyLedger.of(folder).now(), EXCLUDED_NUMBER)[1]
        assert _is_shown(ranker, NEW, EXCLUDING)


def test_numbers_stand_in_no_file_but_the_log_of_the_day(town: Published, tmp_path: Path) -> None:
    """What is kept are fingerprints of the two accounts."""
    folder = copy_of(town, tmp_path)
    excluding = _rows(EXCLUDING, None, NUMBERS["a"])
    with opened(folder, MemorySafety()) as ranker:
        _change(ranker, NEW, _rows(NEW, NUMBERS["a"]), 1)
        _change(ranker, EXCLUDING, excluding, 2)
        assert told_under(SafetyLedger.of(folder).now(), EXCLUDED_NUMBER)[1]
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert NUMBERS["a"].encode() not in content
            assert NEW.encode() not in content


@pytest.mark.parametrize("first", ["number", "exclusion"])
def test_a_circle_with_whom_a_number_of_the_day_parts_is_not_named(
    town: Published, tmp_path: Path, first: str
) -> None:
    """Seen to fail: the two were apart at once, and the circle of the one was named to the other."""
    folder = copy_of(town, tmp_path)
    inside = {"tea-walks": [MEMBER, *USERS[31:39]], "go-club": [EXCLUDING, *USERS[31:39]]}
    rows = [{C.USER: one, C.COMMUNITY: name} for name, people in inside.items() for one in people]
    assert town.night(folder, TOWN | {T.COMMUNITIES: pd.DataFrame(rows)}, hours=1).published
    with opened(folder, MemorySafety()) as ranker:
        assert "tea-walks" in ranker.circles(EXCLUDING, 9, NOW)
        assert "go-club" in ranker.circles(MEMBER, 9, NOW)
        changes = [(MEMBER, _rows(MEMBER, NUMBERS["a"])), (EXCLUDING, _rows(EXCLUDING, None, NUMBERS["a"]))]
        for at, (user, said) in enumerate(changes if first == "number" else changes[::-1]):
            _change(ranker, user, said, at)
        assert "tea-walks" not in ranker.circles(EXCLUDING, 9, NOW)
        assert "go-club" not in ranker.circles(MEMBER, 9, NOW)
        assert {"tea-walks", "go-club"} <= {*ranker.circles(OTHER, 9, NOW)}
