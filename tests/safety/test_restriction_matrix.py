"""What restricts, by every door it comes through, in every form, wherever it must be seen: one contract.

Each cell is one kind of restriction, one door, one form and one place where somebody could still be shown.
The cells that are open on purpose are named, and asked as well: one that closes has to leave the list.
`make test` walks every kind by every door and in every form, a third of the threes; `make soak` walks all.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from fnmatch import fnmatch
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.errors import RecsysError
from recsys.http.access import Service
from recsys.http.access_tokens import AccessToken
from recsys.http.app import create_app
from recsys.pipeline.postgres_page import inbox_table, like_table
from recsys.pipeline.rollback import rollback
from recsys.ranking.pair_audit import OperatorGate
from recsys.ranking.publication_filter import ListFilter
from recsys.ranking.ranker import Ranker
from recsys.ranking.snapshot_files import served_snapshot
from recsys.safety import MemorySafety
from recsys.safety.by_person import AWAY_TODAY, HELD_TODAY, OUT_TODAY
from recsys.safety.day_log import DayEvent
from recsys.safety.erasure_list import ErasureList
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import LedgerTag, Who
from recsys.storage.publication import current_run, read_publication
from tests.safety.restriction_doors import (
    FORMS,
    KEYS,
    KINDS,
    NOW,
    OTHER,
    PAIR_OF,
    TOWN,
    USERS,
    Published,
    copy_of,
    opened,
    own_tables,
    rows_of,
    spelled,
    token,
    with_rows,
)

pytestmark = pytest.mark.usefixtures("tables_checked_once")

DOORS = ("night", "refused night", "events", "tables of the day", "profile", "calls", "routes")
_ITS_OWN = "page for a new account of the person"
OPEN: Mapping[str, str] = {
    **{
        f"{kind} / {door} / {form} / {_ITS_OWN}": "a pause, a proof and a boundary are of one account"
        for kind in ("pause", "leave", "proof taken back", "boundary")
        for door in ("night",)
        for form in FORMS
        if (kind, form) != ("pause", "partly readable")
    },
    f"boundary / tables of the day / * / {_ITS_OWN}": "the same",
    f"erasure / *night / * / {_ITS_OWN}": "who was erased may come back, as restricted as before",
    "pass / *night / ahead / *": "a pass is no word on safety: one that is dated ahead waits",
    "hide / events / * / page of a new account of the viewer": "of one account until a night has read it",
    "pass / events / * / page of a new account of the viewer": "the same",
    "hide / events / * / export*": "an export holds a night; pages in SQL read the day beside it",
    "pass / events / * / export*": "the same",
    "hide / routes / * / page of a new account of the viewer": "as by events",
    "pass / routes / * / page of a new account of the viewer": "as by events",
    "hide / routes / * / export*": "as by events",
    "pass / routes / * / export*": "as by events",
    "boundary / tables of the day / * / export*": "an export waits for the night",
    "excluded number / tables of the day / * / export*": "the same",
    "boundary / tables of the day / spelled / *": "boundaries and tokens of refused tables are not looked at",
    "excluded number / tables of the day / spelled / *": "the same",
    "boundary / tables of the day / repeated / *": "tables under the name of others are no new ones",
    "excluded number / tables of the day / repeated / *": "the same",
    "boundary / profile / * / *": "a profile speaks of lines to its own pages; tables of the day to others",
    "excluded number / profile / * / *": "the same",
    f"boundary / routes / * / {_ITS_OWN}": "as by tables of the day",
    "boundary / routes / * / export*": "as by tables of the day",
    "excluded number / routes / * / export*": "as by tables of the day",
    "boundary / routes / spelled / *": "as by tables of the day",
    "excluded number / routes / spelled / *": "as by tables of the day",
    "boundary / routes / partly readable / *": "a body with an unknown key is refused tables",
    "excluded number / routes / partly readable / *": "the same",
}
"""Cells in which somebody is still shown, as `kind / door / form / place`, and why."""
ELSEWHERE = (
    "pages in SQL: tests/safety/test_postgres_store.py",
    "a store of one's own: recsys.testing.SafetyContract",
    "a night that ends before its gates: tests/pipeline/test_unfinished_night.py",
)
"""Doors and places that are no cells here."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return Published(tmp_path_factory.mktemp("town"))


