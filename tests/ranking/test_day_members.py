"""Members of the day: new and edited people in other members' pages, by the rules of the night."""

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.exclusions import EXCLUSION_REASONS, Relations, relations
from recsys.errors import InputError, SafetyUnavailable
from recsys.models.content import ContentModel
from recsys.ranking import day_members, day_writes, newcomer_search
from recsys.ranking.cold_start import NewcomerFiles
from recsys.ranking.day_members import NO_CHANGES, DayMember
from recsys.ranking.newcomer_limits import NewcomerLimits
from recsys.ranking.ranker import Ranker
from recsys.ranking.recommend import recommend
from recsys.ranking.snapshot_files import SnapshotParts, pair_stages_of
from recsys.ranking.viewer_filters import Filters
from recsys.safety import MemorySafety, SqliteSafety
from recsys.safety.day_log import DayEvent
from recsys.safety.fingerprints import ID, PERSON
from recsys.safety.ledger import SafetyLedger
from recsys.storage.load import load_population
from recsys.testing.people import EASY_TO_LIST, make_tables
from tests.data.test_pair_stages import LISTED, ONGOING
from tests.data.timeline import events
from tests.ranking.published_world import NOW, World, copied
from tests.ranking.test_cold_start import likes
from tests.ranking.test_other_spellings import RESTRICTING

NEW, EDITED = "u00007", "u00011"
PEOPLE = 48
_DIFFER = {C.ACCEPTS_AGE_BANDS, C.AGE_BAND, C.MEETS_GENDERS}
EASY = {name: value for name, value in EASY_TO_LIST.items() if name not in _DIFFER}
"""Ages and genders, whom people wish to meet, answers and tokens differ; the rest fits."""


