"""Buying attention or taking it from others: likes for everybody, reports by crowds and by many."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Self

import numpy as np
import pandas as pd

import recsys
from recsys.allocation.attention import AttentionLimits
from recsys.allocation.config import AllocationConfig
from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.models.hybrid import HybridModel
from recsys.pipeline.allocation import limited
from recsys.pipeline.attention import demotion_share, indiscriminate
from recsys.random import KeyedGenerator
from recsys.ranking.allocated_lists import allocated_lists, mutual_candidate_graph
from recsys.ranking.recommend import RankedPairs, Recommender
from recsys.storage.load import load_events, load_population, load_tables
from recsys.types import Float64Array, ObjectArray
from tests.benchmarks.attacks import Verdict, attack

N_PEOPLE, K, POOL = 400, 10, 200
SEEDS = (23, 31, 47)
"""Of the towns: the first is the one that limits were chosen on, the others were not looked at before."""
MOST_EXPOSURE, LEAST_BRIGADED, MOST_DEMOTED = 1.5, 0.95, 0.5
Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True, eq=False)
class Looks:
    """Who is shown to whom in the lists of a night, and how much each looks at: 1 / log2(1 + rank)."""

    viewer: ObjectArray
    candidate: ObjectArray
    weight: Float64Array

    @classmethod
    def of(cls, people: Population, pairs: RankedPairs) -> Self:
        weight = 1 / np.log2(1.0 + pairs.rank())
        return cls(people.ids.ids(pairs.viewer), people.ids.ids(pairs.candidate), weight)

    def at(self, who: Collection[str], without: Collection[str] = ()) -> float:
        """Return how much some people are looked at, by others than `without`."""
        chosen = np.isin(self.candidate, list(who)) & ~np.isin(self.viewer, list(without))
        return float(self.weight[chosen].sum())


@lru_cache(maxsize=len(SEEDS))
def market(seed: int = SEEDS[0]) -> tuple[Tables, pd.Timestamp]:
    """Return the tables of a town that is large enough for a market."""
    made = recsys.make_town(N_PEOPLE, np.random.default_rng(seed))
    as_of = load_tables(made.tables).as_of
    if as_of is None:
        raise ValueError("a town has a time")
    return dict(made.tables), as_of


def looks(tables: Tables, as_of: pd.Timestamp) -> dict[bool, Looks]:
    """Return the looks of a night, with allocation (True) and without, as its stages choose lists."""
    people, events = load_population(tables, as_of), load_events(tables, as_of)
    model = HybridModel().fit(people, events, rng=np.random.default_rng(0))
    recommender = Recommender(people, Policy.default(), model.directed(people))
    pool, _ = recommender.pairs(None, k=POOL)
    limits = limits_of(people, events)
    nobody = np.zeros(len(people), bool)
    graph = mutual_candidate_graph([pool], recommender.compiled, recommender.likes, nobody, limits=limits)
    config = AllocationConfig(k=K)
    rng = np.random.default_rng(1)
    allocated = allocated_lists(recommender, graph, config, rng=rng, limits=limits).pairs
    best = limited(pool, limits.with_candidates([(pool.candidate, pool.p_liked_back)]))
    return {True: Looks.of(people, allocated), False: Looks.of(people, best.filtered(best.rank() <= K))}


def limits_of(people: Population, events: Events) -> AttentionLimits:
    """Return the limits of a night with these events."""
    return AttentionLimits.of(
        demotion_share(people, events), indiscriminate(people, events), KeyedGenerator(5)
    )


@lru_cache(maxsize=len(SEEDS))
def usual(seed: int = SEEDS[0]) -> dict[bool, Looks]:
    """Return the looks of a night that nobody attacks."""
    return looks(*market(seed))


def by_exposure(seed: int) -> list[str]:
    """Return everybody who is looked at, those who are looked at least first."""
    found = usual(seed)[True]
    seen = pd.Series(found.weight).groupby(found.candidate).sum().sort_values(kind="stable")
    return [str(one) for one in seen.index]


def attackers(seed: int, n_people: int) -> list[tuple[str, ...]]:
    """Return who attacks at once; of one alone three, one by one, of little, middling and much exposure.

    One person stands in a few lists, so that what one alone gains is mostly chance: their sum is judged.
    """
    ordered = by_exposure(seed)
    if n_people > 1:
        middle = len(ordered) // 2
        return [tuple(ordered[middle : middle + n_people])]
    return [(ordered[int(len(ordered) * share)],) for share in (0.2, 0.5, 0.8)]


def _with_events(rows: list[dict[str, object]], seed: int = SEEDS[0]) -> Tables:
    tables = market(seed)[0]
    added = pd.DataFrame(rows).assign(event_id=[f"attack-{at}" for at in range(len(rows))])
    return tables | {"events": pd.concat([tables["events"], added], ignore_index=True)}


def _likes(who: tuple[str, ...], per_day: int, seed: int) -> list[dict[str, object]]:
    """Return likes of everybody whom an attacker could have been shown, so many a day."""
    tables, as_of = market(seed)
    others = sorted(tables["profiles"].user_id.unique())
    return [
        {C.ACTOR: one, C.TARGET: other, C.TYPE: "like", C.TS: as_of - pd.Timedelta(days=1 + at // per_day)}
        for one in who
        for at, other in enumerate(other for other in others if other != one)
    ]


@lru_cache(maxsize=1)
def _after_likes(n_people: int, per_day: int, seed: int) -> list[dict[bool, Looks]]:
    return [
        looks(_with_events(_likes(who, per_day, seed), seed), market(seed)[1])
        for who in attackers(seed, n_people)
    ]


def _liking(n_people: int, per_day: int, seed: int, *, allocated: bool) -> Verdict:
    tried = list(zip(attackers(seed, n_people), _after_likes(n_people, per_day, seed), strict=True))
    after = sum(found[allocated].at(who) for who, found in tried)
    gain = after / max(sum(usual(seed)[allocated].at(who) for who, _ in tried), 1e-9)
    state = "held" if gain <= MOST_EXPOSURE else "weak" if gain <= 2 * MOST_EXPOSURE else "broken"
    how = "allocated" if allocated else "unallocated"
    return Verdict(state, f"exposure x{gain:.2f}", ((f"exposure_{n_people}_{per_day}_{how}_{seed}", gain),))


for _seed in SEEDS:
    for _n in (1, 4):
        for _per_day in (10, 1000) if _n > 1 else (10,):
            for _allocated in (True, False):
                attack(
                    "abuse",
                    f"{_n} like everybody, {_per_day} a day, "
                    f"{'' if _allocated else 'un'}allocated, town {_seed}",
                    partial(_liking, _n, _per_day, _seed, allocated=_allocated),
                )


def _verified(tier: tuple[str, ...] = ("id", "id_liveness")) -> list[str]:
    """Return members of the town who proved who they are and have been there for long."""
    tables, as_of = market()
    events = tables["events"]
    proved = set(events[events.type.eq("verified") & events.detail.isin(tier)].actor)
    old = events.type.eq("terms_accepted") & (events.ts < as_of - pd.Timedelta(days=60))
    return sorted(proved & set(events[old].actor))


def _reporters(target: str, n_people: int, who: str) -> tuple[list[str], list[dict[str, object]]]:
    """Return reporters and their events: who wrote with the target, settled strangers, or a new crowd."""
    as_of, rows = market()[1], list[dict[str, object]]()
    events = market()[0]["events"]
    wrote = set(events[events.type.eq("message") & events.target.eq(target)].actor)
    known = [one for one in _verified() if one != target and (who == "credible" or one not in wrote)]
    reporters = [f"crowd-{at}" for at in range(n_people)] if who == "crowd" else known[:n_people]
    for one in reporters:
        for day, (a, b) in enumerate(((one, target), (target, one))) if who == "credible" else ():
            at = as_of - pd.Timedelta(days=5 - day)
            rows.append({C.ACTOR: a, C.TARGET: b, C.TYPE: "message", C.TS: at})
        report = {C.ACTOR: one, C.TARGET: target, C.TYPE: "report", C.DETAIL: "harassment"}
        rows.append(report | {C.TS: as_of - pd.Timedelta(days=1)})
    return reporters, rows


@lru_cache(maxsize=1)
def _after_reports(n_people: int, who: str) -> tuple[str, list[str], dict[bool, Looks]]:
    target = by_exposure(SEEDS[0])[-1]
    reporters, rows = _reporters(target, n_people, who)
    if len(reporters) < n_people:
        raise ValueError("too few people in the town can report")
    return target, reporters, looks(_with_events(rows), market()[1])


def _reported(n_people: int, who: str, *, allocated: bool) -> Verdict:
    """Compare how much others than the reporters, who are kept apart at once, look at the reported one."""
    target, reporters, after = _after_reports(n_people, who)
    ratio = after[allocated].at([target], reporters) / usual()[allocated].at([target], reporters)
    held = ratio <= MOST_DEMOTED if who == "credible" else ratio >= LEAST_BRIGADED
    name = f"{who}_{n_people}_{'allocated' if allocated else 'unallocated'}"
    return Verdict.of(held, f"exposure x{ratio:.2f}", **{name: ratio})


for _who, _what in (
    ("credible", "twelve credible reports"),
    ("crowd", "twelve reports of new accounts"),
    ("strangers", "twelve reports of settled, verified strangers"),
):
    for _allocated in (True, False):
        attack(
            "abuse",
            f"{_what}, {'allocated' if _allocated else 'unallocated'}",
            partial(_reported, 12, _who, allocated=_allocated),
        )
