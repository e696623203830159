"""The ledger at the doors: an older publication brings nobody back, and without the ledger nobody is served.

Planted and seen caught: a rollback whose ranker asks the store alone, a night that forgets bans, and an
export of the file as it lies.
"""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.data.exclusions import EXCLUSION_REASONS, Relations
from recsys.errors import SafetyUnavailable, StalePublicationError
from recsys.pipeline.erasure import erase
from recsys.pipeline.night_safety import HoldStates
from recsys.pipeline.postgres_served_lists import viewer_rows
from recsys.pipeline.rollback import rollback
from recsys.ranking.publication_filter import ListFilter
from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety, SqliteSafety
from recsys.safety.keys import read_keys
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_file import HEAD, LEDGER
from recsys.safety.ledger_state import HOLD, STORE, TABLES, LedgerTag, Who
from recsys.storage.publication import LISTS, read_publication
from tests.ranking.published_world import NOW, World
from tests.ranking.test_persons import N, accounts, community
from tests.ranking.test_serving_laws import everybody, looks, pages

FOR_GOOD = ("block", "report", "unsafe", "end")


@pytest.fixture(params=["unkeyed", "keyed"], autouse=True)
def keyed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECSYS_KEY", raising=False)
    if request.param == "keyed":
        monkeypatch.setenv("RECSYS_KEY", "a-key-of-the-tests-that-is-long-enough")
    assert len(read_keys()) == (request.param == "keyed")


def later(world: World, rng: np.random.Generator) -> tuple[World, list[str], set[tuple[str, str]]]:
    """Return the next night of a world, in which some are held and some are separated."""
    ids, held = everybody(world), np.zeros(N, bool)
    held[rng.choice(N, 2, replace=False)] = True
    pairs = rng.choice(N, (6, 2), replace=True)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    reason = [EXCLUSION_REASONS.index(str(rng.choice(FOR_GOOD))) for _ in pairs]
    people = replace(world.people, held=held, relations=Relations.of(N, excluded=pairs, reason=reason))
    return World.of(people), [ids[row] for row in np.flatnonzero(held)], {(ids[a], ids[b]) for a, b in pairs}


@pytest.mark.parametrize(
    ("keyed", "seed"),
    [
        *[("unkeyed", 0), ("keyed", 1), ("unkeyed", 2)],
        *(
            pytest.param(*more, marks=pytest.mark.thorough)
            for more in (("keyed", 0), ("unkeyed", 1), ("keyed", 2))
        ),
    ],
    indirect=["keyed"],
)
def test_a_rollback_shows_nobody_who_was_held_or_separated_since(tmp_path: Path, seed: int) -> None:
    world = World.of(community(seed).take(np.arange(N)))
    first = world.publish(tmp_path).run_id
    safety, ids = MemorySafety(), everybody(world)
    ranker = Ranker.open(tmp_path, safety=safety, poll_s=0)
    viewers = ids[seed::3]
    before, seen = pages(ranker, ids), looks(ranker, ids, viewers)
    next_world, held, apart = later(world, np.random.default_rng(seed))
    next_world.publish(tmp_path)
    assert rollback(tmp_path).run_id == first
    out = {account for one in held for account in accounts(world, one)}
    gone = {
        pair
        for a, b in apart
        for x in accounts(world, a)
        for y in accounts(world, b)
        for pair in ((x, y), (y, x))
    }

    def allowed(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
        return {pair for pair in pairs if not out.intersection(pair) and pair not in gone}

    assert allowed(before) < before
    for served in (ranker, Ranker.open(tmp_path, safety=safety, poll_s=0)):
        served.refresh()
        assert served.run_id == first
        assert pages(served, ids) == allowed(before)
        assert looks(served, ids, viewers) == allowed(seen)
    _exported_without(tmp_path, allowed)


def _exported_without(published: Path, allowed) -> None:  # type: ignore[no-untyped-def]
    publication = read_publication(published)
    only = ListFilter.of_publication(publication, published)
    table = viewer_rows(publication.folder / LISTS, only=only, rows_at_once=7).read_all().to_pandas()
    exported = {(v, c) for v, row in zip(table[C.VIEWER], table[C.CANDIDATE], strict=True) for c in row}
    lists = publication.lists
    assert exported == allowed(set(zip(lists[C.VIEWER], lists[C.CANDIDATE], strict=True)))
    assert 0 < len(exported) < len(lists)


def test_the_lists_of_a_night_hold_nobody_whom_the_ledger_stops_or_separates(tmp_path: Path) -> None:
    people = community(1).take(np.arange(N))
    no_tokens = replace(people.long, tokens=people.long.tokens.iloc[:0])  # excluded numbers separate as well
    world = World.of(replace(people, long=no_tokens))
    made = list(zip(world.lists[C.VIEWER], world.lists[C.CANDIDATE], strict=True))
    (a, b), one = made[0], made[-1][1]
    ledger = SafetyLedger.of(tmp_path)
    ledger.stop([Who(one)], LedgerTag(HOLD, STORE))
    ledger.separate([(Who(b), Who(a))], LedgerTag("block", TABLES))
    world.publish(tmp_path)
    lists = read_publication(tmp_path).lists
    out, first, second = (accounts(world, user) for user in (one, a, b))  # an account is its person
    apart = {pair for x in first for y in second for pair in ((x, y), (y, x))}
    left = {pair for pair in made if out.isdisjoint(pair) and pair not in apart}
    found = set(zip(lists[C.VIEWER], lists[C.CANDIDATE], strict=True))
    assert found == left < set(made)
    assert (lists.groupby(C.VIEWER)[C.RANK].apply(list).map(lambda r: r == [*range(1, len(r) + 1)])).all()


def test_a_hold_of_the_tables_ends_when_its_row_says_so_and_not_when_it_is_missing(tmp_path: Path) -> None:
    world = World.of(community(1).take(np.arange(N)))
    one, none = everybody(world)[3], frozenset[tuple[str, str]]()
    later = pd.Timestamp("2100-01-01T00:00Z")
    holds = (
        (HoldStates(frozenset({(one, "case-1")}), {}), False),
        (HoldStates(none, {}), False),  # the row, or the table, is gone
        (HoldStates(none, {(one, "case-2"): later, (one, ""): later}), False),
        (HoldStates(none, {(one, "case-1"): later}), True),
    )
    for states, shown in holds:
        world.publish(tmp_path, holds=states)
        ranker = Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0)
        assert any(one in pair for pair in pages(ranker, everybody(world))) == shown