def rows_of(tables: dict[str, pd.DataFrame], user: str) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of one person as a backend would send them."""
    mine = {name: table[table[C.USER] == user] for name, table in tables.items() if C.USER in table}
    return {
        name: json.loads(table.to_json(orient="records", date_format="iso"))
        for name, table in mine.items()
        if len(table)
    }


class Town:
    """A published town without one person, and the tables of everybody, in which another one has moved on."""

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(17)
        now = make_tables(PEOPLE, rng, unknown=0.0, **EASY)
        self.now = load_population(now)
        before = {name: table.copy() for name, table in now.items()}
        other = make_tables(PEOPLE, np.random.default_rng(18), unknown=0.0, **EASY)
        for name, table in before.items():
            if C.USER in table and name in (T.PROFILES, T.BOUNDARIES):
                old = other[name].loc[other[name][C.USER] == EDITED]
                kept = table[~table[C.USER].isin([NEW, EDITED])]
                before[name] = pd.concat([kept, old]).sort_values(C.USER, ignore_index=True)
            elif C.USER in table:
                before[name] = table[table[C.USER] != NEW].reset_index(drop=True)
        self.before = load_population(before)
        self.tables = now
        self.viewers = [one for one in map(str, self.before.ids.values) if one not in {NEW, EDITED}]
        ids = self.before.ids.ids(np.arange(len(self.before))).tolist()
        self.model = ContentModel().fit(self.before, likes(ids, rng), rng=rng)
        world = World.of(self.before)
        lists = recommend(self.model, self.before, world.policy, k=6)
        self.world = replace(world, directed=self.model.directed(self.before), lists=lists)
        self.folder = folder
        assert self.world.publish(folder, model=self.model).published

    def ranker(self, folder: Path) -> Ranker:
        """Open a copy: the safety ledger of a folder remembers what one test tells it."""
        copy = copied(self.folder, folder / "published")
        return Ranker.open(copy, safety=MemorySafety(), poll_s=0, max_staleness=None)

    def sees(self, user: str) -> set[str]:
        """Return whom the plain rules let see somebody today, of people whom the night knew as well."""
        row = self.now.ids.rows([user])[0]
        viewers, rows = self.viewers, self.now.ids.rows(self.viewers)
        shown = self.world.policy.may_show(self.now, rows, np.full(len(rows), row))
        return {viewer for viewer, may in zip(viewers, shown, strict=True) if may}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(tmp_path_factory.mktemp("published"))


@pytest.fixture
def ranker(town: Town, tmp_path: Path) -> Iterator[Ranker]:
    made = town.ranker(tmp_path)
    yield made
    made.close()


def change(ranker: Ranker, town: Town, user: str, *, proved: bool = True, **more: Any) -> None:
    ranker.day.change_tables(user, rows_of(town.tables, user), event_id=f"tables-{user}", at=NOW, **more)
    if proved:
        ranker.day.append(
            [
                DayEvent(f"terms-{user}", NOW, user, None, "terms_accepted"),
                DayEvent(f"proof-{user}", NOW, user, None, "verified", "id"),
            ]
        )


def parted_by_number(town: Town, user: str) -> set[str]:
    """Return who excludes a number of somebody, or has one that they exclude: so do all their accounts."""
    tokens = town.tables[T.TOKENS]
    tokens = tokens[tokens[C.NAMESPACE].ne("employer")]
    mine = tokens[tokens[C.USER].eq(user)]
    met = mine.merge(tokens, on=[C.NAMESPACE, C.HMAC], suffixes=("", "_other"))
    return set(met[f"{C.USER}_other"][met[C.KIND].ne(met[f"{C.KIND}_other"])])


def viewers_of(ranker: Ranker, town: Town, user: str) -> set[str]:
    """Return everybody on whose whole page somebody stands, by rank_many; every fifth by rank too."""
    viewers = town.viewers
    ranker.rank(viewers[0], 1, NOW)
    many = ranker.rank_many(viewers, 60, NOW)
    found = {v for v, one in zip(viewers, many, strict=True) if user in ids_of(one)}
    some = {*viewers[::5], *sorted(found)[:2]}
    assert {v for v in some if user in page(ranker, v)} == found & some
    return found


def ids_of(found: Any) -> list[str]:
    return [item.candidate_id for item in found.items]


def page(ranker: Ranker, viewer: str, k: int = 60) -> list[str]:
    return ids_of(ranker.rank(viewer, k, NOW))


@pytest.mark.parametrize("user", [NEW, EDITED])
def test_a_member_of_the_day_is_seen_by_exactly_those_whom_the_rules_let(
    town: Town, ranker: Ranker, user: str
) -> None:
    expected = town.sees(user)
    assert 3 <= len(expected) < PEOPLE - 10
    change(ranker, town, user)
    assert viewers_of(ranker, town, user) == expected
    for viewer in sorted(expected)[:3]:
        item = ranker.look(viewer, user, NOW)
        assert item is not None
        assert item.candidate_id == user
    stranger = next(one for one in town.viewers if one not in expected)
    assert ranker.look(stranger, user, NOW) is None


def test_somebody_new_is_seen_by_nobody_before_terms_and_proof(town: Town, ranker: Ranker) -> None:
    change(ranker, town, NEW, proved=False)
    assert viewers_of(ranker, town, NEW) == set()
    ranker.day.append([DayEvent("terms", NOW, NEW, None, "terms_accepted")])
    assert viewers_of(ranker, town, NEW) == set()
    ranker.day.append([DayEvent("proof", NOW, NEW, None, "verified", "id")])
    assert viewers_of(ranker, town, NEW) == town.sees(NEW)
    ranker.day.append([DayEvent("back", NOW + timedelta(minutes=1), NEW, None, "verified", "none")])
    assert viewers_of(ranker, town, NEW) == set()


def test_what_restricts_a_member_of_the_day_counts_in_the_next_call(town: Town, ranker: Ranker) -> None:
    change(ranker, town, NEW)
    first, second, third, *_ = sorted(viewers_of(ranker, town, NEW))
    ranker.safety.block(first, NEW)
    ranker.day.append([DayEvent("pass", NOW, NEW, second, "pass")])
    assert {first, second}.isdisjoint(viewers_of(ranker, town, NEW))
    assert ranker.look(first, NEW, NOW) is None
    assert ranker.look(second, NEW, NOW) is None
    ranker.day.pause(NEW)
    assert viewers_of(ranker, town, NEW) == set()
    ranker.day.resume(NEW)
    assert third in viewers_of(ranker, town, NEW)
    none = rows_of(town.tables, NEW)
    none[T.PROFILES][0][C.VERIFICATION] = "none"
    ranker.day.change_tables(NEW, none, event_id="lower", at=NOW + timedelta(minutes=2))
    assert viewers_of(ranker, town, NEW) == set()


def test_a_page_with_members_of_the_day_is_recorded_and_goes_on(town: Town, ranker: Ranker) -> None:
    change(ranker, town, NEW)
    viewer = sorted(viewers_of(ranker, town, NEW))[0]
    seen: list[str] = []
    after, number = None, 0
    while number == 0 or after is not None:
        found = ranker.rank(viewer, 4, NOW, after=after)
        assert [item.rank for item in found.items] == list(range(1, len(found.items) + 1))
        seen += ids_of(found)
        after, number = found.next, number + 1
        if NEW in ids_of(found):
            ranker.record(found.receipt, [NEW], viewer_id=viewer, as_of=NOW)
    assert len(set(seen)) == len(seen)
    assert NEW in seen
    assert NEW not in page(ranker, viewer)


def test_a_like_of_somebody_new_lies_in_the_inbox(town: Town, ranker: Ranker) -> None:
    change(ranker, town, NEW)
    viewers = sorted(viewers_of(ranker, town, NEW))
    ranker.day.append([DayEvent("like", NOW, NEW, viewers[0], "like")])
    assert NEW in ids_of(ranker.inbox(viewers[0], 50, NOW))
    assert NEW not in ids_of(ranker.inbox(viewers[1], 50, NOW))
    ranker.day.append([DayEvent("pass", NOW, viewers[0], NEW, "pass")])
    assert NEW not in ids_of(ranker.inbox(viewers[0], 50, NOW))


def test_tables_that_cannot_be_used_show_nobody_and_break_nothing(town: Town, tmp_path: Path) -> None:
    ranker = town.ranker(tmp_path)
    viewer = sorted(town.sees(EDITED))[0]
    before = [one for one in page(ranker, viewer) if one != EDITED]
    ranker.day.change_tables(EDITED, {"profiles": [{"user_id": EDITED}]}, event_id="bad", at=NOW)
    assert page(ranker, viewer) == before
    assert page(ranker, EDITED) == []  # the asker gave nothing wrong
    whole = rows_of(town.tables, EDITED)
    for number, column in enumerate(
        [*whole[T.PROFILES][0], C.PERSON_TOKEN]
    ):  # no value breaks another's page
        odd = whole | {T.PROFILES: [whole[T.PROFILES][0] | {column: ([["x"]], {"a": 1}, 1e999)[number % 3]}]}
        with suppress(InputError):
            ranker.day.change_tables(EDITED, odd, event_id=f"odd-{column}", at=NOW)
        assert page(ranker, viewer) == before
    ranker.safety.erase(EDITED)
    assert page(ranker, EDITED) == page(ranker, "nobody") == []


@pytest.mark.parametrize("table", [T.EVENTS, T.BLOCKS])
def test_what_would_be_kept_unheard_in_tables_of_a_member_is_refused(
    town: Town, ranker: Ranker, table: str
) -> None:
    other = sorted(town.sees(EDITED))[0]
    row = {C.ACTOR: EDITED, C.TARGET: other.upper() if table == T.BLOCKS else other}
    row |= {"event_id": "end", C.TYPE: "end", C.DETAIL: "unsafe"} if table == T.EVENTS else {}
    with pytest.raises(InputError, match="events" if table == T.EVENTS else "canonical|spelling|id"):
        ranker.day.change_tables(
            EDITED, {**rows_of(town.tables, EDITED), table: [row]}, event_id="unheard", at=NOW
        )


@pytest.mark.parametrize("wrong", ["used event id", "unknown column", "unknown table", "id in capitals"])
def test_a_ban_in_tables_that_are_refused_counts(town: Town, ranker: Ranker, wrong: str) -> None:
    change(ranker, town, EDITED)
    assert viewers_of(ranker, town, EDITED)
    tables = rows_of(town.tables, EDITED)
    tables[T.PROFILES][0] |= {C.ACCOUNT_STATE: "banned"} | ({"odd": 1} if wrong == "unknown column" else {})
    if wrong == "unknown table":
        tables["odd"] = [{C.USER: EDITED}]
    if wrong == "id in capitals":
        tables[T.PROFILES][0][C.USER] = EDITED.upper()
    event_id = f"tables-{EDITED}" if wrong == "used event id" else "ban"
    with pytest.raises(InputError):
        ranker.day.change_tables(EDITED, tables, event_id=event_id, at=NOW + timedelta(minutes=1))
    assert viewers_of(ranker, town, EDITED) == set()


def test_a_log_that_is_away_shows_nobody(town: Town, ranker: Ranker, monkeypatch: pytest.MonkeyPatch) -> None:
    change(ranker, town, NEW)
    viewer = sorted(viewers_of(ranker, town, NEW))[0]

    def away(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(ranker._questions.log, "read", away)
    with pytest.raises(SafetyUnavailable):
        ranker.rank(viewer, 5, NOW)


def test_one_event_id_of_two_members_mixes_nothing_up(town: Town, ranker: Ranker) -> None:
    expected = town.sees(EDITED)
    change(ranker, town, EDITED)
    assert viewers_of(ranker, town, EDITED) == expected
    stopped = rows_of(town.tables, EDITED)
    stopped[T.PROFILES][0][C.ACCOUNT_STATE] = "banned"
    ranker.day.change_tables(EDITED, stopped, event_id="edit-2", at=NOW + timedelta(minutes=1))
    assert viewers_of(ranker, town, EDITED) == set()
    ranker.day.change_tables(NEW, rows_of(town.tables, NEW), event_id=f"tables-{EDITED}", at=NOW)
    ranker.day.append(
        [
            DayEvent("terms", NOW, NEW, None, "terms_accepted"),
            DayEvent("proof", NOW, NEW, None, "verified", "id"),
        ]
    )
    assert viewers_of(ranker, town, EDITED) == set()
    found = viewers_of(ranker, town, NEW)
    assert found <= town.sees(NEW)
    assert len(found) >= len(town.sees(NEW)) - 2  # a short page has no place for a member of the day


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *((C.ACCOUNT_STATE, state) for state in ("paused", "banned", "erasing", "hold", "suspended")),
        *((C.VERIFICATION, proof) for proof in ("none", "NONE", "expired", "phone", ["id"], 7)),
        *((C.AGE_YEARS, age) for age in (16, "17")),
    ],
)
def test_tables_that_restrict_do_so_again_under_the_event_id_they_had(
    town: Town, ranker: Ranker, column: str, value: object
) -> None:
    """Seen to fail: a proof that is none, put as before after one that was renewed, hid nobody."""
    expected = town.sees(EDITED)
    sound = rows_of(town.tables, EDITED)
    restricting = rows_of(town.tables, EDITED)
    for row in restricting[T.PROFILES]:
        row[column] = value
    for number, (event_id, tables) in enumerate(
        [("a", restricting), ("b", sound), ("a", restricting), ("c", sound), ("c", sound)]
    ):
        with suppress(InputError):
            at = NOW + timedelta(minutes=number)
            ranker.day.change_tables(EDITED, tables, event_id=event_id, at=at)
        assert viewers_of(ranker, town, EDITED) == (set() if tables is restricting else expected)


@pytest.mark.parametrize("how", ["held", "erased", "blocked"])
def test_a_token_of_today_brings_what_restricts_its_person(town: Town, tmp_path: Path, how: str) -> None:
    ranker = town.ranker(tmp_path)
    token = "hmac1:" + "ab" * 32
    first = rows_of(town.tables, NEW)
    first[T.PROFILES][0][C.PERSON_TOKEN] = token
    ranker.day.change_tables(NEW, first, event_id="first", at=NOW)
    ranker.day.append(
        [
            DayEvent("terms", NOW, NEW, None, "terms_accepted"),
            DayEvent("proof", NOW, NEW, None, "verified", "id"),
        ]
    )
    viewers = viewers_of(ranker, town, NEW)
    blocker = sorted(viewers & town.sees(EDITED))[0]
    {
        "held": lambda: ranker.safety.hold(NEW),
        "erased": lambda: ranker.safety.erase(NEW),
        "blocked": lambda: ranker.safety.block(blocker, NEW),
    }[how]()
    second = rows_of(town.tables, EDITED)
    second[T.PROFILES][0][C.PERSON_TOKEN] = token
    ranker.day.change_tables(EDITED, second, event_id="second", at=NOW)
    found = viewers_of(ranker, town, EDITED)
    assert blocker not in found
    apart = {blocker} | parted_by_number(town, NEW)
    assert found == (town.sees(EDITED) - apart if how == "blocked" else set())
    ranker.close()


@pytest.mark.parametrize("first_of_night", [True, False])
def test_of_two_accounts_of_a_person_one_is_a_member_of_the_day(
    town: Town, tmp_path: Path, *, first_of_night: bool
) -> None:
    """Seen to fail: by day both stood on the same page."""
    ranker, token = town.ranker(tmp_path), "hmac1:" + "cd" * 32
    assert len(town.sees(NEW) & town.sees(EDITED)) > 0
    for user in (EDITED, NEW) if first_of_night else (NEW, EDITED):
        tables = rows_of(town.tables, user)
        tables[T.PROFILES][0][C.PERSON_TOKEN] = token
        ranker.day.change_tables(user, tables, event_id=f"token-{user}", at=NOW)
    ranker.day.append(
        [
            DayEvent("terms", NOW, NEW, None, "terms_accepted"),
            DayEvent("proof", NOW, NEW, None, "verified", "id"),
        ]
    )
    assert viewers_of(ranker, town, EDITED) == town.sees(EDITED) - parted_by_number(town, NEW)
    assert viewers_of(ranker, town, NEW) == set()
    ranker.close()


def test_ones_own_tables_of_today_bind_looks_and_the_inbox(town: Town, ranker: Ranker) -> None:
    liker = sorted(town.sees(EDITED))[0]
    ranker.day.append([DayEvent("like", NOW, liker, EDITED, "like")])
    change(ranker, town, EDITED)
    rules = {one for one in town.viewers if ranker.look(EDITED, one, NOW) is not None}
    rows = town.now.ids.rows(town.viewers)
    me = np.full(len(rows), town.now.ids.rows([EDITED])[0])
    plain = town.world.policy.may_show(town.now, me, rows)
    assert rules <= {one for one, may in zip(town.viewers, plain, strict=True) if may}
    assert rules
    alone = rows_of(town.tables, EDITED)
    alone[T.PROFILES][0][C.ACCOUNT_STATE] = "banned"
    ranker.day.change_tables(EDITED, alone, event_id="stop", at=NOW + timedelta(minutes=1))
    assert all(ranker.look(EDITED, one, NOW) is None for one in town.viewers)
    assert ids_of(ranker.inbox(EDITED, 50, NOW)) == []


def _refused_bans() -> dict[str, Any]:
    """Return ways to say by tables that cannot be used that somebody is out."""

    def profile(tables: Any, **more: Any) -> dict[str, Any]:
        return {**tables, T.PROFILES: [{**tables[T.PROFILES][0], **more}]}

    def renamed(tables: Any) -> Any:
        row = {name.title(): value for name, value in tables[T.PROFILES][0].items()}
        return {**tables, T.PROFILES: [row | {"Account_State": "banned"}]}

    def nameless(tables: Any) -> Any:
        row = {name: value for name, value in tables[T.PROFILES][0].items() if name != C.USER}
        return {**tables, T.PROFILES: [row | {C.ACCOUNT_STATE: "banned"}]}

    banned = {C.ACCOUNT_STATE: "banned"}
    return {
        "event id of 300 letters": (lambda t: profile(t, **banned), EDITED, "x" * 300),
        "no event id": (lambda t: profile(t, **banned), EDITED, ""),
        "no user_id": (nameless, EDITED, "ban"),
        "columns in capitals": (renamed, EDITED, "ban"),
        "a dict of profiles": (lambda t: {**t, T.PROFILES: profile(t, **banned)[T.PROFILES][0]}, EDITED, "b"),
        "table in capitals": (lambda t: {"Profiles": profile(t, **banned)[T.PROFILES]}, EDITED, "ban"),
        "call with a blank": (lambda t: profile(t, **banned), f"{EDITED} ", "ban"),
        "a pause, unknown column": (lambda t: profile(t, account_state="paused", odd=1), EDITED, "ban"),
        "an age, unknown column": (lambda t: profile(t, age_years=17, odd=1), EDITED, "ban"),
        "a hold, unknown table": (lambda t: {**t, "odd": [], T.HOLDS: [{C.USER: EDITED}]}, EDITED, ""),
        "somebody else's tables": (lambda t: profile(t, **banned), NEW, "ban"),
        "no plain value": (lambda t: profile(t, **banned, odd={1}), EDITED, "ban"),
    }


@pytest.mark.parametrize("wrong", _refused_bans())
def test_who_is_out_by_refused_tables_is_out_however_they_are_wrong(
    town: Town, ranker: Ranker, wrong: str
) -> None:
    change(ranker, town, EDITED)
    viewers = sorted(town.sees(EDITED))[:3]
    assert [ranker.look(one, EDITED, NOW) is not None for one in viewers] == [True] * 3
    spoil, user, event_id = _refused_bans()[wrong]
    with pytest.raises(InputError):
        ranker.day.change_tables(user, spoil(rows_of(town.tables, EDITED)), event_id=event_id)
    assert [ranker.look(one, EDITED, NOW) for one in viewers] == [None] * 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "END", "detail": "amicable"},
        {"type": "end", "detail": "because"},
        {"type": "meet_feedback", "detail": "UNSAFE"},
        {"type": "block"},
        {"type": "Unmatched"},
        {"type": "hide", "event_id": "x" * 300},
        {"type": "pass", "count": -1},
        {"type": "hide", "actor": "caps"},
        {"type": "end", "detail": "unsafe", "target": "caps"},
        {"type": "end", "detail": "unsafe", "target": ".0"},
        {"type": "money_request", "at": None},
        {"type": None},
    ],
    ids=str,
)
def test_an_event_that_separates_counts_however_it_is_wrong(
    town: Town, ranker: Ranker, wrong: dict[str, Any]
) -> None:
    change(ranker, town, EDITED)
    viewer, other = sorted(town.sees(EDITED))[:2]
    spelled = {"caps": EDITED.upper(), ".0": f"{EDITED}.0"}
    given: dict[str, Any] = {"event_id": "e1", "at": NOW, "actor": viewer, "target": EDITED} | wrong
    given |= {name: spelled[given[name]] for name in ("actor", "target") if given[name] in spelled}
    if given["actor"] == EDITED.upper():
        given["target"] = viewer
    with suppress(InputError):
        ranker.day.append([DayEvent(**given)])
    assert ranker.look(viewer, EDITED, NOW) is None
    assert ranker.look(other, EDITED, NOW) is not None


@pytest.mark.parametrize(
    ("kind", "back"),
    [
        ("pause", "resume"),
        ("PAUSED", "resume"),
        ("休止", "resume"),
        ("leave", None),
        ("withdraw", None),
        ("erase", None),
        ("ban", "lift"),
        ("account_suspended", "lift"),
        ("停止", "lift"),
    ],
)
def test_an_event_of_no_known_type_that_takes_its_actor_out_counts(
    town: Town, ranker: Ranker, kind: str, back: str | None
) -> None:
    """Seen to fail: a pause that came as an event was refused and forgotten, where a block was kept."""
    viewer, one = next((a, b) for a in town.viewers for b in sorted(town.sees(a)) if b != NEW)
    event = DayEvent("e1", NOW, one, None, kind)
    given: Any = {"leave": event, "erase": [asdict(event)], "ban": asdict(event)}.get(kind, [event])
    with pytest.raises(InputError):
        ranker.day.append(given)
    assert ranker.look(viewer, one, NOW) is None
    if back is not None:
        ranker.day.resume(one) if back == "resume" else ranker.safety.lift(one, owner="refused")
    assert (ranker.look(viewer, one, NOW) is not None) == (back is not None)


def test_a_wrong_word_that_opens_separates_nobody(town: Town, ranker: Ranker) -> None:
    change(ranker, town, EDITED)
    viewer = sorted(town.sees(EDITED))[0]
    pairs = [(viewer, EDITED, kind) for kind in ("lke", "unblock", "terms_accepted", "Message")]
    alone = [(EDITED, None, kind) for kind in ("unpause", "ban_lifted", "login", "復帰", "like")]
    for actor, target, kind in (*pairs, *alone):
        with pytest.raises(InputError):
            ranker.day.append([DayEvent("e1", NOW, actor, target, kind, count=-1)])
    assert ranker.look(viewer, EDITED, NOW) is not None


def _of_one_person(town: Town, *, state: str = "active", **more: Any) -> dict[str, Any]:
    """Return the tables of two accounts of one person; those of the edited one say a state, and more."""
    tables = {user: rows_of(town.tables, user) for user in (NEW, EDITED)}
    for rows in tables.values():
        rows[T.PROFILES][0][C.PERSON_TOKEN] = f"hmac1:{5:064x}"
    tables[EDITED][T.PROFILES][0] |= {C.ACCOUNT_STATE: state, **more}
    return tables


def test_tables_that_cannot_be_used_free_nobody(town: Town, ranker: Ranker) -> None:
    """Seen to fail: a ban ended for the other accounts of a person with tables of a time zone of Mars."""
    change(ranker, town, NEW)
    viewer = sorted(viewers_of(ranker, town, NEW) & town.sees(EDITED))[0]
    tables = _of_one_person(town)
    ranker.day.change_tables(NEW, tables[NEW], event_id="token")
    for number, (said, seen) in enumerate(
        [
            ({"state": "banned"}, False),
            ({"tz": "Mars"}, False),
            ({C.AGE_YEARS: "seventeen", C.AGE_BAND: "under 18"}, False),
            ({"tz": "Mars"}, False),
            ({"state": "paused"}, False),
            ({}, True),
        ]
    ):
        ranker.day.change_tables(EDITED, _of_one_person(town, **said)[EDITED], event_id=f"edit-{number}")
        shown = [one for one in (NEW, EDITED) if ranker.look(viewer, one, NOW) is not None]
        assert shown == ([EDITED] if seen else []), said


@pytest.mark.parametrize(
    "wrong",
    [
        *({C.AGE_YEARS: 17}, {C.AGE_BAND: "13-17"}, {C.AGE_BAND: "十七歳"}, {C.AGE_BAND: "underage"}),
        *({C.AGE_BAND: "mineur"}, {C.AGE_YEARS: 1e300}, {"state": "suspended"}),
        *({"state": "banned", "tz": "Mars"}, {"state": "paused", "tz": "Mars"}, {"state": "paused"}),
    ],
)
def test_a_profile_that_is_refused_restricts_its_person(
    town: Town, ranker: Ranker, wrong: dict[str, Any]
) -> None:
    change(ranker, town, NEW)
    viewer = sorted(town.sees(NEW))[0]
    assert ranker.look(viewer, NEW, NOW) is not None
    ranker.day.change_tables(NEW, _of_one_person(town)[NEW], event_id="token")
    with suppress(InputError):
        ranker.rank("u-other", 5, NOW, profile=_renamed(_of_one_person(town, **wrong)[EDITED], "u-other"))
    assert ranker.look(viewer, NEW, NOW) is None
    whole = _renamed(_of_one_person(town)[EDITED], "u-other")
    paused = wrong.get("state") == "paused"
    assert paused or not ranker.rank("u-other", 5, NOW, profile=whole).items
    ranker.rank("u-other", 5, NOW, profile=whole)
    assert (ranker.look(viewer, NEW, NOW) is not None) == paused


@pytest.mark.parametrize("said", [{"state": "paused"}, {C.VERIFICATION: "none"}, {C.VERIFICATION: "papers"}])
def test_a_profile_that_says_its_member_is_away_hides_them_until_another_says_not(
    town: Town, ranker: Ranker, said: dict[str, Any]
) -> None:
    """Seen to fail: a sound profile that said `paused` hid nobody, with a fault beside it for good."""
    viewer, one = next((a, b) for a in town.viewers for b in sorted(town.sees(a)) if b not in {NEW, EDITED})
    profile = rows_of(town.tables, one)
    profile[T.PROFILES] = [profile[T.PROFILES][-1]]
    away = {**profile, T.PROFILES: [profile[T.PROFILES][0] | _own_columns(said)]}
    assert ranker.look(viewer, one, NOW) is not None
    with suppress(InputError):
        assert not ranker.rank(one, 5, NOW, profile=away).items
    assert ranker.look(viewer, one, NOW) is None
    ranker.rank(one, 5, NOW, profile=profile)
    assert ranker.look(viewer, one, NOW) is not None


def _own_columns(said: dict[str, Any]) -> dict[str, Any]:
    return {C.ACCOUNT_STATE if name == "state" else name: word for name, word in said.items()}


@pytest.mark.parametrize(
    "wrong",
    [
        {"k": -1},
        {"k": "ten"},
        {"where": Filters(genders=("nobody",))},
        {"where": "near"},
        {"after": "no cursor"},
        {"as_of": NOW.replace(tzinfo=None)},
        {"among": [7]},
        {"events": "none"},
    ],
)
def test_a_profile_restricts_whatever_is_wrong_in_the_call(
    town: Town, ranker: Ranker, wrong: dict[str, Any]
) -> None:
    viewer = next(one for one in town.viewers if ranker.rank(one, 50, NOW).items)
    seen = ranker.rank(viewer, 50, NOW).items[0].candidate_id
    tables = {"profiles": [{C.USER: seen, C.ACCOUNT_STATE: "banned"}]}
    assert ranker.look(viewer, seen, NOW) is not None
    with pytest.raises(InputError):
        ranker.rank(seen, **{"as_of": NOW, "profile": tables} | wrong)
    assert ranker.look(viewer, seen, NOW) is None


def _renamed(tables: dict[str, list[dict[str, Any]]], user: str) -> dict[str, list[dict[str, Any]]]:
    return {name: [row | {C.USER: user} for row in rows] for name, rows in tables.items()}


@pytest.mark.parametrize("said", [{"tz": "Mars"}, {C.VERIFICATION: "none"}, {C.ACCOUNT_STATE: "paused"}])
def test_tables_that_come_last_count_whatever_time_they_are_given(
    town: Town, ranker: Ranker, said: dict[str, Any]
) -> None:
    """Seen to fail: tables that an application server dated a second earlier restricted nobody."""
    change(ranker, town, EDITED)
    viewer = sorted(town.sees(EDITED))[0]
    assert ranker.look(viewer, EDITED, NOW) is not None
    tables = rows_of(town.tables, EDITED)
    tables[T.PROFILES][0] |= said
    ranker.day.change_tables(EDITED, tables, event_id="later", at=NOW - timedelta(seconds=1))
    assert ranker.look(viewer, EDITED, NOW) is None


CLOSING: list[dict[str, Any]] = [
    *({C.ACCOUNT_STATE: state} for state in ("paused", "banned", "erasing")),
    *({C.VERIFICATION: "none"}, {"tz": "Mars"}, {C.MEETS_GENDERS: "nobody"}, {C.MAX_DISTANCE_KM: -1}),
    *({C.MEETS_GENDERS: []}, {C.ACCEPTS_AGE_BANDS: []}, {C.ROMANCE_LINE: "purple"}),
]
"""What tables of today say by which nobody is shown to their member, and they to nobody."""


def _with(tables: dict[str, list[dict[str, Any]]], said: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return tables whose profile, or boundaries, say something."""
    name = T.BOUNDARIES if C.ROMANCE_LINE in said else T.PROFILES
    return tables | {name: [row | said for row in tables[name]]}


