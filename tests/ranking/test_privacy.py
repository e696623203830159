"""What never leaves the ranker: reasons for absence, private answers, places, anybody's data in a log."""

import dataclasses
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import h3
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from recsys.catalogue.columns import Columns as C
from recsys.data.population import LongTables, Population
from recsys.errors import RecsysError
from recsys.ranking.ranker import Ranker
from recsys.ranking.response_and_receipt import Item, Page, Receipt
from recsys.safety import MemorySafety
from recsys.testing.people import make_listed_people
from tests.ranking.published_world import NOW, World


@pytest.fixture(scope="module")
def world() -> World:
    return World.of(
        make_listed_people(30, np.random.default_rng(11), **{C.ACCOUNT_STATE: ["active"] * 29 + ["banned"]})
    )


@pytest.fixture(scope="module")
def folder(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("published")
    world.publish(found)
    return found


def everybody(people: Population) -> list[str]:
    return people.ids.ids(np.arange(len(people))).tolist()


def test_whoever_may_not_be_seen_looks_like_nobody(world: World, folder: Path) -> None:
    safety = MemorySafety()
    ranker = Ranker.open(folder, safety=safety, poll_s=0)
    ids = everybody(world.people)
    viewer, blocked, held, erased = ids[:4]
    banned = ids[29]
    safety.block(blocked, viewer)
    safety.hold(held)
    safety.erase(erased)
    alike = [blocked, held, erased, banned, viewer, "u-nobody", "", "x" * 500, "ユーザー", "u\0"]
    assert {ranker.look(viewer, other, NOW) for other in alike} == {None}
    shown = {item.candidate_id for item in ranker.rank(viewer, 100, NOW).items}
    assert shown
    assert not shown & set(alike)


def test_viewers_who_see_nobody_get_one_and_the_same_page(world: World, folder: Path) -> None:
    safety = MemorySafety()
    ranker = Ranker.open(folder, safety=safety, poll_s=0)
    ids = everybody(world.people)
    safety.hold(ids[1])
    safety.erase(ids[2])

    def anonymous(page: Page) -> Page:
        return replace(page, viewer_id="", receipt=replace(page.receipt, viewer_id="", signature=""))

    pages = {anonymous(ranker.rank(viewer, 10, NOW)) for viewer in (ids[1], ids[2], ids[29], "u-nobody")}
    assert len(pages) == 1
    assert pages.pop().items == ()


def test_the_same_questions_are_asked_for_everybody_who_sees_nobody(world: World, folder: Path) -> None:
    """The same work takes the same time; the benchmark measures it."""
    asked: list[int] = []

    class Counting(MemorySafety):
        def exclusions(self, viewer, candidates):
            asked.append(len(candidates))
            return super().exclusions(viewer, candidates)

    safety = Counting()
    ranker = Ranker.open(folder, safety=safety, poll_s=0)
    ids = everybody(world.people)
    safety.hold(ids[1])
    lengths = []
    for viewer in (ids[1], ids[29], "u-nobody"):
        asked.clear()
        ranker.rank(viewer, 10, NOW)
        lengths.append(list(asked))
    assert all(len(one) == 1 and one[0] > 0 for one in lengths), lengths
    asked.clear()
    for other in (ids[1], ids[29], "u-nobody"):
        ranker.look(ids[3], other, NOW)
    assert asked == [1, 1, 1]


def test_a_page_holds_no_number_about_anybody() -> None:
    """Only place, time and chance of being shown, which follow from the page itself."""
    kinds = {field.name: field.type for kind in (Item, Page) for field in dataclasses.fields(kind)}
    assert set(kinds) == {
        "candidate_id", "rank", "reasons", "stage", "icebreaker_kind", "expires_at",
        "viewer_id", "items", "model_version", "data_as_of", "staleness", "degraded", "receipt", "next",
    }  # fmt: skip
    assert {field.name for field in dataclasses.fields(Receipt)} == {
        "run_id", "model_version", "viewer_id", "as_of", "offered", "expires_at", "key_id", "signature",
    }  # fmt: skip


def readable(ranker: Ranker, ids: list[str]) -> dict[tuple[str, str], Any]:
    found = {}
    for viewer in ids:
        for item in ranker.rank(viewer, 100, NOW).items:
            found[viewer, item.candidate_id] = (item.reasons, item.stage, item.icebreaker_kind)
    return found


def test_an_answer_for_matching_only_changes_nothing_readable(tmp_path: Path) -> None:
    people = make_listed_people(25, np.random.default_rng(4))
    answers, pages = people.long.answers, []
    private = answers[C.VISIBILITY] == "match_only"
    for number, other in enumerate((False, True)):
        changed = answers.copy()
        if other:  # everybody's private answers are others
            changed.loc[private, C.ANSWER] = changed.loc[private, C.ACCEPTED].map(lambda words: words[-1])
            changed.loc[private, C.IMPORTANCE] = 0
        clones = replace(people, long=replace(people.long, answers=changed))
        World.of(clones).publish(tmp_path / str(number))
        ranker = Ranker.open(tmp_path / str(number), safety=MemorySafety(), poll_s=0)
        pages.append(readable(ranker, everybody(people)))
    assert private.sum() > 10
    assert pages[0] == pages[1]
    assert pages[0]
    assert any(code.startswith("answer:") for reasons, _, _ in pages[0].values() for code in reasons)


def test_a_sweep_of_positions_tells_no_more_than_a_cell(tmp_path: Path) -> None:
    """Wherever a viewer claims to be, two people of one cell answer alike; and a cell is all that is told."""
    home = h3.latlng_to_cell(35.68, 139.76, 6)
    around = sorted(h3.grid_disk(home, 2))
    candidates = [home, home, around[3], around[3], around[-1], around[-1]]
    told = []
    for number, cell in enumerate([*around[::6], h3.latlng_to_cell(35.2, 139.0, 6)]):
        wishes = {C.INTENTS: ["hobby_companion"], C.MAX_DISTANCE_KM: 100, C.CELL: [cell, *candidates]}
        people = make_listed_people(7, np.random.default_rng(5), **wishes)
        people = replace(people, long=LongTables.empty(), person_tokens=np.full(7, None, object))
        world = World.of(people)
        world.publish(tmp_path / str(number))
        ranker = Ranker.open(tmp_path / str(number), safety=MemorySafety(), poll_s=0)
        ids = everybody(people)
        items = [ranker.look(ids[0], other, NOW) for other in ids[1:]]
        told.append(tuple(None if item is None else "near" in item.reasons for item in items))
    for first, second in ((0, 1), (2, 3), (4, 5)):
        both = [(row[first], row[second]) for row in told if None not in (row[first], row[second])]
        assert both
        assert all(one == other for one, other in both)
    assert {row[0] for row in told} >= {True, False}


PROFILE_WORDS = ("free:", "photography", "evening", "hmac1:", "listens:", "interest:", "partnered", "married")


SECRET = "Zq9-secret-Zq9"
HOSTILE = st.one_of(
    st.sampled_from(["u00003", "u00004", SECRET, f"{SECRET}\n", "\ud800" + SECRET, None, 3.5, [SECRET]]),
    st.text(max_size=8).map(lambda text: text + SECRET),
)


class Breaking(MemorySafety):
    """Fails when told to, and says in its error everything it was asked."""

    broken = False

    def exclusions(self, viewer, candidates):
        if self.broken:
            raise RuntimeError(f"{SECRET} {viewer} {candidates}")
        return super().exclusions(viewer, candidates)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    call=st.sampled_from(["rank", "look", "record", "receipt"]),
    first=HOSTILE,
    second=HOSTILE,
    k=st.sampled_from([1, 5, 0, SECRET]),
    text=st.text(max_size=20),
    broken=st.booleans(),
    longest=st.sampled_from([None, timedelta(hours=1)]),
)
def test_no_log_and_no_exception_tells_of_anybody(
    world: World,
    folder: Path,
    call: str,
    first: Any,
    second: Any,
    k: Any,
    text: str,
    broken: bool,
    longest: Any,
) -> None:
    safety = Breaking()
    with capture_logs() as said:
        ranker = Ranker.open(folder, safety=safety, poll_s=0, max_staleness=longest)
        safety.broken = broken
        receipt = Receipt("run", "model", SECRET, NOW.isoformat(), (), expires_at=NOW.isoformat())
        calls = {
            "rank": lambda: ranker.rank(first, k, NOW),
            "look": lambda: ranker.look(first, second, NOW),
            "record": lambda: ranker.record(receipt, [second], viewer_id=SECRET),
            "receipt": lambda: Receipt.from_json(text + SECRET),
        }
        texts = []
        try:
            calls[call]()
        except RecsysError as error:
            texts.append(f"{error!s} {error!r} {error.__cause__!r}")
    assert said
    for line in [*texts, *map(repr, said)]:
        assert SECRET not in line
        assert not any(user in line for user in everybody(world.people))
        assert not any(word in line for word in PROFILE_WORDS)
