"""Facts about safety are facts about persons: they follow the token through every account, by every route.

Planted and seen caught: asking the store with the viewer's own account alone, leaving the token of a newcomer
out of their accounts, and a ledger that is not asked.
"""

from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.exclusions import Relations
from recsys.data.population import CodedColumn, Population
from recsys.errors import InputError, PublicationError, StalePublicationError
from recsys.models.content import ContentModel
from recsys.ranking.newcomer_limits import NewcomerLimits
from recsys.ranking.ranker import Ranker
from recsys.ranking.viewer_filters import Filters
from recsys.safety import MemorySafety, SqliteSafety
from recsys.safety.store import SafetyStore
from recsys.testing.people import make_listed_people, make_tables
from tests.ranking.published_world import NOW, World
from tests.ranking.test_cold_start import likes
from tests.ranking.test_serving_laws import everybody, looks, pages

N, N_PERSONS = 30, 12


def community(seed: int) -> Population:
    """Return people of whom several are one person, each with a token."""
    rng = np.random.default_rng(seed)
    people = make_listed_people(N + 1, rng)
    tokens = np.array([f"hmac1:{rng.integers(N_PERSONS):064x}" for _ in range(N + 1)], dtype=object)
    tokens[rng.random(N + 1) < 0.2] = None
    return replace(people, person_tokens=tokens, relations=Relations.none(N + 1))


@cache
def world_of(seed: int) -> World:
    return World.of(community(seed).take(np.arange(N)))


def accounts(world: World, user_id: str) -> set[str]:
    """Return every account of somebody's person, by the plain form."""
    tokens = dict(zip(everybody(world), world.people.person_tokens, strict=True))
    return {user_id} | {other for other, token in tokens.items() if token and token == tokens.get(user_id)}


def opened(world: World, folder: Path, store: SafetyStore) -> Ranker:
    world.publish(folder)
    return Ranker.open(
        folder,
        safety=store,
        poll_s=0,
        newcomers=NewcomerLimits(page=1000, day=10_000, share=1.0, profiles=1000),
    )


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SafetyStore:
    return MemorySafety() if request.param == "memory" else SqliteSafety.create(tmp_path / "safety.db")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("through", ["store", "ranker"])