def _event(kind: str, form: str) -> DayEvent:
    row = KINDS[kind].row(*PAIR_OF[kind])
    a, b = PAIR_OF[kind]
    moved = {"late": -timedelta(days=20), "ahead": timedelta(days=90)}.get(form, timedelta())
    ids = {a: a, b: spelled(b) if form == "spelled" else b, None: None}
    given = KINDS[kind].table.removesuffix("s"), None
    word, detail = given if KINDS[kind].table != T.EVENTS else (row[C.TYPE], row[C.DETAIL])
    event_id = "used-before" if form == "repeated" else f"e {kind}".replace(" ", "-")
    count = -1 if form == "partly readable" else None
    return DayEvent(event_id, NOW + moved, ids[row[C.ACTOR]], ids[row[C.TARGET]], word, detail, count)


def _by_event(ranker: Ranker, kind: str, form: str) -> None:
    event = _event(kind, form)
    if form == "repeated":
        ranker.day.append([DayEvent(event.event_id, NOW, event.actor, OTHER, "like")])
    ranker.day.append([event])


def _tables_of(kind: str, form: str) -> tuple[str, dict[str, list[dict[str, Any]]]]:
    """Return who sends tables of the day, and the tables."""
    a, b = PAIR_OF[kind]
    sender = a if KINDS[kind].table in (T.BLOCKS, T.REPORTS) else b
    tables = own_tables(sender)
    if KINDS[kind].table == T.TOKENS:
        tables[T.TOKENS] += rows_of(kind, form)
    elif KINDS[kind].table in tables:
        said = rows_of(kind, form)[0]
        tables[KINDS[kind].table] = [row | said for row in tables[KINDS[kind].table]]
    else:
        tables[KINDS[kind].table] = rows_of(kind, form)
    plain = {
        name: [{k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in row.items()} for row in rows]
        for name, rows in tables.items()
    }
    return sender, plain


def _by_tables(ranker: Ranker, kind: str, form: str) -> None:
    sender, tables = _tables_of(kind, form)
    moved = {"late": -timedelta(days=20), "ahead": timedelta(days=90)}.get(form, timedelta())
    if form == "repeated":
        ranker.day.change_tables(sender, own_tables(sender), event_id="used-before", at=NOW)
    name = "used-before" if form == "repeated" else "tables"
    ranker.day.change_tables(sender, tables, event_id=name, at=NOW + moved)


def _by_profile(ranker: Ranker, kind: str, form: str) -> None:
    sender, tables = _tables_of(kind, form)
    if form == "repeated":
        ranker.rank(sender, 5, NOW, profile=own_tables(sender))
    ranker.rank(sender, 5, NOW, profile=tables)


def _by_call(ranker: Ranker, kind: str, form: str) -> None:
    a, b = PAIR_OF[kind]
    b = spelled(b) if form == "spelled" else b
    moved: Any = {"late": NOW - timedelta(days=20), "ahead": NOW + timedelta(days=90)}.get(form)
    moved = "soon" if form == "partly readable" else moved
    safety, day = ranker.safety, ranker.day
    calls: Mapping[str, Callable[[], object]] = {
        "hold": lambda: safety.hold(b, moved, owner="aki"),
        "block": lambda: safety.block(a, b, moved),
        "report": lambda: day.report(a, b, "money", moved),
        "erasure": lambda: safety.erase(b, moved),
        "pause": lambda: day.pause(b),
        "leave": lambda: day.leave(b),
    }
    for _ in range(2 if form == "repeated" else 1):
        calls[kind]()


def _by_route(ranker: Ranker, kind: str, form: str) -> None:
    a, b = PAIR_OF[kind]
    b = spelled(b) if form == "spelled" else b
    gate = OperatorGate()
    bearer = AccessToken.make(("members", "backend"), viewer="*", operator="").signed(KEYS)
    beside = {"colour": "red"} if form == "partly readable" else {}
    _, tables = _tables_of(kind, form) if kind in _OF_TABLES else ("", {})
    path, method, body = {
        "hold": ("/v1/backend/holds", "POST", {"person": b, "owner": "aki"} | beside),
        "block": (f"/v1/members/{a}/blocks", "POST", {"person": b} | beside),
        "report": (f"/v1/members/{a}/reports", "POST", {"person": b, "category": "money"} | beside),
        "erasure": ("/v1/backend/erasures", "POST", {"person": b} | beside),
        "pause": (f"/v1/members/{b}/pause", "POST", None),
        "leave": (f"/v1/members/{b}/leave", "POST", None),
    }.get(kind) or (
        ("/v1/backend/events", "POST", [_event_body(kind, form) | beside])
        if kind not in _OF_TABLES
        else (f"/v1/backend/members/{b}/tables", "PUT", {"event_id": "x", "tables": tables} | beside)
    )
    app = create_app(lambda: Service(ranker, KEYS, gate))
    with TestClient(app, raise_server_exceptions=False) as client:
        for _ in range(2 if form == "repeated" else 1):
            client.request(method, path, json=body, headers={"authorization": f"Bearer {bearer}"})


