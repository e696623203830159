"""Proofs by day, by events of the day and of a page: what takes one back, and what gives it again."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.events import Events
from recsys.data.proofs import tier_of
from recsys.errors import InputError
from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety
from recsys.safety.day_log import DayEvent
from tests.ranking.published_world import copied
from tests.safety.restriction_doors import (
    AS_OF,
    NOW,
    OTHER,
    PAIR_OF,
    USERS,
    Published,
    copy_of,
    opened,
    own_tables,
    rows_of,
    token,
    with_rows,
)

Said = tuple[str, ...]
SAID: Sequence[Said] = [said for n in (1, 2, 3) for said in product(("none", "age", "id"), repeat=n)]
"""Every order in which a member may lose and gain proofs, one an hour; the night knows one of identity."""
MEMBERS = dict(zip(USERS, SAID, strict=False))
NEW = "n00001"
Row = dict[str, Any]


@pytest.fixture(scope="module", params=["age", "id"])
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Published:
    return Published(tmp_path_factory.mktemp("published"), verification=request.param)


@pytest.fixture
def ranker(published: Published, tmp_path: Path) -> Iterator[Ranker]:
    with opened(copy_of(published, tmp_path), MemorySafety()) as made:
        yield made


def is_proved(said: Said, asked: str) -> bool:
    """Walk through what was said: who was proved stays so until it is taken back."""
    stands, enough = True, "age"
    for word in said:
        if word == "none":
            stands, enough = False, asked
        else:
            stands = stands or tier_of(word) >= tier_of(enough)
    return stands


def at(hour: int) -> datetime:
    return NOW - timedelta(hours=8 - hour)


def day_events(user: str, said: Said) -> list[DayEvent]:
    named = [(f"proof-{hour}", at(hour), user, None, "verified", word) for hour, word in enumerate(said)]
    return [DayEvent(*one) for one in named]


def page_events(user: str, said: Said, *others: Row) -> Events:
    rows = [_row(user, "verified", word, hour) for hour, word in enumerate(said)]
    return Events.of(pd.DataFrame([_row(user, "terms_accepted", None, 0), *rows, *others]))


def _row(user: str, kind: str, detail: str | None, hour: int) -> Row:
    return {C.ACTOR: user, C.TARGET: None, C.TYPE: kind, C.DETAIL: detail, C.TS: pd.Timestamp(at(hour))}


def profile_of(user: str) -> dict[str, list[Row]]:
    """Return sound tables of a member, or of somebody new."""
    if user != NEW:
        return own_tables(user)
    found = own_tables(USERS[3], **{C.USER: NEW, C.PERSON_TOKEN: token("p", NEW)})
    return {name: found[name] for name in (T.PROFILES, T.BOUNDARIES)}


def page(ranker: Ranker, user: str, events: Events | None = None) -> int:
    return len(ranker.rank(user, 3, NOW, profile=profile_of(user), events=events).items)


def is_seen(ranker: Ranker, user: str) -> bool:
    return ranker.look(OTHER, user, NOW) is not None


@pytest.mark.parametrize("together", [False, True])
def test_a_proof_taken_back_by_day_counts_until_one_of_the_tier_that_is_asked(
    published: Published, ranker: Ranker, *, together: bool
) -> None:
    for user, said in MEMBERS.items():
        events = day_events(user, said)
        for part in [events] if together else [[one] for one in events]:
            ranker.day.append(part)
    expected = {user: is_proved(said, published.policy.verification) for user, said in MEMBERS.items()}
    assert {user: is_seen(ranker, user) for user in MEMBERS} == expected
    assert {user: page(ranker, user) > 0 for user in MEMBERS} == expected


def test_somebody_new_is_listed_by_the_proof_of_today_that_stands(
    published: Published, ranker: Ranker
) -> None:
    ranker.day.change_tables(NEW, profile_of(NEW), event_id="tables", at=NOW)
    ranker.day.append([DayEvent("terms", NOW, NEW, None, "terms_accepted")])
    said: list[str] = []
    for hour, word in enumerate(("age", "none", "age", "id", "age", "none", "id")):
        ranker.day.append([DayEvent(f"p{hour}", at(hour), NEW, None, "verified", word)])
        said.append(word)
        ranker.rank(OTHER, 1, NOW)  # folds them in
        assert is_seen(ranker, NEW) == is_proved(tuple(said), published.policy.verification), said


def test_whom_a_night_lists_no_more_is_listed_by_day_with_a_proof_of_the_tier_that_is_asked(
    published: Published, tmp_path: Path
) -> None:
    user = PAIR_OF["proof taken back"][1]
    folder = copy_of(published, tmp_path)
    tables = with_rows({"proof taken back": rows_of("proof taken back", "sound")})
    assert published.night(folder, tables, hours=1).published
    with opened(folder, MemorySafety()) as ranker:
        ranker.day.change_tables(user, profile_of(user), event_id="tables", at=NOW)
        ranker.day.append([DayEvent("terms", NOW, user, None, "terms_accepted")])
        for hour, word in enumerate(("age", "id")):
            ranker.day.append([DayEvent(f"p{hour}", at(hour), user, None, "verified", word)])
            ranker.rank(OTHER, 1, NOW)  # folds them in
            assert is_seen(ranker, user) == (word in {published.policy.verification, "id"})


def test_what_the_events_of_a_page_say_of_proofs_counts_as_it_does_by_day(
    published: Published, ranker: Ranker
) -> None:
    asked = published.policy.verification
    other = _row(USERS[-2], "verified", "none", 9)  # of somebody else: no word of this page
    for user, said in {**MEMBERS, NEW: ("id", "none", "age")}.items():
        shown = is_proved(said, asked)
        assert (page(ranker, user, page_events(user, said, other)) > 0) == shown, said
        assert (page(ranker, user) > 0) == shown, said
        assert user == NEW or is_seen(ranker, user) == shown, said
    assert is_seen(ranker, USERS[-2])
    for place, (user, said) in enumerate(MEMBERS.items()):
        if not is_proved(said, asked):
            if place % 2:  # by a page, or by day
                assert page(ranker, user, page_events(user, (*said, asked))) > 0, said
            else:
                ranker.day.append(day_events(user, (*said, asked))[-1:])
            assert is_seen(ranker, user), said


_STOPS: Sequence[tuple[str, str | None]] = [
    *[("erase", None), ("verified", None), ("verified", "revoked")],
    *[(word, None) for word in ("pause", "leave", "ban", "account_deleted")],
]


@pytest.mark.parametrize("user", [USERS[4], NEW])
@pytest.mark.parametrize(("kind", "detail"), _STOPS)
def test_what_stops_its_member_in_the_events_of_a_page_stops_them_as_by_day(
    published: Published, tmp_path: Path, user: str, kind: str, detail: str | None
) -> None:
    seen = []
    for door in ("nothing", "page", "day"):
        with opened(copy_of(published, tmp_path / door), MemorySafety()) as ranker:
            sound = page_events(user, ("id",))
            if door == "page":
                row = _row(user, kind, detail, 5)
                if kind in ENUMERATIONS[C.TYPE].words:
                    assert page(ranker, user, page_events(user, ("id",), row)) == 0
                else:  # no events are made of it
                    with pytest.raises(InputError):
                        page(ranker, user, [row])  # type: ignore[arg-type]
            elif door == "day":
                with suppress(InputError):
                    ranker.day.append([DayEvent("e", at(5), user, None, kind, detail)])
            seen.append((page(ranker, user, sound) > 0, user == NEW or is_seen(ranker, user)))
    assert seen == [(True, True), (False, user == NEW), (False, user == NEW)]


TAKEN_BACK = PAIR_OF["proof taken back"][1]


@pytest.fixture(scope="module")
def taken_back(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose newest night read that a member's proof was taken back."""
    folder = copy_of(published, tmp_path_factory.mktemp("taken back"))
    told = with_rows({"proof taken back": rows_of("proof taken back", "sound")})
    assert published.night(folder, told, hours=1).published
    return folder


