"""A circle that holds somebody kept apart from a member is not named, whatever became of that one's row.

Seen to fail: members were those with an accepted row alone, so a blocked member whose profile was refused,
was gone, or who stood in the communities in another spelling or with another account, was not looked at.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.constraints.policy import Policy
from recsys.data.population import Population
from recsys.ranking.newcomer_search import NewcomerSearch
from recsys.ranking.ranker import Ranker
from recsys.ranking.recommend_circles import CircleLists, recommend_circles
from recsys.ranking.snapshot_erasure import erase_from_snapshot
from recsys.ranking.viewer_pages import ViewerPages
from recsys.safety import MemorySafety, SafetyStore, SqliteSafety
from recsys.safety.erasure_list import ErasureList
from recsys.safety.person_files import folder_names_erased
from recsys.storage.load import load_population
from recsys.storage.population_files import read_people, write_people
from tests.ranking.published_world import Given, World, copied

pytestmark = pytest.mark.usefixtures("tables_checked_once")

Tables = dict[str, pd.DataFrame]
BARE_TOWN = recsys.make_town(150, np.random.default_rng(7)).tables
AS_OF = load_population(BARE_TOWN).as_of
OTHER = "another-account"


def _circles_of_nine(tables: Tables) -> Tables:
    """Return the tables with eight circles of nine people each who are listed and shown to anybody."""
    people = load_population(tables, AS_OF)
    compiled = Policy.default().compile(people)
    counts = people.ids.ids(np.flatnonzero(compiled.listed & ~compiled.liked_only))
    rng = np.random.default_rng(3)
    rows = [(f"circle-{at}", one) for at in range(8) for one in rng.choice(counts, 9, replace=False)]
    return {**tables, T.COMMUNITIES: pd.DataFrame(rows, columns=[C.COMMUNITY, C.USER])}


TOWN = _circles_of_nine(dict(BARE_TOWN))


def _refused(tables: Tables, one: str) -> Tables:
    profiles = tables[T.PROFILES].astype({C.AGE_BAND: object})
    return {**tables, T.PROFILES: profiles.assign(**{C.AGE_BAND: _where(profiles, one, C.AGE_BAND, "abc")})}


def _gone(tables: Tables, one: str) -> Tables:
    return {**tables, T.PROFILES: tables[T.PROFILES][tables[T.PROFILES][C.USER].ne(one)]}


def _respelled(tables: Tables, one: str) -> Tables:
    return _in_communities(tables, one, f" {one.upper()}")


def _of_a_refused_account(tables: Tables, one: str) -> Tables:
    profiles = tables[T.PROFILES].astype({C.AGE_BAND: object})
    other = profiles[profiles[C.USER].eq(one)].assign(**{C.USER: OTHER, C.AGE_BAND: "abc"})
    return _in_communities({**tables, T.PROFILES: pd.concat([profiles, other])}, one, OTHER)


def _in_communities(tables: Tables, one: str, other: str) -> Tables:
    rows = tables[T.COMMUNITIES].astype({C.USER: object})
    return {**tables, T.COMMUNITIES: rows.assign(**{C.USER: _where(rows, one, C.USER, other)})}


def _where(rows: pd.DataFrame, one: str, column: str, value: str) -> pd.Series:
    return rows[column].astype(object).where(rows[C.USER].ne(one), value)


WAYS: dict[str, Callable[[Tables, str], Tables]] = {
    "refused": _refused,
    "gone": _gone,
    "respelled": _respelled,
    "of a refused account": _of_a_refused_account,
}


@cache
def town() -> tuple[str, str, str, str]:
    """Return a viewer, a circle named to them, a member of it, and somebody else to whom it is named."""
    world = World.of(load_population(TOWN, AS_OF))
    found = recommend_circles(Given(world.directed), world.people, world.policy, k=5)
    names = found[C.COMMUNITY].value_counts()
    circle = str(names.index[0])
    viewer, bystander = found.loc[found[C.COMMUNITY].eq(circle), C.VIEWER].tolist()[:2]
    table = world.people.long.communities
    inside = world.people.ids.ids(table.loc[table[C.COMMUNITY].eq(circle), C.ROW].to_numpy(np.int64))
    return str(viewer), circle, str(inside[0]), str(bystander)


def with_block(tables: Tables, a: str, b: str) -> Tables:
    row = pd.DataFrame([{C.ACTOR: a, C.TARGET: b, C.TS: AS_OF - pd.Timedelta(days=1)}])
    return {**tables, T.BLOCKS: pd.concat([tables[T.BLOCKS], row])}


@contextmanager
def served(people: Population, folder: Path) -> Iterator[Ranker]:
    World.of(people).publish(folder)
    with opened(folder) as ranker:
        yield ranker


@contextmanager
def opened(folder: Path, store: SafetyStore | None = None) -> Iterator[Ranker]:
    asked = MemorySafety() if store is None else store
    with closing(Ranker.open(folder, safety=asked, poll_s=0, max_staleness=None)) as ranker:
        yield ranker


@pytest.fixture(scope="module")
def free(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return by way a publication in which the circle is named, so that it is a block that closes it."""

    @cache
    def of(way: str) -> Path:
        viewer, circle, member, _ = town()
        folder = tmp_path_factory.mktemp("free")
        with served(load_population(WAYS[way](dict(TOWN), member), AS_OF), folder) as ranker:
            assert circle in ranker.circles(viewer, k=9)
        return folder

    return of


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("by", ["tables", "tables, back", "day", "day, back", "day, other spelling"])
def test_a_circle_that_holds_somebody_kept_apart_is_not_named(
    way: str, by: str, free: Callable[[str], Path], tmp_path: Path
) -> None:
    viewer, circle, member, bystander = town()
    tables = WAYS[way](dict(TOWN), member)
    pair = (member, viewer) if "back" in by else (viewer, member)
    copied(free(way), tmp_path / "free")
    if by.startswith("tables"):
        with served(load_population(with_block(tables, *pair), AS_OF), tmp_path / "apart") as ranker:
            assert circle not in ranker.circles(viewer, k=9)
            assert circle in ranker.circles(bystander, k=9)
        return
    with opened(tmp_path / "free") as ranker:
        if "spelling" in by and way in ("refused", "gone"):
            pair = (viewer, member.upper())
        ranker.safety.block(*pair)
        assert circle not in ranker.circles(viewer, k=9)
        assert circle in ranker.circles(bystander, k=9)


