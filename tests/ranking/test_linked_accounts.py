"""A hide or a pass of today counts for every account that the ledger links, whatever their tokens are now.

Seen to fail: an account that an earlier night had as the same person's was shown after a hide of the other;
so was one that has no token any more; a hide dated before a like of the linked account restricted nobody.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety
from recsys.safety.day_log import DayEvent
from recsys.safety.fingerprints import ID, PERSON
from recsys.safety.ledger import SafetyLedger
from tests.ranking.published_world import NOW, World, copied
from tests.ranking.test_persons import N, community

TONIGHT: dict[str, tuple[bool, bool]] = {
    "tokens of their own": (True, True),
    "one without": (True, False),
    "the other without": (False, True),
    "both without": (False, False),
}
"""Whether the first and the second account of the person have a token in what is served."""


class Published:
    """What is served where two people have two accounts each, which an earlier night gave one token each."""

    def __init__(self, folder: Path, have_token: tuple[bool, bool]) -> None:
        people = community(5).take(np.arange(N))
        bare = World.of(replace(people, person_tokens=np.full(N, None, object)))
        bare.publish(folder / "bare")
        ids = [str(one) for one in people.ids.ids(np.arange(N))]
        before = Ranker.open(folder / "bare", safety=MemorySafety(), poll_s=0)
        seen = {one: {item.candidate_id for item in before.rank(one, 100, NOW).items} for one in ids}
        self.mine, self.theirs, self.bystander = next(
            ((a, b), (c, d), e)
            for a, b in product(ids, ids)
            if a != b
            for c, d, *rest in [sorted(seen[a] & seen[b])[:3]]
            for e in rest
            if {a, b} <= seen[c] & seen[d]
        )
        tokens = {one: f"hmac1:{100 + at:064x}" for at, one in enumerate(ids)}
        for pair in (self.mine, self.theirs):
            tokens |= {one: None for one, has in zip(pair, have_token, strict=True) if not has}
        self.folder = folder / "published"
        World.of(replace(people, person_tokens=np.array([tokens[one] for one in ids], object))).publish(
            self.folder
        )
        ledger = SafetyLedger.of(self.folder)
        naming = ledger.begin().namings[-1]
        for at, pair in enumerate((self.mine, self.theirs)):
            former = naming.of(PERSON, f"hmac1:{at:064x}")
            ledger.link([(naming.of(ID, one), former) for one in pair])


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Published]:
    return cache(lambda tonight: Published(tmp_path_factory.mktemp("linked"), TONIGHT[tonight]))


class Linked:
    """A ranker of a copy of what is served."""

    def __init__(self, published: Published, folder: Path) -> None:
        self.mine, self.theirs, self.bystander = published.mine, published.theirs, published.bystander
        served = copied(published.folder, folder / "published")
        self.ranker = Ranker.open(served, safety=MemorySafety(), poll_s=0)
        self._events = 0

    def say(self, actor: str, target: str, kind: str) -> None:
        self._events += 1
        self.ranker.day.append([DayEvent(f"d{self._events}", datetime.now(UTC), actor, target, kind)])

    def shown(self) -> set[tuple[str, str]]:
        """Return who of the two persons is shown to whom, by any door."""
        found = set[tuple[str, str]]()
        for viewers, others in ((self.mine, self.theirs), (self.theirs, self.mine)):
            for viewer in viewers:
                (many,) = self.ranker.rank_many([viewer], 100, NOW)
                pages = (self.ranker.rank(viewer, 100, NOW), many, self.ranker.inbox(viewer, 100, NOW))
                named = {item.candidate_id for page in pages for item in page.items}
                named |= {one for one in others if self.ranker.look(viewer, one, NOW) is not None}
                found |= {(viewer, one) for one in others if one in named}
        return found


@pytest.mark.parametrize("tonight", TONIGHT)
@pytest.mark.parametrize("kind", ["hide", "pass"])
@pytest.mark.parametrize("by", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_what_is_decided_today_counts_for_accounts_that_the_ledger_links(
    published: Callable[[str], Published], tmp_path: Path, tonight: str, kind: str, by: tuple[int, int]
) -> None:
    world = Linked(published(tonight), tmp_path)
    actor, target = world.mine[by[0]], world.theirs[by[1]]
    assert {(a, b) for a in world.mine for b in world.theirs} <= world.shown()
    world.say(actor, target, kind)
    assert world.shown() == set()
    assert world.ranker.look(actor, world.bystander, NOW) is not None
    world.say(actor, target, "undo")
    assert {(a, b) for a in world.mine for b in world.theirs} <= world.shown()


@pytest.mark.parametrize("tonight", TONIGHT)
@pytest.mark.parametrize("before", ["like", "undo"])
@pytest.mark.parametrize("by", [(0, 0), (0, 1), (1, 0)])
@pytest.mark.parametrize("at_once", [True, False])
def test_what_is_said_last_counts_for_them_whatever_time_a_backend_gives(
    published: Callable[[str], Published],
    tmp_path: Path,
    tonight: str,
    before: str,
    by: tuple[int, int],
    at_once: bool,
) -> None:
    world, now = Linked(published(tonight), tmp_path), datetime.now(UTC)
    first = DayEvent("d1", now, world.mine[by[0]], world.theirs[by[1]], before)
    then = DayEvent("d2", now - timedelta(minutes=5), world.mine[0], world.theirs[0], "hide")
    for call in ([first, then],) if at_once else ([first], [then]):
        world.ranker.day.append(call)
    assert world.shown() == set()