def _shown(ranker: Ranker, viewer: str, user: str, *, own: bool = True) -> bool:
    for _ in range(4):  # one change a call is folded in
        ranker.look(viewer, user, NOW)
    shown = ranker.look(viewer, user, NOW) is not None
    assert shown or ranker.look(user, viewer, NOW) is None
    assert shown or not own or viewer not in page(ranker, user)
    return shown


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=8))
def test_tables_count_that_none_of_a_later_time_followed(minutes: list[int]) -> None:
    """The last of the latest time is the word; seen to fail: the last that arrived was, whatever its time."""
    events = [
        DayEvent.of_tables(f"e{at}", "a", {}, NOW + timedelta(minutes=one)) for at, one in enumerate(minutes)
    ]
    expected = [
        event for at, event in enumerate(events) if all(later.at < event.at for later in events[at + 1 :])
    ]
    for parts in (events[:3], events[3:]), ([], events), (events, []):
        changes = NO_CHANGES.after(parts[0]).after(parts[1])
        assert list(changes.standing("a")) == expected
        assert changes.tables.get("a") == (expected or [None])[0]


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_older_tables_that_arrive_later_open_nothing(town: Town, tmp_path: Path, store: str) -> None:
    """Seen to fail: a queue that delivered the tables before them last lifted what a member restricted."""
    copy, rng = copied(town.folder, tmp_path / "published"), np.random.default_rng(15)
    safety = MemorySafety() if store == "memory" else SqliteSafety.create(tmp_path / "s.db", timeout_s=20)
    workers = [Ranker.open(copy, safety=safety, poll_s=0, max_staleness=None) for _ in range(2)]
    sound, viewer = rows_of(town.tables, EDITED), sorted(town.sees(EDITED))[0]
    for number, said in enumerate([*CLOSING, *CLOSING]):
        start = NOW + timedelta(hours=number)
        steps = [(5, said), (int(rng.integers(0, 5)), {}), (int(rng.integers(0, 5)), {})]
        events = [
            DayEvent.of_tables(
                f"e{number}-{at}", EDITED, _with(sound, one), start + timedelta(minutes=minute)
            )
            for at, (minute, one) in enumerate(steps)
        ]
        if number < len(CLOSING):
            for one in events:
                workers[number % 2].day.append([one])
        else:
            workers[number % 2].day.append(events)
        own = C.ACCOUNT_STATE not in said  # a page is of the clock's time, and so is a pause on it
        assert [_shown(one, viewer, EDITED, own=own) for one in workers] == [False, False], said
        again = start + timedelta(minutes=6)
        workers[0].day.change_tables(EDITED, sound, event_id=f"again-{number}", at=again)
        assert [_shown(one, viewer, EDITED) for one in workers] == [True, True], said
    for one in workers:
        one.close()