@pytest.mark.parametrize("by", ["tables of today", "a profile"])
@pytest.mark.parametrize("proof", [None, "age", "id"])
@pytest.mark.parametrize("told_by", ["day", "events of the page"])
@pytest.mark.parametrize("hours", [-48, 2])
def test_a_proof_that_a_night_read_as_taken_back_opens_no_page_of_its_member(
    published: Published,
    taken_back: Path,
    tmp_path: Path,
    by: str,
    proof: str | None,
    told_by: str,
    hours: int,
) -> None:
    """Seen to fail: tables of today, or a profile, that say how somebody is verified opened their page.

    hours: after the night's data, when another proof is given.
    """
    enough = tier_of(proof) >= tier_of(published.policy.verification) and hours > 0
    moment = (AS_OF + pd.Timedelta(hours=1 + hours)).to_pydatetime()
    with opened(copied(taken_back, tmp_path / "published"), MemorySafety()) as ranker:
        assert not ranker.rank(TAKEN_BACK, 3, NOW).items
        events = None
        if proof and told_by == "day":
            ranker.day.append([DayEvent("again", moment, TAKEN_BACK, None, "verified", proof)])
        elif proof:
            row = _row(TAKEN_BACK, "verified", proof, 0) | {C.TS: pd.Timestamp(moment)}
            events = Events.of(pd.DataFrame([row]))
        if by == "a profile":
            found = ranker.rank(TAKEN_BACK, 3, NOW, profile=own_tables(TAKEN_BACK), events=events)
        else:
            ranker.day.change_tables(TAKEN_BACK, own_tables(TAKEN_BACK), event_id="tables", at=NOW)
            found = ranker.rank(TAKEN_BACK, 3, NOW, events=events)
        assert bool(found.items) == enough
        assert ranker.rank(OTHER, 3, NOW).items
