"""The backend's door: pages, what is left out of them, and what is refused."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from recsys.catalogue.columns import Columns as C
from recsys.data.tables import check_table
from recsys.errors import InputError, SafetyUnavailable, StalePublicationError
from recsys.ranking.ranker import Ranker
from recsys.ranking.response_and_receipt import Receipt
from recsys.ranking.snapshot_rows import LISTED
from recsys.safety.store import MemorySafety
from tests.ranking.published_world import NOW, World


@pytest.fixture(scope="module")
def world() -> World:
    return World.small()


@pytest.fixture(scope="module")
def published(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    assert world.publish(folder).published
    return folder


@pytest.fixture
def safety() -> MemorySafety:
    return MemorySafety()


@pytest.fixture
def ranker(published: Path, safety: MemorySafety) -> Ranker:
    return Ranker.open(published, safety=safety, poll_s=0)


def ids(page) -> list[str]:
    return [item.candidate_id for item in page.items]


def test_a_page_is_the_list_of_the_night(world: World, ranker: Ranker) -> None:
    viewer = world.people.ids.values[3]
    page = ranker.rank(viewer, k=5, as_of=NOW)
    assert ids(page) == world.listed(viewer)[:5]
    assert [item.rank for item in page.items] == [1, 2, 3, 4, 5]
    assert page.data_as_of == world.people.as_of
    assert page.staleness == NOW - world.people.as_of
    assert not page.degraded


def test_reasons_are_those_of_the_night(world: World, ranker: Ranker) -> None:
    viewer = world.people.ids.values[3]
    of_night = world.lists[world.lists[C.VIEWER] == viewer].set_index(C.CANDIDATE)[C.REASONS]
    for item in ranker.rank(viewer, k=6, as_of=NOW).items:
        assert list(item.reasons) == of_night[item.candidate_id]


def test_a_short_list_is_filled_by_live_search(world: World, ranker: Ranker) -> None:
    viewer = world.people.ids.values[3]
    found = ids(ranker.rank(viewer, k=20, as_of=NOW))
    longer = World.of(world.people, k=20).listed(viewer)
    assert found == longer  # the same people, in the same order, as a longer list would have


def test_live_search_never_pads(world: World, ranker: Ranker) -> None:
    viewer = world.people.ids.values[3]
    found = ids(ranker.rank(viewer, k=500, as_of=NOW))
    assert set(found) == {other for who, other in world.may_be_shown() if who == viewer}
    assert len(set(found)) == len(found)


def test_who_was_shown_is_skipped_until_a_night_has_read_it(world: World, ranker: Ranker) -> None:
    viewer = world.people.ids.values[3]
    first = ranker.rank(viewer, k=6, as_of=NOW)
    ranker.record(first.receipt, shown=ids(first)[:4], viewer_id=viewer, as_of=NOW)
    second = ranker.rank(viewer, k=6, as_of=NOW)
    assert ids(second)[:2] == ids(first)[4:]
    assert not set(ids(second)) & set(ids(first)[:4])
    assert len(second.items) == 6
    assert not set(ids(ranker.rank(viewer, k=40, as_of=NOW + timedelta(days=1)))) & set(ids(first)[:4])


def test_impressions_are_events_the_next_night_accepts(world: World, ranker: Ranker) -> None:
    viewer = world.people.ids.values[3]
    page = ranker.rank(viewer, k=6, as_of=NOW)
    receipt = Receipt.from_json(page.receipt.to_json())
    own = {"viewer_id": viewer, "as_of": NOW}
    events = ranker.record(receipt, [ids(page)[4], ids(page)[1]], **own)
    assert events[C.TARGET].tolist() == [ids(page)[1], ids(page)[4]]
    assert events[C.POSITION].tolist() == [2, 5]
    assert events[C.PROPENSITY].tolist() == [1.0, 1.0]
    checked = check_table("events", events)
    assert len(checked.accepted) == 2
    assert ranker.record(receipt, [ids(page)[1]], **own)[C.EVENT].tolist() == events[C.EVENT].tolist()[:1]


def test_nobody_can_be_recorded_who_was_not_offered(world: World, ranker: Ranker) -> None:
    viewer = world.people.ids.values[3]
    page = ranker.rank(viewer, k=2, as_of=NOW)
    with pytest.raises(InputError, match="1 of the people shown"):
        ranker.record(page.receipt, shown=["u_not_there"], viewer_id=viewer, as_of=NOW)


def test_a_block_is_absent_both_ways_at_once(world: World, ranker: Ranker, safety: MemorySafety) -> None:
    viewer = world.people.ids.values[3]
    other = ids(ranker.rank(viewer, k=1, as_of=NOW))[0]
    assert viewer in ids(ranker.rank(other, k=40, as_of=NOW))
    safety.block(other, viewer)
    assert other not in ids(ranker.rank(viewer, k=40, as_of=NOW))
    assert viewer not in ids(ranker.rank(other, k=40, as_of=NOW))
    assert ranker.look(viewer, other, as_of=NOW) is None


def test_nobody_sees_whoever_is_held_until_the_hold_is_lifted(
    world: World, ranker: Ranker, safety: MemorySafety
) -> None:
    held = world.people.ids.values[7]
    safety.hold(held)
    for viewer in world.people.ids.values:
        assert held not in ids(ranker.rank(viewer, k=40, as_of=NOW))
    assert ids(ranker.rank(held, k=40, as_of=NOW)) == []
    safety.lift(held)
    assert ids(ranker.rank(held, k=40, as_of=NOW))


def test_a_store_that_fails_serves_nobody(world: World, ranker: Ranker, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise ConnectionResetError("secret of the store")

    monkeypatch.setattr(MemorySafety, "exclusions", broken)
    for call in (ranker.rank, lambda viewer, as_of: ranker.look(viewer, world.people.ids.values[4], as_of)):
        with pytest.raises(SafetyUnavailable) as caught:
            call(world.people.ids.values[3], as_of=NOW)
        assert "secret" not in str(caught.value)
    monkeypatch.undo()
    assert ranker.rank(world.people.ids.values[3], as_of=NOW).items


def test_old_data_is_refused(published: Path, world: World, safety: MemorySafety) -> None:
    ranker = Ranker.open(published, safety=safety, max_staleness=timedelta(days=1), poll_s=0)
    fresh = world.people.as_of + timedelta(hours=23)
    assert ranker.rank(world.people.ids.values[3], as_of=fresh).items
    with pytest.raises(StalePublicationError):
        ranker.rank(world.people.ids.values[3], as_of=fresh + timedelta(hours=2))


@pytest.mark.parametrize("k", [0, -1, True, 2.0, 1001])
def test_an_impossible_length_is_refused(ranker: Ranker, k: object) -> None:
    with pytest.raises(InputError):
        ranker.rank("u", k=k)  # type: ignore[arg-type]


def test_a_time_without_a_zone_is_refused(ranker: Ranker) -> None:
    with pytest.raises(InputError):
        ranker.rank("u", as_of=NOW.replace(tzinfo=None))


def test_reasons_stored_with_a_list_are_those_read_from_the_people(published: Path, world: World) -> None:
    store = MemorySafety()
    ranker = Ranker.open(published, safety=store, poll_s=0, max_staleness=None)
    snapshot = ranker._reloader.now.snapshot
    lists = snapshot.data.lists
    read = replace(snapshot, data=replace(snapshot.data, lists=replace(lists, reasons=lists.reasons[:0])))
    stored = 0
    for viewer in range(len(snapshot.ids)):
        rows = snapshot.list_of_night(viewer).rows.tolist()
        if not rows:
            continue
        assert lists.reasons_of(viewer, rows) is not None
        for stages in ([LISTED] * len(rows), ["matched"] * len(rows)):
            mine = snapshot.reason_codes(viewer, rows, stages)
            assert mine == read.reason_codes(viewer, rows, stages)
            stored += sum(map(len, mine))
        assert lists.reasons_of(viewer, [*rows, viewer]) is None
    assert stored > len(snapshot.ids)