def test_tables_older_than_the_night_open_nothing_that_it_restricts(town: Town, ranker: Ranker) -> None:
    """Seen to fail: tables that were delivered after the night that had read later ones opened again."""
    (row,), rows = town.before.ids.rows([EDITED]), town.before.ids.rows(town.viewers)
    shown = town.world.policy.may_show(town.before, rows, np.full(len(rows), row))
    by_night = {viewer for viewer, may in zip(town.viewers, shown, strict=True) if may}
    night = ranker._reloader.now.snapshot.day_since
    assert town.sees(EDITED) - by_night
    for at, expected in ((night, town.sees(EDITED) & by_night), (night + timedelta(1), town.sees(EDITED))):
        ranker.day.change_tables(EDITED, rows_of(town.tables, EDITED), event_id=at.strftime("%d"), at=at)
        assert viewers_of(ranker, town, EDITED) == expected
        assert page(ranker, EDITED)
        assert set(page(ranker, EDITED)) <= expected


@pytest.mark.filterwarnings("ignore:rows are dated after the clock")
@pytest.mark.parametrize("hours", [0.2, 1, 3, 9, 23.5, 48])
@pytest.mark.parametrize("before", [{}, *CLOSING[:5]])
def test_rows_of_today_open_when_they_are_due(
    town: Town, ranker: Ranker, monkeypatch: pytest.MonkeyPatch, hours: float, before: dict[str, Any]
) -> None:
    """Seen to fail: rows that are due within a day opened at once."""
    now, tables = datetime.now(UTC), rows_of(town.tables, EDITED)
    viewer = sorted(town.sees(EDITED))[0]
    due = {
        name: [row | {C.VALID_FROM: (now + timedelta(hours=hours)).isoformat()} for row in rows]
        for name, rows in tables.items()
        if name in {T.PROFILES, T.BOUNDARIES}
    }
    ranker.day.change_tables(EDITED, _with(tables, before), event_id="first", at=now - timedelta(minutes=9))
    assert _shown(ranker, viewer, EDITED) == (not before)
    ranker.day.change_tables(EDITED, due, event_id="due", at=now - timedelta(minutes=8))
    assert not _shown(ranker, viewer, EDITED)
    clock = type("Clock", (datetime,), {"now": classmethod(lambda *_: now + timedelta(hours=hours))})
    for module in (day_members, day_writes, newcomer_search):
        monkeypatch.setattr(module, "datetime", clock)
    stamp = pd.Timestamp(now + timedelta(hours=hours))
    monkeypatch.setattr(pd.Timestamp, "now", lambda *_: stamp)
    if before:  # whoever is out by tables of today stays so until later ones are given
        ranker.day.change_tables(EDITED, due, event_id="again", at=clock.now())
    assert _shown(ranker, viewer, EDITED)