def test_blocks_holds_and_erasures_concern_persons(
    tmp_path: Path, store: SafetyStore, seed: int, through: str
) -> None:
    world, rng = world_of(seed), np.random.default_rng(seed)
    ranker, ids = opened(world, tmp_path / "published", store), everybody(world)
    told = store if through == "store" else ranker.safety
    drawn = [str(one) for one in rng.choice(ids, 6, replace=False)]
    viewers = sorted({other for one in drawn for other in accounts(world, one)} | {*ids[::5]})
    before, seen = pages(ranker, ids), looks(ranker, ids, viewers)
    told.block(drawn[0], drawn[1])
    told.report(drawn[2], drawn[3])
    told.hold(drawn[4])
    told.erase(drawn[5])
    out = accounts(world, drawn[4]) | accounts(world, drawn[5])
    apart = {
        pair
        for a, b in ((drawn[0], drawn[1]), (drawn[2], drawn[3]))
        for one in accounts(world, a)
        for other in accounts(world, b)
        for pair in ((one, other), (other, one))
    }

    def allowed(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
        return {pair for pair in pairs if not out.intersection(pair) and pair not in apart}

    assert allowed(before) < before
    assert pages(ranker, ids) == allowed(before)
    assert looks(ranker, ids, viewers) == allowed(seen)
    told.lift(drawn[4])
    out = accounts(world, drawn[5])
    assert pages(ranker, ids) == allowed(before)


@pytest.mark.parametrize("restricted", [True, False])
def test_nobody_sees_an_account_that_was_theirs_whatever_its_token_is_now(
    tmp_path: Path, restricted: bool
) -> None:
    """Seen to fail: a second account that has no token any more stood on the page of the first."""
    people = community(1).take(np.arange(N))
    world, folder = World.of(replace(people, person_tokens=np.full(N, None, object))), tmp_path / "published"
    ranker, ids = opened(world, folder, MemorySafety()), everybody(world)
    first, second = next(iter(sorted(pages(ranker, ids))))
    tokens = np.full(N, None, object)
    tokens[people.ids.find([first, second])] = f"hmac1:{7:064x}"
    shared = World.of(replace(people, person_tokens=tokens))
    before = opened(shared, tmp_path / "shared", MemorySafety())
    assert (first, second) not in pages(before, ids) | looks(before, [first, second])
    tokens = tokens.copy()
    tokens[people.ids.find([second])] = None
    parted = World.of(replace(people, person_tokens=tokens))
    after = opened(parted, tmp_path / "shared", MemorySafety())
    if restricted:
        after.safety.hold(next(one for one in ids if one not in {first, second}))
    assert not {(first, second), (second, first)} & (pages(after, ids) | looks(after, [first, second]))


class Newcomers:
    """A publication that folds people in, and newcomers who are like somebody in it but for the token."""

    def __init__(self, folder: Path, seed: int, **changes: str) -> None:
        rng = np.random.default_rng(seed)
        self.everybody = community(seed)
        people = self.everybody.take(np.arange(N))
        for row, (column, word) in enumerate(changes.items()):
            people = with_word(people, row, column, word)
        self.model = ContentModel().fit(people, likes(people.ids.ids(np.arange(N)).tolist(), rng), rng=rng)
        self.store, self.folder = MemorySafety(), folder
        self.world = self.publish(people)
        self.ranker = Ranker.open(
            folder,
            safety=self.store,
            poll_s=0,
            newcomers=NewcomerLimits(page=1000, day=10_000, share=1.0, profiles=1000),
        )
        self.ids = everybody(self.world)

    def publish(self, people: Population) -> World:
        world = replace(World.of(people), directed=self.model.directed(people))
        world.publish(self.folder, model=self.model)
        return world

    def publish_without(self, gone: set[str]) -> None:
        """Publish the next night, which knows nothing of some people, and serve it from a new process."""
        people = self.world.people
        kept = np.flatnonzero([one not in gone for one in people.ids.ids(np.arange(len(people)))])
        self.publish(people.take(kept))
        self.ranker = Ranker.open(
            self.folder,
            safety=MemorySafety(),
            poll_s=0,
            newcomers=NewcomerLimits(page=1000, day=10_000, share=1.0, profiles=1000),
        )

    def page(self, user_id: str, token: str | None) -> set[str]:
        one = self.everybody.take([N])
        one = replace(one, ids=type(one.ids)([user_id]), person_tokens=np.array([token], dtype=object))
        return {item.candidate_id for item in self.ranker.rank(user_id, 100, NOW, profile=one).items}

    def token(self, row: int) -> str | None:
        return self.world.people.person_tokens[row]


def with_word(people: Population, row: int, column: str, word: str) -> Population:
    words = ENUMERATIONS[column].words
    codes = people.codes(column).copy()
    codes[row] = words.index(word)
    tokens = people.person_tokens.copy()
    tokens[row] = f"hmac1:{999:064x}"  # of this account alone, so that one row tells
    changed = {**people.coded, column: CodedColumn(words, codes)}
    return replace(people, coded=changed, person_tokens=tokens)


@pytest.mark.parametrize("seed", range(3))
def test_a_newcomer_is_folded_into_the_person_their_token_names(tmp_path: Path, seed: int) -> None:
    case = Newcomers(tmp_path, seed)
    known = [row for row in range(N) if case.token(row)]
    held, blocker, blocked, erased = (known[at] for at in (0, 3, 6, 9))
    fresh = f"hmac1:{777:064x}"
    everyone = case.page("u-first", fresh)
    assert len(everyone) > 5
    case.store.hold(case.ids[held])
    assert case.page("u-second", case.token(held)) == set()
    case.store.lift(case.ids[held])
    victims = accounts(case.world, case.ids[blocker])
    case.store.block(case.ids[blocker], case.ids[blocked])
    if case.token(blocker) != case.token(blocked):
        shown = case.page("u-third", case.token(blocked))
        assert not shown & victims
        assert not case.page("u-fourth", case.token(blocker)) & accounts(case.world, case.ids[blocked])
    assert case.page("u-fifth", fresh) == everyone
    case.store.erase(case.ids[erased])
    assert case.page("u-sixth", case.token(erased)) == set()


def test_a_banned_person_gets_the_refusal_under_every_new_id(tmp_path: Path) -> None:
    case = Newcomers(tmp_path, 1, **{C.ACCOUNT_STATE: "banned"})
    assert case.page("u-again", case.token(0)) == set()
    assert case.page("u-other", f"hmac1:{777:064x}")


def test_two_newcomers_with_one_token_are_one_person(tmp_path: Path) -> None:
    case, token = Newcomers(tmp_path, 2), f"hmac1:{777:064x}"
    shown = case.page("u-one", token)
    victim = min(shown)
    case.store.block(victim, "u-one")
    assert victim not in case.page("u-two", token)
    case.store.hold("u-one")
    assert case.page("u-three", token) == set()


def test_every_worker_knows_whose_a_newcomer_was(tmp_path: Path) -> None:
    """Seen to fail while the token of a profile was kept by the worker that was given it."""
    case, tokens = Newcomers(tmp_path, 2), [f"hmac1:{at:064x}" for at in (777, 778, 779)]
    other, active = Ranker.open(tmp_path, safety=case.store, poll_s=0), case.everybody
    assert case.page("u-one", tokens[0])
    other.safety.hold("u-one")
    case.everybody = with_word(active, N, C.ACCOUNT_STATE, "banned")
    assert case.page("u-two", tokens[1]) == set()
    case.publish_without(set())
    case.everybody = active
    assert [bool(case.page(f"u-{one}", one)) for one in tokens] == [False, False, True]


def test_filters_of_pages_by_a_profile_are_counted_too(tmp_path: Path) -> None:
    case = Newcomers(tmp_path, 1)
    ranker = Ranker.open(
        tmp_path, safety=case.store, poll_s=0, newcomers=NewcomerLimits(share=1.0, filters=2)
    )
    for one in (case.everybody.take([N]), case.everybody.take([0])):
        viewer = str(one.ids.ids([0])[0])
        for age in ("25-34", "35-44", "25-34"):
            ranker.rank(viewer, 20, NOW, profile=one, where=Filters(ages=[age]))
        with pytest.raises(InputError, match="2 different filters a day"):
            ranker.rank(viewer, 20, NOW, profile=one, where=Filters(ages=["45-54"]))


def tables_of(user: str, state: str) -> dict[str, list[dict[str, object]]]:
    """Return tables of one member as a backend sends them."""
    tables = make_tables(1, np.random.default_rng(1), unknown=0.0)
    said = {name: table.assign(user_id=user).to_dict("records") for name, table in tables.items()}
    return {**said, "profiles": [{**one, C.ACCOUNT_STATE: state} for one in said["profiles"]]}


@pytest.mark.parametrize("as_tables", [False, True])
@pytest.mark.parametrize("state", ["banned", "hold", "paused"])
def test_a_profile_stops_its_member_where_nobody_is_folded_in(
    tmp_path: Path, state: str, as_tables: bool
) -> None:
    """Seen to fail: a night of a model that folds nobody in took no ban out of a profile."""
    people = community(5).take(np.arange(N))
    world = World.of(people)
    world.publish(tmp_path)
    ranker = Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0)
    users = [str(one) for one in people.ids.ids(np.arange(N))]
    seen = {user: {item.candidate_id for item in ranker.rank(user, 100, NOW).items} for user in users}
    shown = max(users, key=lambda user: sum(user in page for page in seen.values()))
    at = users.index(shown)
    profile = with_word(people.take([at]), 0, C.ACCOUNT_STATE, state)
    given = tables_of(shown, state) if as_tables else profile
    with pytest.raises(PublicationError, match="folds nobody in"):
        ranker.rank(shown, 5, NOW, profile=given)
    viewers = [user for user, page in seen.items() if shown in page]
    assert viewers
    for viewer in viewers:
        assert shown not in {item.candidate_id for item in ranker.rank(viewer, 100, NOW).items}
        assert ranker.look(viewer, shown, NOW) is None


@pytest.mark.parametrize("said", [{C.ACCOUNT_STATE: "banned"}, {C.AGE_BAND: "17"}])
def test_a_profile_stops_its_member_where_what_is_published_is_too_old(
    tmp_path: Path, said: dict[str, str]
) -> None:
    """Seen to fail: a call that was refused since the night was too old took no ban out of its profile."""
    people = community(5).take(np.arange(N))
    World.of(people).publish(tmp_path)
    users, store = [str(one) for one in people.ids.ids(np.arange(N))], MemorySafety()
    ranker = Ranker.open(tmp_path, safety=store, poll_s=0, max_staleness=None)
    viewer, shown = next(
        (user, page.items[0].candidate_id) for user in users if (page := ranker.rank(user, 5)).items
    )
    given = tables_of(shown, "active")
    given["profiles"] = [{**one, **said} for one in given["profiles"]]
    strict = Ranker.open(tmp_path, safety=store, poll_s=0, max_staleness=timedelta(days=1))
    with pytest.raises(StalePublicationError):
        strict.rank(shown, 5, profile=given)
    assert shown not in {item.candidate_id for item in ranker.rank(viewer, 100).items}
    assert ranker.look(viewer, shown) is None
