"""Whoever is absent costs the same work, whatever the reason: function calls are counted, not seconds."""

import sys
from collections.abc import Callable, Iterator
from itertools import product
from statistics import median
from typing import Any, Final

import pytest

from recsys.ranking.ranker import Ranker
from recsys.safety.person_index import Accounts
from recsys.safety.store import MemorySafety
from tests.benchmarks.attacks.world import ids, served, shown, unlisted_ids
from tests.ranking.published_world import NOW

CLASSES: Final = ("held", "erased", "unlisted", "unknown")
A_CLASS: Final = 5
MOST_APART: Final = 0.05


@pytest.fixture(scope="module")
def absent() -> Iterator[tuple[Ranker, str, dict[str, list[str]]]]:
    """A ranker, a viewer, and people absent in every way."""
    with served(MemorySafety()) as (ranker, _):
        viewer = max(ids(), key=lambda one: len(shown(ranker, one)))
        free = sorted(shown(ranker, viewer))
        classes = {"held": free[:A_CLASS], "erased": free[-A_CLASS:], "unlisted": unlisted_ids()[:A_CLASS]}
        for one in classes["held"]:
            ranker.safety.hold(one)
        for one in classes["erased"]:
            ranker.safety.erase(one)
        yield ranker, viewer, classes | {"unknown": [f"n{at:05d}" for at in range(A_CLASS)]}


def work(call: Callable[[], object]) -> int:
    """Return how many functions one call calls, once everything is warm."""
    called = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal called
        called += event == "call"

    call()
    sys.setprofile(count)
    try:
        call()
    finally:
        sys.setprofile(None)
    return called


def asked_for(ranker: Ranker, route: str, viewer: str, who: str) -> Callable[[], object]:
    if route == "look":
        return lambda: ranker.look(viewer, who, NOW)
    return lambda: getattr(ranker, route)(who, 10, NOW)


def apart(given: tuple[Ranker, str, dict[str, list[str]]], route: str) -> float:
    ranker, viewer, classes = given
    of_class = {
        name: [work(asked_for(ranker, route, viewer, one)) for one in classes[name]] for name in CLASSES
    }
    medians = [median(found) for found in of_class.values()]
    return max(medians) / min(medians) - 1


@pytest.mark.parametrize("route", ["rank", "inbox", "look"])
def test_every_class_of_absence_costs_the_same_work(absent: Any, route: str) -> None:
    assert apart(absent, route) <= MOST_APART


def test_work_that_ends_with_who_is_linked_is_seen(absent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted shortcut: whoever has no link in the ledger is looked up once instead of twice."""
    whole = Accounts.linked

    def short(self: Accounts, user_id: str, state: Any) -> tuple[str, ...]:
        return whole(self, user_id, state) if self.is_published(user_id) else (user_id,)

    monkeypatch.setattr(Accounts, "linked", short)
    assert apart(absent, "rank") > MOST_APART


def test_who_is_unknown_has_no_other_account(absent: Any) -> None:
    ranker, _, classes = absent
    accounts = ranker._questions.accounts_of(ranker.check().snapshot)
    state = ranker.safety.ledger.now()
    for name, at in product(CLASSES, range(A_CLASS)):
        one = classes[name][at]
        assert one in accounts.linked(one, state)
        assert name != "unknown" or accounts.linked(one, state) == (one,)