@pytest.mark.parametrize("ahead", [6, 60, 60 * 24 * 300])
def test_tables_of_a_time_to_come_are_refused_and_restrict(town: Town, ranker: Ranker, ahead: int) -> None:
    """Seen to fail: they were taken as of now, and opened."""
    at, viewer = datetime.now(UTC) + timedelta(minutes=ahead), sorted(town.sees(EDITED))[0]
    tables = rows_of(town.tables, EDITED)
    closed = _with(tables, {C.ACCOUNT_STATE: "paused"})
    ranker.day.change_tables(EDITED, closed, event_id="closed")
    for number, keep in enumerate(
        (
            lambda given, name: ranker.day.change_tables(EDITED, given, event_id=name, at=at),
            lambda given, name: ranker.day.append([DayEvent.of_tables(name, EDITED, given, at)]),
        )
    ):
        with pytest.raises(InputError, match="later time than the clock"):
            keep(tables, f"a{number}")
        assert not _shown(ranker, viewer, EDITED)
        ranker.day.change_tables(EDITED, tables, event_id=f"open-{number}")
        assert _shown(ranker, viewer, EDITED)
        with pytest.raises(InputError, match="later time than the clock"):
            keep(closed, f"b{number}")
        assert not _shown(ranker, viewer, EDITED)


