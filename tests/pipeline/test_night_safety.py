"""What a night tells the safety ledger of blocks that were taken back, and of accounts that are stopped.

Planted and seen caught: a lift of pairs that were taken back and blocked anew, and no lift at all; a night
that tells nothing of accounts on hold; a stop that a row older than it ends, or that no row ends; a hold that
another owner ends, or a row from before it.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.data.exclusions import Relations
from recsys.data.population import Population
from recsys.pipeline.night_safety import HoldStates, note_night
from recsys.pipeline.token_changes import TokenChanges, note_changed_tokens
from recsys.ranking.publication_filter import ListFilter
from recsys.ranking.snapshot import packed_ids
from recsys.safety import MemorySafety
from recsys.safety.by_person import SafetyByPerson
from recsys.safety.day_log import DayEvent
from recsys.safety.erasure_list import ErasureList
from recsys.safety.keys import Keys
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import BAN, TABLES, LedgerTag, Who
from recsys.safety.person_index import PersonIndex
from recsys.simulation.town import make_town
from recsys.storage.dataclass_codec import save_dataclass
from recsys.storage.load import load_population
from recsys.storage.publication import SERVING
from recsys.testing.people import EASY_TO_LIST, make_listed_people, make_tables


def test_a_block_that_was_taken_back_leaves_the_ledger(tmp_path: Path) -> None:
    people = make_listed_people(6, np.random.default_rng(2))
    ids = people.ids.ids(np.arange(6)).tolist()
    ledger = SafetyLedger(tmp_path, Keys())

    def apart(*pairs: tuple[int, int], reopened: list[tuple[int, int]]) -> bool:
        relations = Relations.of(6, excluded=list(pairs), reopened=reopened)
        note_night(ledger, people.with_relations(relations))
        state = ledger.now()
        mine, theirs = (state.fingerprints(Who(ids[row], people.person_tokens[row])) for row in (0, 1))
        return not state.separated_from(mine).isdisjoint(theirs)

    assert apart((0, 1), (2, 3), reopened=[])
    assert apart(reopened=[]), "a row that is missing takes nothing back"
    assert apart((0, 1), reopened=[(0, 1)]), "a block stands beside the one that was taken back"
    assert not apart(reopened=[(0, 1)])
    assert apart((0, 1), reopened=[])


@pytest.mark.parametrize("state", ["hold", "banned"])
def test_a_stopped_account_stops_its_person_until_its_row_says_another_state(
    tmp_path: Path, state: str
) -> None:
    people = make_listed_people(6, np.random.default_rng(2))
    tokens = np.full(6, None, object)
    tokens[0] = f"hmac1:{7:064x}"
    people = replace(people, person_tokens=tokens)
    ledger = SafetyLedger(tmp_path, Keys())
    one = str(people.ids.ids([0])[0])

    def stopped_after(word: str | None) -> tuple[bool, bool]:
        codes = people.coded[C.ACCOUNT_STATE].codes.copy()
        codes[0] = -1 if word is None else people.coded[C.ACCOUNT_STATE].words.index(word)
        states = replace(people.coded[C.ACCOUNT_STATE], codes=codes)
        note_night(ledger, replace(people, coded={**people.coded, C.ACCOUNT_STATE: states}))
        now = ledger.now()
        again = Who("another-account", tokens[0])
        return now.is_stopped(now.fingerprints(Who(one))), now.is_stopped(now.fingerprints(again))

    assert stopped_after("active") == (False, False)
    assert stopped_after(state) == (True, True)
    assert stopped_after(None) == (True, True)
    note_night(ledger, people.take(np.arange(1, 6)))
    assert ledger.now().is_stopped(ledger.now().fingerprints(Who(one))), "nothing ends as a row is missing"
    assert stopped_after("active") == (False, False)


@dataclass
class Published:
    """What a publication holds of persons."""

    ids: npt.NDArray[np.bytes_]
    persons: PersonIndex


AWAY = "away"
"""Of an account that a night lacks."""


@pytest.mark.parametrize(
    "tokens", [("T1", "T2"), ("T1", "T2", "T3"), ("T1", None), ("T1", None, "T2"), ("T1", AWAY, "T2")]
)
def test_a_token_that_is_replaced_names_the_same_person(
    tmp_path: Path, tokens: tuple[str | None, ...]
) -> None:
    people, ledger = make_listed_people(3, np.random.default_rng(2)), SafetyLedger(tmp_path, Keys())
    one, everybody = str(people.ids.ids([0])[0]), people
    run, texts = None, people.ids.ids(np.arange(3))
    for number, token in enumerate(tokens):
        people = replace(everybody, person_tokens=np.array([token, "other", None], object))
        people = people.take([1, 2]) if token == AWAY else people
        note_changed_tokens(ledger, people, TokenChanges.of(ledger, people, run))
        run = tmp_path / str(number)
        persons = PersonIndex.of(people.person_tokens, ledger.begin().namings)
        known = people.ids.ids(np.arange(len(people)))
        save_dataclass(run / SERVING, Published(packed_ids(known), persons))
    tokens = tuple(token for token in tokens if token != AWAY)
    ledger.stop([Who(one, tokens[-1])], LedgerTag(BAN, TABLES))
    ledger.separate([(Who("x", tokens[0]), Who("y"))], LedgerTag("block", TABLES))
    state = ledger.now()
    for token in tokens:
        again = state.fingerprints(Who("again" if token else one, token))
        assert state.is_stopped(again)
        assert not state.separated_from(again).isdisjoint(state.fingerprints(Who("y")))
        assert not state.separated_from(state.fingerprints(Who("y"))).isdisjoint(again)
    for other in (Who("new"), Who("new", "other"), Who(str(texts[1]), "other")):
        assert not state.is_stopped(state.fingerprints(other))
    fresh = SafetyLedger(tmp_path, Keys()).now()
    assert fresh.is_stopped(fresh.fingerprints(Who("again", tokens[0])))


@pytest.mark.parametrize("token", ["T1", "T3", None])
@pytest.mark.parametrize("what", ["apart", "stopped"])
def test_who_is_away_for_a_night_comes_back_as_they_left(
    tmp_path: Path, what: str, token: str | None
) -> None:
    """Seen to fail: whoever came back with another token met who had blocked them, once the row was gone."""
    people, ledger = make_listed_people(3, np.random.default_rng(2)), SafetyLedger(tmp_path, Keys())
    first, second, third = map(str, people.ids.ids(np.arange(3)))
    apart = Relations.of(3, excluded=[(0, 2)]) if what == "apart" else Relations.none(3)
    holds = HoldStates(frozenset([(first, "")] if what == "stopped" else []), {})
    before = np.array(["T1", None, "T0"], object)
    note_night(ledger, replace(people, person_tokens=before).with_relations(apart), holds)
    people, nothing = people.with_relations(Relations.none(3)), HoldStates(frozenset(), {})
    note_night(ledger, replace(people, person_tokens=before).take([1, 2]), nothing)
    tonight = replace(people, person_tokens=np.array([token, token, "T0"], object))
    note_changed_tokens(ledger, tonight, TokenChanges.of(ledger, tonight, None))
    note_night(ledger, tonight, nothing)
    found = ListFilter.of_people(tonight, ledger)
    theirs = {first, second} if token else {first}
    if what == "apart":
        assert found.separated[third] == theirs
    assert found.stopped == (theirs if what == "stopped" else set())


@pytest.mark.filterwarnings("ignore:rows about safety name nobody")
@pytest.mark.parametrize(
    ("what", "yet_to_come", "spelled"),
    [
        *((what, False, str.upper) for what in ("block", "unsafe", "end", "hold", "banned")),
        *((what, True, lambda one: f"{one}.0") for what in ("block", "unsafe", "hold", "banned")),
        ("hold", True, lambda one: "ｕ" + one[1:]),
    ],
)
def test_a_row_in_another_spelling_is_remembered_over_nights(
    tmp_path: Path, what: str, yet_to_come: bool, spelled: Callable[[str], str]
) -> None:
    """Seen to fail: what a row in capitals said of somebody away, or yet to come, went with the row."""
    tables = make_tables(4, np.random.default_rng(2), unknown=0.0, **EASY_TO_LIST)
    tables = {name: table[~table["user_id"].isna()] for name, table in tables.items() if "user_id" in table}
    del tables["tokens"]  # nobody excludes another's number
    one, other = sorted(tables["profiles"]["user_id"])[:2]
    without = {name: table[table["user_id"] != one] for name, table in tables.items()}
    ts, ledger = pd.Timestamp("2026-01-04T00:00Z"), SafetyLedger(tmp_path, Keys())
    said = {"actor": other, "target": spelled(one), "ts": ts}
    rows: dict[str, dict[str, object]] = {
        "block": {"blocks": said},
        "unsafe": {"events": said | {"event_id": "e", "type": "meet_feedback", "detail": "unsafe"}},
        "end": {"events": said | {"event_id": "e", "type": "end", "detail": "unsafe"}},
        "hold": {"holds": {"user_id": spelled(one), "state": "active", "ts": ts}},
        "banned": {},
    }
    first = {**(without if yet_to_come else tables)}
    first |= {name: pd.DataFrame([row]) for name, row in rows[what].items()}
    if what == "banned":
        row = tables["profiles"][tables["profiles"]["user_id"] == one]
        told = row.assign(user_id=spelled(one), account_state="banned", person_token=None)
        first["profiles"] = pd.concat([first["profiles"], told])
    last, run = load_population(tables), None
    for night, known in enumerate((first, without, tables)):
        people = load_population(known, as_of=ts + pd.Timedelta(days=1 + night))
        people = replace(
            people, person_tokens=np.array([f"T{night}{at}" for at in range(len(people))], object)
        )
        held = frozenset([(spelled(one), "")] if (what, night) == ("hold", 0) else [])
        holds = HoldStates(held, {}, lambda: dict.fromkeys(tables["profiles"]["user_id"], ts))
        note_changed_tokens(ledger, people, TokenChanges.of(ledger, people, run))
        note_night(ledger, people, holds)
        run = tmp_path / str(night)
        persons = PersonIndex.of(people.person_tokens, ledger.begin().namings)
        save_dataclass(run / SERVING, Published(packed_ids(people.ids.ids(np.arange(len(people)))), persons))
        last = people
    found = ListFilter.of_people(last, ledger)
    if what in {"hold", "banned"}:
        assert found.stopped == {one}
    else:
        assert (found.separated.get(one), found.stopped) == ({other}, set())


PEOPLE = make_listed_people(2, np.random.default_rng(2))
ONE = str(PEOPLE.ids.ids([0])[0])
TOWN_PROFILES = make_town(20, np.random.default_rng(3)).tables["profiles"].iloc[:0]


def at(hour: int) -> pd.Timestamp:
    return pd.Timestamp("2026-01-05T00:00Z") + pd.Timedelta(hours=hour)


def tell(ledger: SafetyLedger, hour: int, known: dict[int, str]) -> bool:
    """Note a night that reads these rows of one account; say whether the account is stopped then."""
    states = PEOPLE.coded[C.ACCOUNT_STATE]
    codes = states.codes.copy()
    if known:
        codes[0] = states.words.index(known[max(known)])
    people: Population = PEOPLE if known else PEOPLE.take([1])
    if known:
        people = replace(people, coded={**people.coded, C.ACCOUNT_STATE: replace(states, codes=codes)})
    times = {ONE: at(max(known))} if known else {}
    holds = HoldStates(frozenset(), {}, lambda: times)
    note_night(ledger, replace(people, as_of=at(hour)), holds)
    now = ledger.now()
    return now.is_stopped(now.fingerprints(Who(ONE)))


STATES = st.lists(st.sampled_from(["active", "active", "banned", "hold", "paused"]), min_size=2, max_size=6)
NIGHTS = st.lists(st.tuples(st.integers(1, 20), st.integers(0, 2)), min_size=2, max_size=4)
"""The hour of each night, and how many of the latest rows it lacks."""


@settings(max_examples=25, deadline=None)
@given(STATES, NIGHTS)
def test_no_row_older_than_a_stop_ends_it_whatever_rows_go_missing(
    states: list[str], nights: list[tuple[int, int]]
) -> None:
    since: dict[str, int] = {}  # by state, the night that read it first
    with tempfile.TemporaryDirectory() as folder:
        ledger = SafetyLedger(Path(folder), Keys())
        for night, lost in sorted(nights):
            hours = [3 * place for place in range(len(states)) if 3 * place <= night]
            known = {hour: states[hour // 3] for hour in hours[: max(len(hours) - lost, 0)]}
            latest = max(known, default=-1)
            state = known.get(latest, "")
            since = {stop: first for stop, first in since.items() if state in ("", stop) or latest <= first}
            if state in ("banned", "hold"):
                since.setdefault(state, night)
            assert tell(ledger, night, known) == bool(since)


TODAY = st.lists(
    st.tuples(
        st.sampled_from(["day", "night"]), st.sampled_from(["active", "banned", "odd"]), st.integers(0, 9)
    ),
    max_size=6,
)
"""By the hour: tables of today with a state, or a night with a row, active, of that many hours before it."""


@settings(max_examples=40, deadline=None)
@example([("day", "banned", 0), ("night", "active", 3), ("night", "active", 0)])
@example([("day", "odd", 0), ("day", "active", 0)])
@given(TODAY)
def test_a_ban_by_tables_of_today_lasts_until_something_later_says_otherwise(
    told: list[tuple[str, str, int]],
) -> None:
    """Planted and seen caught: a ban that any night ends, one that an older row ends, one that none ends."""
    since: int | None = None
    with tempfile.TemporaryDirectory() as folder:
        ledger = SafetyLedger(Path(folder), Keys())
        safety = SafetyByPerson(MemorySafety(), ErasureList.of(folder), ledger)
        for hour, (what, state, before) in enumerate(told, start=10):
            if what == "night":
                tell(ledger, hour, {hour - before: "active"})
                since = None if since is not None and hour - before > since else since
            else:
                rows = {"profiles": [{C.USER: ONE, C.ACCOUNT_STATE: state}]}
                said = DayEvent.of_tables(f"e{hour}", ONE, rows, at(hour))
                safety.note_tables([said], can_be_used=lambda _: True)
                since = None if state == "active" else hour
            now = SafetyLedger(Path(folder), Keys()).now()
            assert now.is_stopped(now.fingerprints(Who(ONE))) == (since is not None)


def test_the_times_of_a_source_are_those_of_the_latest_rows_that_count() -> None:
    town = make_town(20, np.random.default_rng(3)).tables
    rows = town["profiles"].drop_duplicates(C.USER).assign(**{C.VALID_FROM: at(1)})
    rows.loc[rows.index[3], C.VALID_FROM] = pd.NaT
    later = [rows.iloc[[0]].assign(**{C.VALID_FROM: at(hour)}) for hour in (4, 60)]
    source = {**town, "profiles": pd.concat([rows, *later], ignore_index=True)}
    ids = rows[C.USER].tolist()
    found = HoldStates.of_source(source, at(9)).profile_times()
    assert found is not None
    assert [found.get(one) for one in ids[:4]] == [at(4), at(1), at(1), None]
    undated = {**town, "profiles": rows.drop(columns=C.VALID_FROM)}
    assert HoldStates.of_source(undated, at(9)).profile_times() is None


def test_where_rows_have_no_time_the_state_alone_ends_a_stop(tmp_path: Path) -> None:
    ledger = SafetyLedger(tmp_path, Keys())
    assert tell(ledger, 5, {1: "active", 4: "banned"})
    assert tell(ledger, 9, {1: "active"}), "the row of the ban is gone"
    note_night(ledger, replace(PEOPLE, as_of=at(9)))
    assert not ledger.now().is_stopped(ledger.now().fingerprints(Who(ONE)))


HOLD_ROWS = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from(["active", "lifted"]), st.sampled_from(["", "aki", "ren"])),
    max_size=5,
    unique_by=lambda row: row[0],
)


@settings(max_examples=40, deadline=None)
@example(rows=[(1, "lifted", "aki"), (3, "active", "aki")], first=5, lost={1})
@given(HOLD_ROWS, st.integers(2, 8), st.sets(st.integers(0, 4)))
def test_a_hold_ends_by_its_owner_alone_and_by_no_row_from_before(
    rows: list[tuple[int, str, str]], first: int, lost: set[int]
) -> None:
    """Night one reads the rows up to then, night two the rest, without some of those that night one read."""

    def states(chosen: list[tuple[int, str, str]], hour: int) -> HoldStates:
        table = pd.DataFrame(
            [
                {C.USER: ONE, C.TS: at(ts), C.STATE: state, C.OWNER: owner or None}
                for ts, state, owner in chosen
            ],
            columns=[C.USER, C.TS, C.STATE, C.OWNER],
        )
        return HoldStates.of_source({"profiles": TOWN_PROFILES, "holds": table}, at(hour))

    known = [row for row in sorted(rows) if row[0] <= first]
    left = [row for place, row in enumerate(sorted(rows)) if row[0] > first or place not in lost]
    open_after_one = {owner for _, _, owner in known if _last(known, owner) == "active"}
    with tempfile.TemporaryDirectory() as folder:
        ledger = SafetyLedger(Path(folder), Keys())
        note_night(ledger, replace(PEOPLE, as_of=at(first)), states(known, first))
        note_night(ledger, replace(PEOPLE, as_of=at(20)), states(left, 20))
        now = ledger.now()
        stopped = now.is_stopped(now.fingerprints(Who(ONE)))
    ended = {
        owner
        for owner in open_after_one
        if _last(left, owner) == "lifted"
        and (
            max(ts for ts, _, whose in left if whose == owner) > first
            or any(state == "active" and whose == owner for _, state, whose in left)
        )
    }
    begun = {owner for _, _, owner in left if _last(left, owner) == "active"}
    assert stopped == bool((open_after_one - ended) | begun)


def _last(rows: list[tuple[int, str, str]], owner: str) -> str:
    return next((state for _, state, whose in sorted(rows, reverse=True) if whose == owner), "")
