"""The example backend under clients, while publications swap, blocks arrive and the store goes away."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from recsys.safety import SqliteSafety
from tests.ranking.published_world import World
from tests.serving.load import clients, wait_for
from tests.serving.server import KEY, Backend, backend


@pytest.fixture(scope="module")
def world() -> World:
    return World.small(60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serving")


@pytest.fixture(scope="module")
def safety(folder: Path) -> SqliteSafety:
    return SqliteSafety.create(folder / "safety.db", timeout_s=5)


@pytest.fixture(scope="module", autouse=True)
def key() -> Iterator[None]:
    """Publications are of the service with this key."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECSYS_KEY", KEY)
        yield


@pytest.fixture(scope="module")
def running(key: None, world: World, folder: Path, safety: SqliteSafety) -> Iterator[Backend]:
    world.publish(folder / "published")
    with backend(folder / "published", f"sqlite:{folder / 'safety.db'}") as found:
        yield found


def shown_to_each_other(world: World) -> list[tuple[str, str]]:
    """Return pairs of whom each is on the other's list."""
    lists = {viewer: set(world.listed(viewer)) for viewer in world.people.ids.values}
    return [(a, b) for a in lists for b in sorted(lists[a]) if a < b and a in lists[b]]


@pytest.mark.slow
def test_a_block_is_absent_both_ways_on_the_next_call_of_every_worker(world: World, running: Backend) -> None:
    with running.client_of_each_worker() as each:
        assert set(each) == set(running.workers)
        assert len(each) == 2
        for a, b in shown_to_each_other(world)[:3]:
            for client in each.values():
                assert b in client.page(a, 60).ids
            first = next(iter(each.values()))
            assert first.ask("POST", f"/v1/members/{a}/blocks", {"person": b}).status == 204
            for client in each.values():
                assert b not in client.page(a, 60).ids
                assert a not in client.page(b, 60).ids
                assert client.ask("GET", f"/v1/members/{a}/people/{b}").status == 404


@pytest.mark.slow
def test_what_one_worker_showed_is_skipped_by_the_other(world: World, running: Backend) -> None:
    viewer = world.people.ids.values[40]
    with running.client_of_each_worker() as each:
        first, second = each.values()
        page = first.page(viewer, 5)
        said = {"receipt": page.body["receipt"], "people": page.ids[:3]}
        assert first.ask("POST", f"/v1/members/{viewer}/shown", said).body == {"shown": 3}
        assert not set(second.page(viewer, 5).ids) & set(page.ids[:3])


@pytest.mark.slow
def test_nobody_is_shown_wrongly_and_no_call_fails_while_everything_changes(
    world: World, running: Backend, folder: Path, safety: SqliteSafety
) -> None:
    apart, viewers = [], world.people.ids.values.tolist()
    database, away = folder / "safety.db", folder / "away.db"
    pairs = shown_to_each_other(world)[3:]
    with clients(running, viewers, per_worker=1, k=20) as load:
        runs = []
        for a, b in pairs[:4]:
            runs.append(world.publish(folder / "published").run_id)
            safety.block(a, b)
            apart.append((a, b, monotonic()))
            assert wait_for(lambda: load.workers_on(runs[-1]) == set(running.workers))
        database.rename(away)
        gone = monotonic()
        sleep(0.5)
        back = monotonic()
        away.rename(database)
        returned = monotonic()
        a, b = pairs[4]
        safety.block(a, b)
        apart.append((a, b, monotonic()))
        count = len(load.pages)
        assert wait_for(lambda: len(load.pages) > count + 60)
    assert load.unsafe(apart) == []
    assert load.shown_while_away(gone, back) == 0
    assert any(p.status == 503 for _, p in load.pages)
    assert load.failed([(gone - 0.1, returned)]) == 0
    assert all(p.status == 200 for _, p in load.pages[-30:])
    may = world.may_be_shown()
    assert all((viewer, other) in may for viewer, p in load.pages for other in p.ids)