@pytest.mark.parametrize("spelled", [str.upper, str.capitalize])
@pytest.mark.parametrize("order", [("tables", "terms", "proof"), ("proof", "tables", "terms")])
def test_an_account_whose_id_is_a_members_in_another_spelling_is_shown_to_nobody(
    town: Town, ranker: Ranker, spelled: Any, order: tuple[str, ...]
) -> None:
    """Seen to fail: it was shown past blocks and holds of that member, who saw themselves."""
    member, blocker = town.viewers[:2]
    other = spelled(member)
    said: dict[str, Any] = {
        "tables": lambda: ranker.day.change_tables(
            other, _renamed(rows_of(town.tables, NEW), other), event_id="t", at=NOW
        ),
        "terms": lambda: ranker.day.append([DayEvent("a", NOW, other, None, "terms_accepted")]),
        "proof": lambda: ranker.day.append([DayEvent("v", NOW, other, None, "verified", "id")]),
    }
    for step in order:
        with pytest.raises(InputError, match="canonical"):
            said[step]()
    ranker.safety.block(blocker, member)
    assert viewers_of(ranker, town, other) == set()
    assert not ranker.day.append([])


def test_of_two_spellings_of_an_id_that_came_today_one_is_a_member_of_the_day(
    town: Town, ranker: Ranker
) -> None:
    """Seen to fail: both were shown, and a block of the one left the other in sight."""
    change(ranker, town, NEW)
    again = _renamed(rows_of(town.tables, NEW), NEW.upper())
    with pytest.raises(InputError, match="canonical"):
        ranker.day.change_tables(NEW.upper(), again, event_id="t", at=NOW)
    assert viewers_of(ranker, town, NEW)
    assert not viewers_of(ranker, town, NEW.upper())
    assert ranker.day.change_tables(NEW, rows_of(town.tables, NEW), event_id="again", at=NOW) == 1


