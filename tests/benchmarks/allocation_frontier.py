"""The market frontier: the allocator beside each peer in that peer's measure, and mixtures over nights."""

import argparse
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from recsys.allocation import AllocationConfig, CandidateGraph, allocate_graph
from recsys.allocation.baseline_rankings import product
from recsys.allocation.envy import envious_pairs
from recsys.allocation.frank_wolfe import frank_wolfe
from recsys.allocation.mixture import MixtureDraw
from recsys.allocation.objective import MeanFieldModel
from recsys.allocation.rounding import RankedEdges
from recsys.allocation.simulator import simulate
from recsys.evaluation.bootstrap import of_groups
from recsys.types import Float32Array
from tests.benchmarks.allocation_baselines import transferable_utility
from tests.benchmarks.allocation_graphs import both_sides, one_sided, su_market
from tests.benchmarks.allocation_peers import (
    alternating_nash,
    effective_matches,
    exposure_constrained_deferred_acceptance,
    matching_for_retention,
    retained,
    retention,
    sinkhorn_nash,
    social_welfare,
)
from tests.benchmarks.allocation_periods import WAYS, drawn_market, play

Rows = list[dict[str, Any]]
Way = Callable[[CandidateGraph, int], RankedEdges]


def _ways() -> Mapping[str, Way]:
    def ours(fairness: float, budget: float | None = None) -> Way:
        config = AllocationConfig(fairness=fairness, budget=budget)
        return lambda graph, k: allocate_graph(graph, config.changed(k=k)).ranked

    return {
        "product": product,
        "tu": transferable_utility,
        "sw, its authors": social_welfare,
        "ecda": exposure_constrained_deferred_acceptance,
        "retention": retention,
        "mret": matching_for_retention,
        "welfare": ours(0.0),
        "halfway": ours(0.5),
        "nash": ours(1.0),
        "beyond nash": ours(1.5),
        "welfare, budget 2": ours(0.0, 2.0),
    }


def frontier(args: argparse.Namespace, rows: Rows, *, small: bool) -> dict[str, Any]:
    """Run one-sided markets with inboxes in every measure, and two-sided 40 x 40 over nights."""
    n, markets, rounds = (20, 3, 30) if small else (100, args.markets, 100)
    found: dict[str, list[tuple[float, ...]]] = {}
    rng = np.random.default_rng([args.seed, 41])
    for _ in range(markets):
        graph = one_sided(*su_market(n, 0.5, rng))
        for name, way in _ways().items():
            start = time.perf_counter()
            lists = way(graph, n)
            seconds = time.perf_counter() - start
            outcome = simulate(graph, lists, rng=np.random.default_rng(args.seed), rounds=rounds)
            one = outcome.matches, effective_matches(graph, lists), retained(outcome.utility)
            found.setdefault(name, []).append((*one, outcome.people_reached(), seconds))
    measures = ("matches", "effective", "retained", "reached", "seconds")
    table = {name: dict(zip(measures, np.array(values).T, strict=True)) for name, values in found.items()}
    rows += [
        {"part": f"frontier {n}", "way": name, **{key: float(of.mean()) for key, of in values.items()}}
        for name, values in table.items()
    ]
    summary: dict[str, Any] = {}
    of_peers = {
        "sw, its authors": "matches",
        "ecda": "effective",
        "retention": "retained",
        "mret": "retained",
    }
    for peer, measure in of_peers.items():
        ours = ("welfare", "halfway", "nash", "beyond nash", "welfare, budget 2")
        best = max(ours, key=lambda name: table[name][measure].mean())
        ahead = of_groups(table[best][measure] / table[peer][measure] - 1.0, rng=np.random.default_rng(0))
        key = f"{measure}_over_{peer.partition(',')[0]}"
        summary |= {key: ahead.value, f"{key}_lo": ahead.lo, f"{key}_hi": ahead.hi, f"{key}_by": best}
    return summary | _over_nights(args, rows, small=small)


def periods(args: argparse.Namespace, rows: Rows, *, small: bool) -> dict[str, Any]:
    """Four periods of three profiles with a backlog of likes, beside DH-int: matches of everybody."""
    n, markets = (6, 2) if small else (20, args.markets)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in WAYS}
    for market in range(markets):
        chances = drawn_market(n, np.random.default_rng([args.seed, 47, market]))
        for name, way in WAYS.items():
            start = time.process_time()
            matches = play(chances, way, np.random.default_rng([args.seed, 48, market]))
            found[name].append((float(matches), time.process_time() - start))
    for name, values in found.items():
        matches, seconds = np.array(values).mean(axis=0)
        rows.append({"part": f"periods {n} x {n}", "way": name, "matches": matches, "cpu_s": seconds})
    ours, peer = (np.array(found[name])[:, 0] for name in ("allocator", "dh-int"))
    ahead = of_groups(ours / peer - 1.0, rng=np.random.default_rng(0))
    return {
        "periods_over_dh_int": ahead.value,
        "periods_over_dh_int_lo": ahead.lo,
        "periods_over_dh_int_hi": ahead.hi,
    }


