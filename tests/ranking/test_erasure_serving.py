"""Erasure: earlier nights stay without the person, and what protects others from them stays as well.

Planted and seen caught: an erasure that notes no suppression (the ban was washed off), one that leaves the
person's token in the index, and one that leaves the position (a search found the placeholder).
"""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.pipeline.erasure import erase, run_names_erased
from recsys.pipeline.rollback import rollback
from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety, SqliteSafety
from recsys.safety.canonical import without_mark
from recsys.safety.erasure_list import ErasureList
from recsys.storage.publication import RUNS, read_publication
from tests.ranking.published_world import World
from tests.ranking.test_persons import N, Newcomers, accounts, community
from tests.ranking.test_serving_laws import everybody, looks, pages


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(more, marks=pytest.mark.thorough) for more in (2, 3))])
def test_an_earlier_publication_survives_without_the_erased(tmp_path: Path, seed: int) -> None:
    world, rng = World.of(community(seed).take(np.arange(N))), np.random.default_rng(seed)
    first, ids = world.publish(tmp_path).run_id, everybody(world)
    ranker = Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0)
    viewers = ids[seed::4]
    before, seen = pages(ranker, ids), looks(ranker, ids, viewers)
    gone = {str(one) for one in rng.choice(ids, 3, replace=False)}
    erased = ErasureList.of(tmp_path)
    done = erase(sorted(gone), tmp_path)
    assert (done.rewritten, done.removed, done.still_named) == ((), (), True)
    kept = np.flatnonzero([one not in gone for one in ids])
    World.of(world.people.take(kept)).publish(tmp_path)
    assert not run_names_erased(tmp_path / RUNS / first, erased.now())
    found = read_publication(tmp_path, run_id=first)
    assert not gone & {*found.lists[C.VIEWER], *found.lists[C.CANDIDATE]}
    ranks = found.lists.groupby(C.VIEWER)[C.RANK].apply(list)
    assert all(rank == list(range(1, len(rank) + 1)) for rank in ranks)
    assert rollback(tmp_path).run_id == first
    again = Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0)
    assert pages(again, ids) == {pair for pair in before if not gone.intersection(pair)}
    assert looks(again, ids, viewers) == {pair for pair in seen if not gone.intersection(pair)}
    data, rows = again._reloader.now.snapshot.data, world.people.ids.rows(sorted(gone))
    assert (data.layout.position[rows] == -1).all()
    assert not data.persons.of_row[:, rows].any()
    assert not np.isin(data.persons.row, rows).any()
    assert not any(data.likes.row(int(row)).size for row in rows)
    assert not data.reasons.interest.level[rows].any()


@pytest.mark.parametrize("how", ["held", "banned"])
def test_a_stop_is_not_washed_off_by_an_erasure(tmp_path: Path, how: str) -> None:
    case = Newcomers(tmp_path, 1, **({C.ACCOUNT_STATE: "banned"} if how == "banned" else {}))
    row = 0 if how == "banned" else next(row for row in range(N) if case.token(row))
    if how == "held":
        case.store.hold(case.ids[row])
    token, gone = case.token(row), accounts(case.world, case.ids[row])
    erase(sorted(gone), tmp_path, safety=case.store)
    case.publish_without(gone)
    assert case.page("u-again", token) == set()
    assert case.page("u-other", f"hmac1:{777:064x}")


def test_who_blocked_somebody_stays_safe_from_them_after_an_erasure(tmp_path: Path) -> None:
    case, token = Newcomers(tmp_path, 2), f"hmac1:{777:064x}"
    shown = case.page("u-other", token)
    row = next(row for row in range(N) if (case.token(row) and case.ids[row] not in shown) or case.token(row))
    victim = next(one for one in sorted(shown) if one not in accounts(case.world, case.ids[row]))
    case.store.block(victim, case.ids[row])
    gone = accounts(case.world, case.ids[row])
    erase(sorted(gone), tmp_path, safety=case.store)
    case.publish_without(gone)
    again = case.page("u-again", case.token(row))
    assert again
    assert not again & accounts(case.world, victim)
    assert victim in case.page("u-third", f"hmac1:{778:064x}")


def test_somebody_free_who_comes_back_is_free(tmp_path: Path) -> None:
    case = Newcomers(tmp_path, 3)
    row = next(row for row in range(N) if case.token(row))
    gone = accounts(case.world, case.ids[row])
    erase(sorted(gone), tmp_path, safety=case.store)
    case.publish_without(gone)
    assert case.page("u-again", case.token(row))


def test_the_database_forgets_pairs_and_holds_of_the_erased_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "safety.db"
    store = SqliteSafety.create(path)
    for other in range(200):
        store.block("somebody-erased", f"u{other}")
        store.block(f"u{other}", "another-person")
    store.hold("somebody-erased")
    store.erase("somebody-erased")
    names = sum(file.read_bytes().count(b"somebody-erased") for file in tmp_path.glob("safety.db*"))
    with sqlite3.connect(path) as connection:
        known = connection.execute("SELECT person FROM erased_people").fetchall()
    connection.close()
    assert {without_mark(one) for (one,) in known} == {"somebody-erased"}
    assert names <= 3 * len(known) <= 6  # the rows that say who was erased, in their table and its index