@pytest.mark.parametrize("user", [NEW, "0077"])
@pytest.mark.parametrize("door", RESTRICTING)
def test_a_member_of_the_day_is_meant_in_another_spelling(
    town: Town, ranker: Ranker, tmp_path: Path, user: str, door: str
) -> None:
    """Seen to fail: a block or a hold of `LL1` left `ll1`, who came today, in sight."""
    tables = _renamed(rows_of(town.tables, NEW), user)
    ranker.day.change_tables(user, tables, event_id="t", at=NOW)
    ranker.day.append([DayEvent("a", NOW, user, None, "terms_accepted")])
    ranker.day.append([DayEvent("v", NOW, user, None, "verified", "id")])
    other = "77" if user == "0077" else user.upper()
    viewer = sorted(town.sees(NEW))[0]
    assert ranker.look(viewer, user, NOW) is not None
    worker = Ranker.open(
        tmp_path / "published", safety=ranker.safety.store, poll_s=0, max_staleness=None
    )  # which has read nothing of the day
    with suppress(InputError):
        RESTRICTING[door](worker, viewer, other)
    worker.close()
    assert ranker.look(viewer, user, NOW) is None
    assert user not in page(ranker, viewer)


@pytest.mark.parametrize("seed", range(3))
def test_single_pairs_of_the_night_are_those_of_whom_the_ledger_links(
    town: Town, tmp_path: Path, seed: int
) -> None:
    """Seen to fail: who came with a token that a night replaced met whom their first account had hidden."""
    people, rng = town.before, np.random.default_rng(seed)
    first, *hidden = (str(one) for one in rng.choice(sorted(town.sees(NEW)), 4, replace=False))
    apart = people.ids.rows([first, *hidden])
    pairs = np.sort([[apart[0], other] for other in apart[1:]], axis=1)
    why = [EXCLUSION_REASONS.index("hide")] * len(pairs)
    night = people.with_relations(Relations.of(len(people), excluded=pairs, reason=why))
    lists = recommend(town.model, night, town.world.policy, k=6)
    world = replace(town.world, people=night, lists=lists)

    assert world.publish(tmp_path, model=town.model).published
    rows = rows_of(town.tables, NEW)
    old = f"hmac1:{7:064x}"
    rows[T.PROFILES] = [{**row, C.PERSON_TOKEN: old} for row in rows[T.PROFILES]]

    def opened(folder: Path, *, linked: bool) -> Ranker:
        shutil.copytree(tmp_path / "runs", folder / "runs")
        for file in tmp_path.iterdir():
            if file.is_file():
                shutil.copy(file, folder)
        if linked:
            ledger = SafetyLedger.of(folder)
            naming = ledger.begin().namings[-1]
            ledger.link([(naming.of(ID, first), naming.of(PERSON, old))])
        limits = NewcomerLimits(page=1000, day=10_000, share=1.0, profiles=1000)
        return Ranker.open(folder, safety=MemorySafety(), poll_s=0, max_staleness=None, newcomers=limits)

    free, bound = (opened(tmp_path / name, linked=name == "bound") for name in ("free", "bound"))
    by_profile = [set(ids_of(one.rank(NEW, 100, NOW, profile=rows))) for one in (free, bound)]
    assert by_profile[1] == by_profile[0] - {first, *hidden} < by_profile[0]
    event = DayEvent.of_tables("tables", NEW, rows, NOW)
    snapshot = bound.check().snapshot
    files = NewcomerFiles.open(tmp_path / "bound" / "runs" / snapshot.run_id, snapshot.manifest, None)
    alone, of_person = (DayMember.of(snapshot, files, event, known) for known in ((), (first,)))
    open_to = [set(np.flatnonzero(np.unpackbits(one.open_to))) for one in (alone, of_person)]
    assert open_to[1] == open_to[0] - set(snapshot.ids.find([first, *hidden])) < open_to[0]
    for one in (free, bound):
        one.day.change_tables(NEW, rows, event_id="tables", at=NOW)
        proofs = (("terms_accepted", None), ("verified", "id"))
        one.day.append([DayEvent(kind, NOW, NEW, None, kind, detail) for kind, detail in proofs])
    seen = [{v for v in town.viewers if one.look(v, NEW, NOW) is not None} for one in (free, bound)]
    assert seen[0] & set(hidden)
    assert not seen[1]  # the first account takes part for the person


