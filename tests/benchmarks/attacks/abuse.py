"""Attention bought or taken from others: likes for everybody, reports by crowds and by many."""

from functools import lru_cache, partial
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from tests.benchmarks.attacks import Verdict, attack
from tests.benchmarks.attacks.towns import (
    SEEDS,
    Looks,
    by_exposure,
    judged,
    looks,
    market,
    ratio_over_towns,
    usual,
    with_events,
)

MOST_EXPOSURE, LEAST_BRIGADED, MOST_DEMOTED = 1.5, 0.95, 0.5
N_REPORTED: Final = 4
"""Who are reported in a town at once: those who are looked at most, each by people of their own."""
_SHARES: Final = (0.2, 0.5, 0.8)
"""Of one alone: of little, middling and much exposure, another town by town."""


def attackers(seed: int, n_people: int) -> tuple[str, ...]:
    """Return who attacks in a town, of those whose profile is open to all: of others, likes open it."""
    profiles = market(seed)[0]["profiles"].drop_duplicates(C.USER, keep="last")
    closed = set(profiles[profiles[C.DISCRETION].ne("open")][C.USER])
    ordered = [one for one in by_exposure(seed) if one not in closed]
    if n_people > 1:
        middle = len(ordered) // 2
        return tuple(ordered[middle : middle + n_people])
    share = _SHARES[SEEDS.index(seed) % len(_SHARES)]
    return (ordered[int(len(ordered) * share)],)


def _likes(who: tuple[str, ...], per_day: int, seed: int) -> list[dict[str, object]]:
    """Return likes of everybody whom an attacker could have been shown, so many a day."""
    tables, as_of = market(seed)
    others = sorted(tables["profiles"].user_id.unique())
    return [
        {C.ACTOR: one, C.TARGET: other, C.TYPE: "like", C.TS: as_of - pd.Timedelta(days=1 + at // per_day)}
        for one in who
        for at, other in enumerate(other for other in others if other != one)
    ]


@lru_cache(maxsize=2)
def _after_likes(n_people: int, per_day: int) -> list[dict[bool, Looks]]:
    return [
        looks(with_events(_likes(attackers(seed, n_people), per_day, seed), seed), market(seed)[1])
        for seed in SEEDS
    ]


def _gain(after: list[dict[bool, Looks]], n_people: int, name: str, *, allocated: bool) -> Verdict:
    who = [attackers(seed, n_people) for seed in SEEDS]
    gained = [found[allocated].at(some) for found, some in zip(after, who, strict=True)]
    before = [usual(seed)[allocated].at(some) for seed, some in zip(SEEDS, who, strict=True)]
    each = " ".join(f"{a / max(b, 1e-9):.2f}" for a, b in zip(gained, before, strict=True))
    return judged(ratio_over_towns(gained, before), MOST_EXPOSURE, name, f": {each}")


def kind_of_list(allocated: bool) -> str:
    """Return what lists are called that are allocated, or not."""
    return "allocated" if allocated else "unallocated"


def _liking(n_people: int, per_day: int, *, allocated: bool) -> Verdict:
    name = f"exposure_{n_people}_{per_day}_{kind_of_list(allocated)}"
    return _gain(_after_likes(n_people, per_day), n_people, name, allocated=allocated)


for _n, _per_day in ((1, 10), (4, 10), (4, 1000)):
    for _allocated in (True, False):
        attack(
            "abuse",
            f"{_n} like everybody, {_per_day} a day, {kind_of_list(_allocated)}",
            partial(_liking, _n, _per_day, allocated=_allocated),
        )


def _verified(seed: int, tier: tuple[str, ...] = ("id", "id_liveness")) -> list[str]:
    """Return members of the town who proved who they are and have been there for long."""
    tables, as_of = market(seed)
    events = tables["events"]
    proved = set(events[events.type.eq("verified") & events.detail.isin(tier)].actor)
    old = events.type.eq("terms_accepted") & (events.ts < as_of - pd.Timedelta(days=60))
    return sorted(proved & set(events[old].actor))


def _reporters(seed: int, n_people: int, who: str) -> dict[str, list[str]]:
    """Return the reporters of each who is reported: settled members who wrote with them or never did."""
    targets = by_exposure(seed)[-N_REPORTED:]
    events = market(seed)[0]["events"]
    found: dict[str, list[str]] = {}
    left = [one for one in _verified(seed) if one not in targets]
    for target in targets:
        wrote = set(events[events.type.eq("message") & events.target.eq(target)].actor)
        known = [one for one in left if who == "credible" or one not in wrote]
        crowd = [f"crowd-{target}-{at}" for at in range(n_people)]
        found[target] = crowd if who == "crowd" else known[:n_people]
        left = [one for one in left if one not in found[target]]
        if len(found[target]) < n_people:
            raise ValueError("too few people in the town can report")
    return found


def _reports(target: str, reporters: list[str], who: str, as_of: pd.Timestamp) -> list[dict[str, object]]:
    rows = list[dict[str, object]]()
    for one in reporters:
        for day, (a, b) in enumerate(((one, target), (target, one))) if who == "credible" else ():
            at = as_of - pd.Timedelta(days=5 - day)
            rows.append({C.ACTOR: a, C.TARGET: b, C.TYPE: "message", C.TS: at})
        report = {C.ACTOR: one, C.TARGET: target, C.TYPE: "report", C.DETAIL: "harassment"}
        rows.append(report | {C.TS: as_of - pd.Timedelta(days=1)})
    return rows


@lru_cache(maxsize=1)
def _after_reports(n_people: int, who: str) -> list[dict[bool, Looks]]:
    found = []
    for seed in SEEDS:
        as_of = market(seed)[1]
        rows = [
            row
            for target, some in _reporters(seed, n_people, who).items()
            for row in _reports(target, some, who, as_of)
        ]
        found.append(looks(with_events(rows, seed), as_of))
    return found


def _reported(n_people: int, who: str, *, allocated: bool) -> Verdict:
    """Compare how much others than the reporters, who are kept apart at once, look at those reported."""

    def of_others(seed: int, found: dict[bool, Looks]) -> float:
        reporters = _reporters(seed, n_people, who).items()
        return sum(found[allocated].at([target], some) for target, some in reporters)

    after = [of_others(*one) for one in zip(SEEDS, _after_reports(n_people, who), strict=True)]
    before = [of_others(seed, usual(seed)) for seed in SEEDS]
    name, is_credible = f"{who}_{n_people}_{kind_of_list(allocated)}", who == "credible"
    each = " ".join(f"{ratio:.2f}" for ratio in np.divide(after, before))
    return judged(
        ratio_over_towns(after, before),
        MOST_DEMOTED if is_credible else LEAST_BRIGADED,
        name,
        f": {each}",
        at_least=not is_credible,
    )


for _who, _what in (
    ("credible", "twelve credible reports"),
    ("crowd", "twelve reports of new accounts"),
    ("strangers", "twelve reports of settled, verified strangers"),
):
    for _allocated in (True, False):
        attack(
            "abuse",
            f"{_what}, {kind_of_list(_allocated)}",
            partial(_reported, 12, _who, allocated=_allocated),
        )