def _event_body(kind: str, form: str) -> dict[str, Any]:
    event = _event(kind, form)
    names = {"event_id": event.event_id, "type": event.type, "detail": event.detail}
    return names | {"actor": event.actor, "target": event.target, "at": event.at.isoformat()}


_OF_TABLES = tuple(
    kind
    for kind, one in KINDS.items()
    if one.table in (T.PROFILES, T.BOUNDARIES, T.TOKENS) and kind != "pause"
)
_BY: Mapping[str, tuple[Callable[[Ranker, str, str], None], tuple[str, ...]]] = {
    "events": (
        _by_event, tuple(k for k, one in KINDS.items() if one.table in (T.EVENTS, T.BLOCKS, T.REPORTS))
    ),
    "tables of the day": (_by_tables, tuple(k for k, one in KINDS.items() if one.table != T.EVENTS)),
    "profile": (_by_profile, tuple(k for k, one in KINDS.items() if one.table != T.EVENTS)),
    "calls": (_by_call, ("hold", "block", "report", "erasure", "pause", "leave")),
    "routes": (_by_route, tuple(kind for kind in KINDS)),
}  # fmt: skip


def _shown(ranker: Ranker, kind: str) -> Iterator[str]:
    """Yield the places where a pair of one kind is still shown."""
    a, b = PAIR_OF[kind]
    pages = {
        "page": ranker.rank(a, 100, NOW),
        "page from ids": ranker.rank(a, 100, NOW, among=[b]),
        "inbox": ranker.inbox(a, 100, NOW),
    }
    (pages["page of many"],) = ranker.rank_many([a], 100, NOW)
    yield from (name for name, page in pages.items() if b in {one.candidate_id for one in page.items})
    if ranker.look(a, b, NOW) is not None:
        yield "look"
    if ranker.look(b, a, NOW) is not None:
        yield "look back"
    mine = own_tables(a, **{C.USER: f"{a}-again"})
    again = _renamed(mine, f"{a}-again")
    if ranker.rank(f"{a}-again", 100, NOW, profile=again, among=[b]).items:
        yield "page of a new account of the viewer"
    if KINDS[kind].of_pair:
        return
    if ranker.rank(f"{b}-again", 100, NOW, profile=_renamed(own_tables(b), f"{b}-again")).items:
        yield "page for a new account of the person"


def _shown_to_a_newcomer(ranker: Ranker, kinds: Iterable[str]) -> list[tuple[str, str]]:
    """Return the kinds of one person who are on the page of one newcomer, and the place."""
    person_of = {kind: PAIR_OF[kind][1] for kind in kinds if not KINDS[kind].of_pair}
    stranger = _renamed(own_tables(OTHER, **{C.PERSON_TOKEN: token("n", "w")}), "newcomer")
    page = ranker.rank("newcomer", 100, NOW, profile=stranger, among=[*person_of.values()])
    shown = {one.candidate_id for one in page.items}
    return [(kind, "page of a newcomer") for kind, person in person_of.items() if person in shown]


def _renamed(tables: dict[str, list[dict[str, Any]]], user: str) -> dict[str, list[dict[str, Any]]]:
    return {name: [row | {C.USER: user} for row in rows] for name, rows in tables.items() if name != T.TOKENS}


PLACES = (
    *("page", "page of many", "page from ids", "inbox", "look", "look back"),
    *("page of a new account of the viewer", "page for a new account of the person", "page of a newcomer"),
    *("another worker", "export", "export of inboxes", "after a rollback", "after the next night"),
)


