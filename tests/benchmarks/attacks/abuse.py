"""Buying attention or taking it from others: likes for everybody, reports by crowds and by many."""

from functools import lru_cache, partial

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
from tests.benchmarks.attacks import Verdict, attack

N_PEOPLE, K, POOL = 400, 10, 60
MOST_EXPOSURE, LEAST_BRIGADED, MOST_DEMOTED = 1.5, 0.95, 0.5
Tables = dict[str, pd.DataFrame]


@lru_cache(maxsize=1)
def market() -> tuple[Tables, pd.Timestamp]:
    """Return the tables of a town that is large enough for a market."""
    made = recsys.make_town(N_PEOPLE, np.random.default_rng(23))
    as_of = load_tables(made.tables).as_of
    if as_of is None:
        raise ValueError("a town has a time")
    return dict(made.tables), as_of


def exposure(tables: Tables, *, allocated: bool, limits: bool = True) -> pd.Series:
    """Return how much everybody is looked at in the lists of a night: the sum of 1 / log2(1 + rank) by id."""
    as_of = market()[1]
    people, events = load_population(tables, as_of), load_events(tables, as_of)
    model = HybridModel().fit(people, events, rng=np.random.default_rng(0))
    recommender = Recommender(people, Policy.default(), model.directed(people))
    pool, _ = recommender.pairs(None, k=POOL)
    attention = limits_of(people, events) if limits else AttentionLimits.none(len(people))
    if allocated:
        nobody = np.zeros(len(people), bool)
        graph = mutual_candidate_graph(
            [pool], recommender.compiled, recommender.likes, nobody, limits=attention
        )
        config = AllocationConfig(k=K)
        pairs = allocated_lists(
            recommender, graph, config, rng=np.random.default_rng(1), limits=attention
        ).pairs
    else:
        attention = attention.with_candidates([(pool.candidate, pool.p_liked_back)])
        pairs = limited(pool, attention)
        pairs = pairs.filtered(pairs.rank() <= K)
    return _by_id(people, pairs)


def _by_id(people: Population, pairs: RankedPairs) -> pd.Series:
    looks = np.bincount(pairs.candidate, 1 / np.log2(1.0 + pairs.rank()), minlength=len(people))
    return pd.Series(looks, index=people.ids.ids(np.arange(len(people))))


def limits_of(people: Population, events: Events) -> AttentionLimits:
    """Return the limits of a night with these events."""
    return AttentionLimits.of(
        demotion_share(people, events), indiscriminate(people, events), KeyedGenerator(5)
    )


@lru_cache(maxsize=4)
def usual(allocated: bool) -> pd.Series:
    """Return the exposure of a night that nobody attacks."""
    return exposure(market()[0], allocated=allocated)


@lru_cache(maxsize=1)
def attackers(n_people: int = 4) -> tuple[str, ...]:
    """Return people of middling exposure."""
    seen = usual(True)
    ordered = seen[seen > 0].sort_values()
    middle = len(ordered) // 2
    return tuple(str(one) for one in ordered.index[middle : middle + n_people])


def _with_events(rows: list[dict[str, object]]) -> Tables:
    tables = market()[0]
    added = pd.DataFrame(rows).assign(event_id=[f"attack-{at}" for at in range(len(rows))])
    return tables | {"events": pd.concat([tables["events"], added], ignore_index=True)}


def _likes(who: tuple[str, ...], per_day: int) -> list[dict[str, object]]:
    """Return likes of everybody whom an attacker could have been shown, so many a day."""
    as_of = market()[1]
    others = sorted(market()[0]["profiles"].user_id.unique())
    return [
        {C.ACTOR: one, C.TARGET: other, C.TYPE: "like", C.TS: as_of - pd.Timedelta(days=1 + at // per_day)}
        for one in who
        for at, other in enumerate(other for other in others if other != one)
    ]


def _liking(n_people: int, per_day: int, *, allocated: bool) -> Verdict:
    who = attackers()[:n_people]
    after = exposure(_with_events(_likes(who, per_day)), allocated=allocated)
    gain = float(after[list(who)].sum() / max(usual(allocated)[list(who)].sum(), 1e-9))
    state = "held" if gain <= MOST_EXPOSURE else "weak" if gain <= 2 * MOST_EXPOSURE else "broken"
    how = "allocated" if allocated else "unallocated"
    return Verdict(state, f"exposure x{gain:.2f}", ((f"exposure_{n_people}_{per_day}_{how}", gain),))


for _n in (1, 4):
    for _per_day in (10, 1000):
        for _allocated in (True, False):
            attack(
                "abuse",
                f"{_n} like everybody, {_per_day} a day, {'allocated' if _allocated else 'unallocated'}",
                partial(_liking, _n, _per_day, allocated=_allocated),
            )


def _reporters(target: str, n_people: int, *, credible: bool) -> list[dict[str, object]]:
    as_of = market()[1]
    events = market()[0]["events"]
    proved = set(events[events.type.eq("verified") & events.detail.isin(["id", "id_liveness"])].actor)
    others = [one for one in sorted(proved) if one != target][:n_people]
    rows: list[dict[str, object]] = []
    for at, one in enumerate(others):
        who = one if credible else f"crowd-{at}"
        for day, (a, b) in enumerate(((who, target), (target, who))):
            if credible:
                rows.append(
                    {C.ACTOR: a, C.TARGET: b, C.TYPE: "message", C.TS: as_of - pd.Timedelta(days=5 - day)}
                )
        report = {C.ACTOR: who, C.TARGET: target, C.TYPE: "report", C.DETAIL: "harassment"}
        rows.append(report | {C.TS: as_of - pd.Timedelta(days=1)})
    return rows


def _reported(n_people: int, *, credible: bool, allocated: bool) -> Verdict:
    target = str(usual(allocated).idxmax())
    before = float(usual(allocated)[target])
    tables = _with_events(_reporters(target, n_people, credible=credible))
    after = float(exposure(tables, allocated=allocated).get(target, 0.0))
    ratio = after / before
    held = ratio <= MOST_DEMOTED if credible else ratio >= LEAST_BRIGADED
    name = (
        f"{'credible' if credible else 'brigading'}_{n_people}_{'allocated' if allocated else 'unallocated'}"
    )
    return Verdict.of(held, f"exposure x{ratio:.2f}", **{name: ratio})


for _allocated in (True, False):
    _how = "allocated" if _allocated else "unallocated"
    attack(
        "abuse",
        f"twelve credible reports, {_how}",
        partial(_reported, 12, credible=True, allocated=_allocated),
    )
    attack(
        "abuse",
        f"twelve brigading reports, {_how}",
        partial(_reported, 12, credible=False, allocated=_allocated),
    )