def thousand(args: argparse.Namespace, rows: Rows, *, small: bool) -> dict[str, Any]:
    """Time every way once on 1,000 x 1,000 pairs, lists of 20: processor seconds.

    Nash by Sinkhorn is left out: a matrix of candidates by places for each of 2,000 lists takes 16 GB.
    """
    n = 40 if small else 1000
    p, q = su_market(n, 0.5, np.random.default_rng([args.seed, 49]), n_rows=n)
    graph, seconds = one_sided(p, q), {}
    for name, way in _ways().items():
        start = time.process_time()
        way(CandidateGraph(graph.indptr, graph.candidate, graph.p, graph.q), 20)
        seconds[name] = time.process_time() - start
    start = time.process_time()
    alternating_nash(p * q, 20, rounds=2 if small else 10)
    seconds["nash, alternating"] = time.process_time() - start
    rows += [{"part": f"{n} x {n}", "way": name, "cpu_s": cost} for name, cost in seconds.items()]
    return {f"thousand_{name.replace(', ', '_').replace(' ', '_')}_s": cost for name, cost in seconds.items()}


def _over_nights(args: argparse.Namespace, rows: Rows, *, small: bool) -> dict[str, Any]:
    """Two-sided markets without inboxes: lists rounded, and drawn from the mixture night by night.

    Beside them alternating Frank-Wolfe for Nash welfare, whose exposures are those of a mixture too.
    """
    n, markets, nights = (12, 2, 30) if small else (40, args.markets, 200)
    found: dict[str, list[tuple[float, float, float, float]]] = {}
    for market in range(markets):
        p, q = su_market(n, 0.5, np.random.default_rng([args.seed, 43, market]), n_rows=n)
        graph = both_sides(p, q)
        for peer, way in (("alternating", alternating_nash), ("sinkhorn", sinkhorn_nash)):
            sides = way(p * q, n)
            exposure = np.concatenate([sides[0].ravel(), sides[1].ravel()]).astype(np.float32)
            found.setdefault(f"nash, {peer}", []).append(_of_exposure(graph, exposure))
        for fairness, name in ((0.0, "welfare"), (1.0, "nash"), (1.5, "beyond nash")):
            config = AllocationConfig(k=n, inbox="none", fairness=fairness, epsilon=1e-4)
            rounded = allocate_graph(graph, config).ranked
            outcome = simulate(graph, rounded, inbox="none", rng=np.random.default_rng(1), rounds=nights)
            envy = envious_pairs(graph, rounded, inbox="none")
            log_welfare = float(np.log(np.maximum(outcome.utility, 1e-9)).sum())
            one = outcome.matches, float(outcome.utility.min()), float(envy), log_welfare
            found.setdefault(f"{name}, rounded", []).append(one)
            draw = MixtureDraw.of(graph, n, np.random.default_rng(0))
            exposure = frank_wolfe(MeanFieldModel(graph, config), None, draw).exposure
            drawn = config.changed(mixture=True)
            utility = np.zeros(graph.n_people)
            played_nights = 20 if name == "welfare" else nights
            for night in range(played_nights):
                rng = np.random.default_rng([market, night])
                lists = allocate_graph(graph, drawn, rng=rng).ranked
                utility += simulate(graph, lists, inbox="none", rng=rng, rounds=1).utility
            utility /= played_nights
            played = 0.5 * float(utility.sum())
            found.setdefault(f"{name}, mixture", []).append((played, *_of_exposure(graph, exposure)[1:]))
    summary: dict[str, Any] = {}
    for name, values in found.items():
        matches, least, envy, welfare = np.array(values).T
        rows.append(
            {
                "part": f"two-sided {n} x {n} over {nights} nights",
                "way": name,
                "matches": float(matches.mean()),
                "least": float(least.mean()),
                "envious": float(envy.mean()),
                "log_welfare": float(welfare.mean()),
            }
        )
        key = name.replace(", ", "_").replace(" ", "_")
        means = {"matches": matches.mean(), "least": least.mean(), "envious": envy.mean()}
        means |= {"log_welfare": welfare.mean()}
        summary |= {f"{key}_{measure}": value for measure, value in means.items()}
    return summary


def _of_exposure(graph: CandidateGraph, exposure: Float32Array) -> tuple[float, float, float, float]:
    """Return expected matches, those of the least served, envious pairs and the sum of log matches."""
    model = MeanFieldModel(graph, AllocationConfig(k=int(graph.n_people), inbox="none"))
    utility = np.asarray(model.utilities(exposure), np.float64)
    envy = float(envious_pairs(graph, exposure, inbox="none"))
    return 0.5 * float(utility.sum()), float(utility.min()), envy, float(np.log(utility).sum())
