"""What can be read from outside: time and size of what is absent, a day of pages, reasons and errors."""

import statistics
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any, Final

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.ranking.ranker import Ranker
from recsys.safety.store import MemorySafety
from tests.benchmarks.attacks import Verdict, attack
from tests.benchmarks.attacks.oracles import newcomer, seen_by, with_set
from tests.benchmarks.attacks.world import ids, served, shown, unlisted_ids
from tests.ranking.published_world import NOW

_ROUNDS: Final = 1500
_WARM: Final = 60
_AIM: Final = 0.05
"""How far medians may be apart."""


def _page_limit() -> Verdict:
    person = newcomer()
    me = str(person.ids.ids([0])[0])
    seen: set[str] = set()
    with served() as (ranker, _):
        for _ in range(10):
            page = ranker.rank(me, 1000, NOW, profile=person)
            seen |= {item.candidate_id for item in page.items}
            ranker.record(page.receipt, [item.candidate_id for item in page.items], viewer_id=me, as_of=NOW)
    return Verdict.of(len(seen) <= 60, f"{len(seen)} different people in ten pages of a day")


def _second_account_shares() -> Verdict:
    person = newcomer()
    with served() as (ranker, _):
        first = seen_by(ranker, person)
        second = seen_by(ranker, with_set(person, C.ACCEPTS_HOUSEHOLD_STATUS, ("single",)))
    return Verdict.of(first and not second, f"{len(first)} then {len(second)} people with another profile")


attack("privacy", "a newcomer harvests a day", _page_limit)
attack("privacy", "a second profile on one day", _second_account_shares)


_IDS_A_CLASS: Final = 6


def _absent(ranker: Ranker, viewer: str) -> dict[str, list[str]]:
    """Make people absent in every way, some of each: who is listed, and could be shown, at first."""
    free = sorted(shown(ranker, viewer))
    if len(free) < 3 * _IDS_A_CLASS:
        raise ValueError("the world is too small for the attack")
    classes = {name: free[at::3][:_IDS_A_CLASS] for at, name in enumerate(("blocked", "held", "erased"))}
    for other in classes["blocked"]:
        ranker.safety.block(other, viewer)
    for other in classes["held"]:
        ranker.safety.hold(other)
    for other in classes["erased"]:
        ranker.safety.erase(other)
    classes["unlisted"] = unlisted_ids()[:_IDS_A_CLASS]
    classes["unknown"] = [f"u{at:07d}x" for at in range(_IDS_A_CLASS)]
    return classes


def _equal_time(route: str) -> Verdict:
    """Medians of the time of each class of absence, over several ids of each, asked in turn."""
    with served(MemorySafety()) as (ranker, _):
        viewer = max(ids(), key=lambda one: len(shown(ranker, one)))
        classes = _absent(ranker, viewer)
        if route != "look":  # a page of whoever is blocked by somebody is a page like any other
            del classes["blocked"]
        times: dict[str, list[float]] = {name: [] for name in classes}
        for at in range(_ROUNDS):
            for name, people in classes.items():
                who = people[at % len(people)]
                began = perf_counter()
                if route == "look":
                    ranker.look(viewer, who, NOW)
                else:
                    getattr(ranker, route)(who, 10, NOW)
                if at >= _WARM:
                    times[name].append(perf_counter() - began)
    medians = {name: statistics.median(found) for name, found in times.items()}
    apart = max(medians.values()) / min(medians.values()) - 1
    state = "held" if apart <= _AIM else "weak" if apart <= 0.25 else "broken"
    found = ", ".join(f"{name} {1e6 * value:.0f} us" for name, value in medians.items())
    return Verdict(state, found, ((f"{route}_apart", apart),))


def _equal_bytes() -> Verdict:
    with served() as (ranker, _):
        viewer = max(ids(), key=lambda one: len(shown(ranker, one)))
        classes = _absent(ranker, viewer)
        looks = {ranker.look(viewer, who, NOW) for people in classes.values() for who in people}
        pages = {
            len(replace(ranker.rank(who, 10, NOW).receipt, viewer_id="x" * 8).to_json()): who
            for name, people in classes.items()
            for who in people
            if name != "blocked"
        }
    return Verdict.of(looks == {None} and len(pages) == 1, f"sizes of pages without anybody: {sorted(pages)}")


attack("privacy", "look: time by class of absence", partial(_equal_time, "look"))
attack("privacy", "rank: time by class of absence", partial(_equal_time, "rank"))
attack("privacy", "inbox: time by class of absence", partial(_equal_time, "inbox"))
attack("privacy", "look and rank: bytes by class of absence", _equal_bytes)


def _page_content() -> Verdict:
    words = ("score", "distance", "km", "last", "count", "probability", "p_like")
    with served() as (ranker, _):
        viewer = next(one for one in ids() if shown(ranker, one))
        page = ranker.rank(viewer, 10, NOW)
        fields = {name for item in page.items for name in type(item).__slots__}
    found = [word for word in words if word in fields]
    return Verdict.of(not found, f"fields of an item: {', '.join(sorted(fields))}")


def _levers() -> Verdict:
    from recsys.catalogue.catalogue import load_catalogue

    named = [
        one
        for one in load_catalogue().questions
        if one in {"told_at_home", "notifications_hidden", "keeps_secret"}
    ]
    with served() as (ranker, _):
        shown_codes = {
            code for one in ids() for item in ranker.rank(one, 20, NOW).items for code in item.reasons
        }
    levers = [code for code in shown_codes if code.removeprefix("answer:") in named]
    if not named:
        return Verdict("weak", "the catalogue has none of the questions that are looked for")
    return Verdict.of(not levers, f"reasons with a lever on {len(ids())} pages: {levers or 'none'}")


def _errors_name_nobody() -> Verdict:
    told: list[str] = []
    with served() as (ranker, _):
        calls: list[Any] = [
            lambda: ranker.look(ids()[0], ids()[1] + " ", NOW),
            lambda: ranker.rank(ids()[0][:-1], 5, NOW),
            lambda: ranker.rank(ids()[3], 0, NOW),
            lambda: ranker.safety.hold(ids()[4] + " "),
            lambda: ranker.rank("new", 5, NOW, profile={"profiles": pd.DataFrame({"user_id": [ids()[5]]})}),
        ]
        for call in calls:
            try:
                call()
            except Exception as error:
                told += [one for one in ids() if one in str(error)]
    return Verdict.of(not told, f"ids in errors: {told or 'none'}")


attack("privacy", "fields of a page", _page_content)
attack("privacy", "reasons that hand a lever", _levers)
attack("privacy", "errors that name somebody", _errors_name_nobody)