def _exported(folder: Path, kinds: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield kinds, and the places of an export of what is published that may show their pairs."""
    publication, erased = read_publication(folder), ErasureList.of(folder).now()
    snapshot, only = served_snapshot(publication), ListFilter.of_publication(publication, folder)
    assert snapshot is not None
    inboxes = inbox_table(snapshot, only).to_pandas().set_index(C.VIEWER)[C.CANDIDATE]
    likes = like_table(snapshot, only).to_pandas()
    for kind in kinds:
        pair = PAIR_OF[kind]
        viewer, candidate = snapshot.ids.find(pair)
        a, b = (np.array([one], object) for one in pair)
        if erased.among(pair).any():  # an export drops them from every table
            continue
        if only.keeps(a, b)[0] and min(viewer, candidate) >= 0 and snapshot.may_show(viewer, [candidate])[0]:
            yield kind, "export"
        liked = likes[likes[C.VIEWER].eq(pair[1]) & likes[C.CANDIDATE].eq(pair[0])]
        if pair[1] in inboxes.get(pair[0], ()) or len(liked):
            yield kind, "export of inboxes"


def _places(ranker: Ranker, folder: Path, kinds: Iterable[str]) -> list[tuple[str, str]]:
    """Return kinds, and the places of one worker and of an export where their pairs are still shown."""
    kinds = tuple(kinds)
    found = [*_exported(folder, kinds), *_shown_to_a_newcomer(ranker, kinds)]
    return found + [(kind, place) for kind in kinds for place in _shown(ranker, kind)]


def _open_cells(
    ranker: Ranker, folder: Path, store: MemorySafety, door: str, form: str, kinds: tuple[str, ...]
):
    found = [f"{kind} / {door} / {form} / {place}" for kind, place in _places(ranker, folder, kinds)]
    with opened(folder, store) as other:
        found += [
            f"{kind} / {door} / {form} / another worker" for kind in kinds if other.look(*PAIR_OF[kind], NOW)
        ]
    return found


def _of_door(pattern: str) -> str:
    """Return a pattern of cells for whatever kind and place."""
    _, door, form, _ = pattern.split(" / ")
    return f"* / {door} / {form} / *"


def _is_open(pattern: str, found: Iterable[str]) -> bool:
    return any(fnmatch(cell, pattern) for cell in found)


def test_before_anything_is_said_every_place_shows_every_pair(town: Published, tmp_path: Path) -> None:
    folder, store = copy_of(town, tmp_path), MemorySafety()
    with opened(folder, store) as ranker:
        found = _places(ranker, folder, KINDS)
        for kind, said in KINDS.items():
            places = {place for of, place in found if of == kind}
            expected = set(PLACES) - {"another worker", "after a rollback", "after the next night"}
            missing = (
                {"page for a new account of the person", "page of a newcomer"} if said.of_pair else set()
            )
            assert places == expected - missing, kind


def _after_the_next_night(
    town: Published, folder: Path, ranker: Ranker, kinds: Iterable[str], cell: str
) -> list[str]:
    """Return the cells that are open once a night is published without the rows of what lasts."""
    assert town.night(folder, TOWN, hours=30).published
    ranker.refresh()
    lasting = (kind for kind in kinds if KINDS[kind].lasts)
    return [f"{k} / {cell} / after the next night" for k in lasting if ranker.look(*PAIR_OF[k], NOW)]


def _after_a_rollback(folder: Path, ranker: Ranker, kinds: Iterable[str], cell: str) -> list[str]:
    """Return the cells that are open once the publication before the night is served again."""
    newest = current_run(folder)
    rollback(folder)
    ranker.refresh()
    kinds = tuple(kinds)
    shown = {k for k in kinds if ranker.look(*PAIR_OF[k], NOW)} | {k for k, _ in _exported(folder, kinds)}
    found = [f"{k} / {cell} / after a rollback" for k in kinds if k in shown]
    rollback(folder, newest)
    return found


def _some_of(door: str, form: str) -> tuple[str, ...]:
    """Return a third of the kinds: each stands with every door in two forms, with every form at two doors."""
    turn = DOORS.index(door) + FORMS.index(form)
    return tuple(kind for at, kind in enumerate(KINDS) if (at + turn) % 3 == 0)


def open_cells(town: Published, folder: Path, door: str, form: str, of: Collection[str]) -> list[str]:
    """Return the cells of a door and a form, of some kinds, that are open."""
    store = MemorySafety()
    say, at_this_door = _BY.get(door, (None, tuple(KINDS)))
    kinds = tuple(kind for kind in at_this_door if kind in of)
    if say is None:
        tables = with_rows({kind: rows_of(kind, form) for kind in kinds})
        refused = door == "refused night"
        assert town.night(folder, tables, refused=refused).published != refused
    with opened(folder, store) as ranker:
        for kind in kinds if say is not None else ():
            with suppress(RecsysError):
                say(ranker, kind, form)
        found = _open_cells(ranker, folder, store, door, form, kinds)
        if door == "night":
            found += _after_a_rollback(folder, ranker, kinds, f"{door} / {form}")
        return found + _after_the_next_night(town, folder, ranker, kinds, f"{door} / {form}")


@pytest.mark.filterwarnings("ignore:rows about safety name nobody")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("part", ["some", pytest.param("all", marks=pytest.mark.thorough)])
def test_what_restricts_is_seen_in_every_place(
    town: Published, tmp_path: Path, door: str, form: str, part: str
) -> None:
    kinds = tuple(KINDS) if part == "all" else _some_of(door, form)
    found = set(open_cells(town, copy_of(town, tmp_path), door, form, kinds))
    named = {cell for cell in found if any(fnmatch(cell, one) for one in OPEN)}
    assert sorted(found - named) == []
    cell = f"x / {door} / {form} / x"
    mine = (one for one in OPEN if one.split(" / ")[0] in kinds and fnmatch(cell, _of_door(one)))
    unused = [one for one in mine if "/ * /" not in one and not _is_open(one, found)]
    assert unused == [], "these cells are closed: take them off the list, and off the page on safety"


def test_any_two_of_a_cell_are_walked_each_time() -> None:
    axes = (tuple(KINDS), DOORS, FORMS)
    walked = {(kind, door, form) for door in DOORS for form in FORMS for kind in _some_of(door, form)}
    assert 3 * len(walked) == len(KINDS) * len(DOORS) * len(FORMS)
    for one, other in combinations(range(3), 2):
        assert {(cell[one], cell[other]) for cell in walked} == set(product(axes[one], axes[other]))


_LATER_HOLDS: Mapping[str, Callable[[str], list[dict[str, Any]] | None]] = {
    "no table": lambda _: None,
    "no row": lambda _: [],
    **{
        f"lifted by {owner}, {days} days": lambda user, owner=owner, days=days: [  # type: ignore[misc]
            {
                C.USER: user,
                C.TS: (NOW + timedelta(days=days)).isoformat(),
                C.STATE: "lifted",
                C.OWNER: owner,
            }
        ]
        for owner, days in product(("aki", "another"), (-3, 0, 3))
    },
}
"""What later tables of a member say of holds: nothing of it is the word of a night."""


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_hold_in_tables_of_today_ends_by_a_later_row_of_a_night_alone(
    town: Published, tmp_path: Path
) -> None:
    """Seen to fail: tables of an edit of a profile, without a hold in them, ended it, as any `lifted` did."""
    folder, store = copy_of(town, tmp_path), MemorySafety()
    users = dict(zip(_LATER_HOLDS, (pair[1] for pair in PAIR_OF.values()), strict=False))

    def shown(ranker: Ranker) -> set[str]:
        return {name for name, user in users.items() if ranker.look(OTHER, user, NOW) is not None}

    with opened(folder, store) as ranker:
        assert shown(ranker) == {*users}
        for name, user in users.items():
            row = {C.USER: user, C.TS: NOW.isoformat(), C.STATE: "active", C.OWNER: "aki"}
            ranker.day.change_tables(user, own_tables(user) | {T.HOLDS: [row]}, event_id=f"hold-{user}")
            later = _LATER_HOLDS[name](user)
            tables = own_tables(user) | ({} if later is None else {T.HOLDS: later})
            ranker.day.change_tables(user, tables, event_id=f"edit-{user}")
            with suppress(RecsysError):
                ranker.rank(user, 5, NOW, profile=own_tables(user))
        assert shown(ranker) == set()
        assert town.night(folder, TOWN, hours=2).published
        ranker.refresh()
        assert shown(ranker) == set()
        state = SafetyLedger.of(folder).now()
        assert all(state.is_stopped(state.fingerprints(Who(user))) for user in users.values())


@pytest.mark.parametrize("tag", [OUT_TODAY, HELD_TODAY, AWAY_TODAY])
@pytest.mark.parametrize("days", [-1, 1])
def test_what_tables_of_today_stopped_ends_by_a_row_of_a_night_that_is_dated_later(
    town: Published, tmp_path: Path, tag: LedgerTag, days: int
) -> None:
    folder, user = copy_of(town, tmp_path), USERS[0]
    said = NOW - timedelta(days=5)
    SafetyLedger.of(folder).stop([Who(user)], tag, as_of=said.isoformat(timespec="microseconds"))
    profiles = TOWN[T.PROFILES]
    dated = profiles[C.VALID_FROM].mask(profiles[C.USER].eq(user), said + timedelta(days=days))
    assert town.night(
        folder, TOWN | {T.PROFILES: profiles.assign(**{C.VALID_FROM: dated})}, hours=2
    ).published
    state = SafetyLedger.of(folder).now()
    assert state.is_stopped(state.fingerprints(Who(user))) == (days < 0)