@pytest.mark.parametrize("what", ["missing", "cut off", "older", "of another service"])
def test_without_its_ledger_nothing_is_opened_rolled_back_to_published_or_exported(
    tmp_path: Path, what: str
) -> None:
    world = World.of(community(2).take(np.arange(N)))
    published, aside = tmp_path / "published", tmp_path / "aside"
    world.publish(published)
    shutil.copytree(published, aside)
    next_world, _, _ = later(world, np.random.default_rng(2))
    next_world.publish(published)
    ranker = Ranker.open(published, safety=MemorySafety(), poll_s=0)
    if what == "missing":
        (published / LEDGER).unlink()
        (published / HEAD).unlink()
    elif what == "cut off":
        lines = (published / LEDGER).read_bytes().splitlines(keepends=True)
        (published / LEDGER).write_bytes(b"".join(lines[:-1]))
    else:
        other = aside if what == "older" else tmp_path / "other"
        next_world.publish(other) if what != "older" else None
        for name in (LEDGER, HEAD):
            shutil.copyfile(other / name, published / name)
    for use in (
        lambda: ranker.rank(everybody(world)[0], 5, NOW),
        lambda: ranker.look(everybody(world)[0], everybody(world)[1], NOW),
        lambda: Ranker.open(published, safety=MemorySafety(), poll_s=0),
        lambda: rollback(published),
        lambda: world.publish(published),
        lambda: ListFilter.of_publication(read_publication(published), published),
    ):
        with pytest.raises(SafetyUnavailable):
            use()


@pytest.mark.parametrize("what", ["missing", "older"])
def test_a_list_of_erasures_that_is_gone_or_old_is_refused(tmp_path: Path, what: str) -> None:
    world = World.of(community(3).take(np.arange(N)))
    run_id = world.publish(tmp_path).run_id
    ids, path = everybody(world), tmp_path / "erasures" / "erased.json"
    erase([ids[1]], tmp_path)
    older = path.read_bytes()
    erase([ids[2]], tmp_path)
    path.unlink() if what == "missing" else path.write_bytes(older)
    for use in (
        lambda: Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0),
        lambda: world.publish(tmp_path),
        lambda: rollback(tmp_path, run_id),
        lambda: erase([ids[5]], tmp_path),
    ):
        with pytest.raises(SafetyUnavailable):
            use()


def test_a_store_made_anew_or_set_back_is_refused(tmp_path: Path) -> None:
    world, path = World.of(community(4).take(np.arange(N))), tmp_path / "safety.db"
    world.publish(tmp_path / "published")
    ids, store = everybody(world), SqliteSafety.create(path)
    ranker = Ranker.open(tmp_path / "published", safety=store, poll_s=0)
    ranker.safety.block(ids[0], ids[1])
    store.hold(ids[2])  # in the store alone
    early = tmp_path / "early.db"
    shutil.copyfile(path, early)  # without its write-ahead log
    ranker.safety.hold(ids[3])
    Ranker.open(tmp_path / "published", safety=SqliteSafety(path), poll_s=0)
    for other in (SqliteSafety.create(tmp_path / "new.db"), SqliteSafety.create(early)):
        with pytest.raises(SafetyUnavailable, match="store"):
            Ranker.open(tmp_path / "published", safety=other, poll_s=0)


def test_old_data_is_refused_unless_it_is_asked_for(tmp_path: Path) -> None:
    world = World.of(community(5).take(np.arange(N)))
    world.publish(tmp_path)
    viewer = everybody(world)[0]
    by_default = Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0)
    any_age = Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0, max_staleness=None)
    for days, served in ((6, True), (8, False)):
        moment = world.people.as_of.to_pydatetime() + timedelta(days=days)
        assert any_age.rank(viewer, 5, moment) is not None
        if served:
            by_default.rank(viewer, 5, moment)
        else:
            with pytest.raises(StalePublicationError):
                by_default.rank(viewer, 5, moment)


def test_bans_reach_new_accounts_of_the_person_through_older_nights(tmp_path: Path) -> None:
    world = World.of(community(0).take(np.arange(N)))
    world.publish(tmp_path)
    ids = everybody(world)
    before = pages(Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0), ids)
    tokens = pd.Series(world.people.person_tokens).dropna()
    shared = [
        row for row in tokens[tokens.duplicated(keep=False)].index if any(ids[row] in p for p in before)
    ]
    banned = int(shared[0])
    words = world.people.coded[C.ACCOUNT_STATE]
    codes = words.codes.copy()
    codes[banned] = words.words.index("banned")
    people = replace(world.people, coded={**world.people.coded, C.ACCOUNT_STATE: replace(words, codes=codes)})
    World.of(people).publish(tmp_path)
    rollback(tmp_path)
    ranker = Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0)
    person = accounts(world, ids[banned])
    assert len(person) > 1
    assert any(person & set(pair) for pair in before)
    assert not any(person & set(pair) for pair in pages(ranker, ids))