def told_by_blocks(ranker: Ranker, viewer: str, everybody: list[str]) -> set[str]:
    """Return for whom a circle went away that was there before, and came back: with each block in turn."""
    found = set[str]()
    for one in everybody:
        before = {*ranker.circles(viewer, k=9)}
        ranker.safety.block(viewer, one)
        during = {*ranker.circles(viewer, k=9)}
        ranker.safety.unblock(viewer, one)
        if before - during:
            found.add(one)
    return found


def test_blocks_in_turn_tell_of_one_member_a_circle_and_day(
    free: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, *_ = town()
    copied(free(next(iter(WAYS))), tmp_path / "free")
    store = SqliteSafety.create(tmp_path / "safety.db")
    with opened(tmp_path / "free", store) as first, opened(tmp_path / "free", store) as second:
        circles = first.circles(viewer, k=9)
        others = [one for one in first.known_ids().at(range(len(first.known_ids()))) if one != viewer]
        assert 1 <= len(told_by_blocks(first, viewer, others)) <= len(circles)
        assert told_by_blocks(second, viewer, others) == set()  # workers know of each other
        tomorrow = date.today() + timedelta(days=1)
        monkeypatch.setattr(ViewerPages, "_today", lambda _: tomorrow)
        assert second.circles(viewer, k=9) == circles


def test_a_circle_that_opens_again_at_once_tells_of_every_member(
    free: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plant: nothing is remembered of the day."""
    monkeypatch.setattr(NewcomerSearch, "open_all_day", lambda *given: given[-1])
    viewer, *_ = town()
    copied(free(next(iter(WAYS))), tmp_path / "free")
    with opened(tmp_path / "free") as ranker:
        circles = ranker.circles(viewer, k=9)
        others = [one for one in ranker.known_ids().at(range(len(ranker.known_ids()))) if one != viewer]
        assert len(told_by_blocks(ranker, viewer, others)) > len(circles)


@pytest.mark.parametrize("way", WAYS)
def test_who_is_erased_is_no_member_by_a_refused_row_either(way: str, tmp_path: Path) -> None:
    _, _, member, _ = town()
    people = load_population(WAYS[way](dict(TOWN), member), AS_OF)
    write_people(people, tmp_path / "people")
    kept = read_people(tmp_path / "people")
    assert kept.absent.circles.tolist() == people.absent.circles.tolist() != []
    lists = CircleLists.of(Given(World.of(people).directed), people, World.of(people).policy)
    assert member.encode() in lists.absent.tolist()
    left = lists.without_absent(lists.absent == member.encode())
    assert left.absent.tolist() == [one for one in lists.absent.tolist() if one != member.encode()]
    rows = [[lists.absent[at] for at in lists.absent_in.row(circle)] for circle in range(len(lists.names))]
    assert [[left.absent[at] for at in left.absent_in.row(circle)] for circle in range(len(lists.names))] == [
        [one for one in row if one != member.encode()] for row in rows
    ]
    World.of(people).publish(tmp_path / "published")
    [run] = (tmp_path / "published" / "runs").iterdir()
    erasures = ErasureList.of(tmp_path / "published")
    erasures.add([member])
    assert folder_names_erased(run / "serving", erasures.now())
    erase_from_snapshot(run / "serving", erasures.now())
    assert not folder_names_erased(run / "serving", erasures.now())