def _for_matching_only(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, C.VISIBILITY: "match_only", C.MANDATORY: False} for row in rows]


@pytest.mark.parametrize(
    ("user", "kind", "table", "left"),
    [
        ("u00043", "interest", T.INTERESTS, lambda _: []),
        ("u00036", "listens", T.TALK_TOPICS, lambda _: []),
        ("u00008", "answer", T.ANSWERS, lambda _: []),
        ("u00020", "answer", T.ANSWERS, _for_matching_only),
    ],
)
def test_what_somebody_takes_back_today_is_a_reason_nowhere(
    town: Town, ranker: Ranker, user: str, kind: str, table: str, left: Any
) -> None:
    """Seen to fail: looks and the inbox of whoever changed went on by the reasons of the night."""
    others = [one for one in town.viewers if one != user]
    ranker.day.append([DayEvent(f"like-{one}", NOW, one, user, "like") for one in others])

    def told() -> dict[str, set[str]]:
        """Return the kinds of reasons of each door: the member's own looks and inbox, and those of others."""
        own = [ranker.look(user, one, NOW) for one in others]
        theirs = [ranker.look(one, user, NOW) for one in others]
        pages = [
            item for one in others for item in ranker.rank(one, 60, NOW).items if item.candidate_id == user
        ]
        doors = {
            "own": own,
            "inbox": ranker.inbox(user, 60, NOW).items,
            "page": ranker.rank(user, 60, NOW).items,
            "theirs": [*theirs, *pages],
        }
        return {
            name: {code.partition(":")[0] for item in filter(None, items) for code in item.reasons}
            for name, items in doors.items()
        }

    before, tables = told(), rows_of(town.tables, user)
    assert kind in before["own"] & before["inbox"]
    tables[table] = left(tables.get(table, []))
    ranker.day.change_tables(user, tables, event_id="taken-back", at=NOW)
    for _ in range(3):
        after = told()
    assert not any(kind in codes for codes in after.values())
    assert all(after[name] for name in ("own", "inbox", "theirs"))


def test_an_erased_id_in_other_capitals_is_another_account(town: Town, ranker: Ranker) -> None:
    """What a log keeps loses the erased id alone: the account that came later is served by its tables."""
    ranker.safety.erase("n00007")
    tables = _renamed(rows_of(town.tables, NEW), "N00007")
    ranker.day.change_tables("N00007", tables, event_id="tables", at=NOW)
    terms = DayEvent("terms", NOW, "N00007", None, "terms_accepted")
    ranker.day.append([terms, DayEvent("proof", NOW, "N00007", None, "verified", "id")])
    assert viewers_of(ranker, town, "N00007") == town.sees(NEW)


def test_a_match_whose_tables_changed_today_is_looked_at_by_them(town: Town, tmp_path: Path) -> None:
    """Either of the two: the match and its stage are of the night, rules and single pairs are of today.

    Seen to fail: tables of today parted every match.
    """
    people, ids = town.now, town.now.ids.ids(np.arange(PEOPLE)).tolist()
    rows = np.arange(0, PEOPLE, 2)
    policy = town.world.policy
    both = policy.may_show(people, rows, rows + 1) & policy.may_show(people, rows + 1, rows)
    pairs = [(ids[at], ids[at + 1]) for at in rows[both]][:5]
    lines = [(0, one, *told) for one in ids for told in (("terms_accepted",), ("verified", None, "id"))]
    for a, b in pairs:
        told = ONGOING[len(LISTED) :]
        lines += [tuple({"a": a, "b": b}.get(one, one) for one in line) for line in told]
    log = events(*lines)
    people = people.with_relations(relations(log, None, None, people.ids, people.as_of))
    directed = town.model.directed(people)
    world = replace(World.of(people), directed=directed)
    stages = pair_stages_of(log, people, policy)
    world.__dict__["parts"] = SnapshotParts.of(people, policy, directed, stages)
    assert world.publish(tmp_path, model=town.model).published
    ranker = Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0, max_staleness=None)

    def told_today(pair: tuple[str, str], number: int, **words: Any) -> set[str | None]:
        a, user = pair
        mine = rows_of(town.tables, user)
        for name in (T.PROFILES, T.BOUNDARIES):
            mine[name] = [row | {key: one for key, one in words.items() if key in row} for row in mine[name]]
        when = NOW + timedelta(minutes=number)
        ranker.day.change_tables(user, mine, event_id=f"{user}{number}", at=when)
        for _ in ids:
            ranker.rank(a, 1, NOW)  # each call folds one member in
        seen = [ranker.look(a, user, NOW), ranker.look(user, a, NOW)]
        assert not {a, user} & {*page(ranker, a), *page(ranker, user)}
        return {None if item is None else item.stage for item in seen}

    for at, (a, b) in enumerate(pairs):
        assert told_today((a, b), 0) == {"ongoing"}
        assert told_today((a, b), 1, **{C.LANGUAGES: ["fi"]}) == {None}
        assert told_today((a, b), 2, **{C.DISCRETION: "liked_only"}) == {"ongoing"}
        assert told_today((a, b), 3) == {"ongoing"}
        older = told_today((a, b), -1, **{C.LANGUAGES: ["fi"]})
        assert older == {None}  # they came later, and restrict as well
        assert told_today((a, b), 4) == {"ongoing"}
        kind = ("block", "pass", "hide", "end", "report")[at]
        if kind in ("block", "report"):
            getattr(ranker.safety, kind)(a, b)
        else:
            ranker.day.append([DayEvent(kind, NOW, b, a, kind, "amicable" if kind == "end" else None)])
        assert told_today((a, b), 5) == {None}
    ranker.close()
