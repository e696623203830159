"""The allocator beside its peers, on the markets of the literature and at the size of a country.

`python -m tests.benchmarks.allocation` takes some minutes; `--scale 10000 100000 1000000` times those
sizes (100 candidates each at 100,000, else 50; a million takes some 8 GB), `--nights 30` adds nights
of a town.

Every figure of matches comes from a Monte-Carlo judge that shares no code with the allocator. Intervals
are over markets. Seconds are wall time with `--workers` threads (2 by default).
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from recsys.allocation import AllocationConfig, CandidateGraph, allocate_graph
from recsys.allocation.baseline_rankings import harmonic, minimum, naive, product, random_order
from recsys.allocation.envy import envious_pairs
from recsys.allocation.frank_wolfe import frank_wolfe, step_towards
from recsys.allocation.graph import make_inbox
from recsys.allocation.objective import MeanFieldModel
from recsys.allocation.rounding import RankedEdges
from recsys.allocation.simulator import simulate
from recsys.data.examination import Decay, Examination
from recsys.evaluation.bootstrap import Interval, of_groups
from tests.benchmarks.allocation_ascent import best_of_starts, seconds_of_lp
from tests.benchmarks.allocation_baselines import fair_exposure, greedy_budget, transferable_utility
from tests.benchmarks.allocation_frontier import frontier, periods, thousand
from tests.benchmarks.allocation_graphs import both_sides, one_sided, su_market, town
from tests.benchmarks.allocation_peers import social_welfare
from tests.benchmarks.command import Result, peak_mb, run

SETTINGS: Mapping[str, tuple[int, float, Decay]] = {
    "su_n100_l50_inv": (100, 0.5, 1.0),
    "su_n100_l100_inv": (100, 1.0, 1.0),
    "su_n100_l50_exp": (100, 0.5, "exponential"),
    "su_n200_l50_inv": (200, 0.5, 1.0),
}
DEGREES = {10_000: 50, 100_000: 100, 1_000_000: 50}
Rows = list[dict[str, Any]]


def measure(args: argparse.Namespace) -> Result:
    """Run every part that was asked for."""
    rows: Rows = []
    summary: dict[str, Any] = {}
    allocate_graph(town(200, 10, np.random.default_rng(0)), AllocationConfig(workers=args.workers))
    small = args.people is not None
    parts = {
        "su": _su,
        "frontier": frontier,
        "periods": periods,
        "thousand": thousand,
        "noise": _noise,
        "optimum": _optimum,
        "budget": _budgets,
        "fairness": _fairness,
    }
    for name in args.parts:
        summary |= parts[name](args, rows, small=small)
    for n_people in args.scale if not small else [args.people]:
        summary |= _scale(n_people, args, rows)
    if args.nights:
        from tests.benchmarks.allocation_nights import figures

        summary |= figures(min(args.people or 1000, 1000), args.nights, args.seed)  # a minute and more a town
    summary["peak_mb"] = peak_mb()
    return Result(rows, summary)


def _peers(
    look: Decay, rng: np.random.Generator
) -> Mapping[str, Callable[[CandidateGraph, int], RankedEdges]]:
    return {
        "random": lambda graph, k: random_order(graph, k, rng),
        "naive": naive,
        "product": product,
        "harmonic": harmonic,
        "min": minimum,
        "tu": transferable_utility,
        "greedy": lambda graph, k: greedy_budget(graph, k, budget=2.0, look=look),
        "fair": lambda graph, k: fair_exposure(graph, k, look=look),
        "sw, its authors": lambda graph, k: social_welfare(graph, k, look=look, inbox=look),
    }


def _su(args: argparse.Namespace, rows: Rows, *, small: bool) -> dict[str, Any]:
    """The four settings of Su, Bayoumi and Joachims: matches of everybody, mean over markets."""
    summary: dict[str, Any] = {}
    markets, rounds = (3, 30) if small else (args.markets, 200)
    for key, (n, crowd, read) in SETTINGS.items():
        rng = np.random.default_rng([args.seed, n, int(100 * crowd), read == "exponential"])
        found: dict[str, list[tuple[float, float, float, float]]] = {}
        for _ in range(markets):
            graph = one_sided(*su_market(n // 5 if small else n, crowd, rng))
            for name, lists, seconds in _lists(graph, read, rng, args.workers):
                outcome = simulate(graph, lists, look=read, inbox=read, rng=rng, rounds=rounds)
                jobs = np.bincount(graph.candidate, minlength=graph.n_people) > 0
                one = (outcome.matches, outcome.people_reached(), outcome.exposure_gini(jobs), seconds)
                found.setdefault(name, []).append(one)
        for name, values in found.items():
            matches, reached, gini, seconds = np.array(values).T
            mean = of_groups(matches, rng=np.random.default_rng(args.seed))
            rows.append(
                {
                    "part": key,
                    "way": name,
                    "matches": mean.value,
                    "lo": mean.lo,
                    "hi": mean.hi,
                    "reached": reached.mean(),
                    "gini": gini.mean(),
                    "seconds": seconds.mean(),
                }
            )
            if name == "welfare":
                summary |= {key: mean.value, f"{key}_lo": mean.lo, f"{key}_hi": mean.hi}
                summary[f"{key}_seconds"] = float(seconds.max())
            if name in ("random", "naive", "product", "tu", "sw, its authors"):
                summary[f"{key}_{name.partition(chr(44))[0]}"] = mean.value
    return summary


def _lists(
    graph: CandidateGraph, read: Decay, rng: np.random.Generator, workers: int
) -> Iterator[tuple[str, RankedEdges, float]]:
    k = int(np.diff(graph.indptr).max())
    ways = dict(_peers(read, rng))
    for fairness, name in ((0.0, "welfare"), (0.5, "halfway"), (1.0, "nash")):
        config = AllocationConfig(k=k, look=read, inbox=read, fairness=fairness, workers=workers)
        ways[name] = lambda graph, _, config=config: allocate_graph(graph, config).ranked
    for name, way in ways.items():
        fresh = CandidateGraph(graph.indptr, graph.candidate, graph.p, graph.q)  # its layout is timed too
        start = time.perf_counter()
        lists = way(fresh, k)
        yield name, lists, time.perf_counter() - start


def _noise(args: argparse.Namespace, rows: Rows, *, small: bool) -> dict[str, Any]:
    """Lists made from noisy chances, judged on the true ones: gain over product from the same noise."""
    n, markets, rounds = (40, 3, 30) if small else (200, args.markets, 100)
    gains: dict[float, list[float]] = {0.0: [], 0.5: [], 1.0: [], 2.0: []}
    rng = np.random.default_rng([args.seed, 7])
    for _ in range(markets):
        truth = su_market(n, 0.5, rng)
        graph = one_sided(*truth)
        for noise, found in gains.items():
            noisy = one_sided(*(_noisy(chance, noise, rng) for chance in truth))
            ours = allocate_graph(noisy, AllocationConfig(k=n, workers=args.workers)).ranked
            one, other = (
                simulate(graph, lists, rng=rng, rounds=rounds).matches for lists in (ours, product(noisy, n))
            )
            found.append(one / other - 1.0)
    summary = {}
    for noise, found in gains.items():
        gain = of_groups(found, rng=np.random.default_rng(args.seed))
        rows.append({"part": f"noise {noise}", "way": "welfare over product"} | _interval("gain", gain))
        summary |= _interval(f"noise{noise:g}_gain".replace(".", "_"), gain)
    return summary


def _noisy(chance: Any, noise: float, rng: np.random.Generator) -> Any:
    safe = np.clip(chance, 1e-4, 1 - 1e-4)
    logit = np.log(safe / (1 - safe)) + noise * rng.standard_normal(chance.shape)
    return 1.0 / (1.0 + np.exp(-logit))


def _optimum(args: argparse.Namespace, rows: Rows, *, small: bool) -> dict[str, Any]:
    """30 x 20: beside projected ascent from many starts, and a linear program for each linear step."""
    rng = np.random.default_rng([args.seed, 30])
    position_weights = Examination.of(1.0).at(np.arange(1, 21))
    p, q = su_market(20, 0.5, rng)
    graph = one_sided(p, q)
    config = AllocationConfig(k=20, steps=400)
    model = MeanFieldModel(graph, config)
    ours = float(frank_wolfe(model).trace.max())
    general = best_of_starts(
        graph, position_weights, rng, starts=2 if small else 8, steps=60 if small else 600
    )
    exposure = np.zeros(graph.n_edges, np.float32)
    gain = model.gain(exposure, model.utilities(exposure)).copy()
    taken, always = position_weights.astype(np.float32), np.ones(50, np.float32)
    start = time.perf_counter()
    for _ in range(100):
        step_towards(
            0, 30, graph.indptr, graph.candidate, graph.p, np.zeros(50), gain, taken, always, 1.0, exposure
        )
    sort = (time.perf_counter() - start) / 100
    lp, value = seconds_of_lp(gain.reshape(30, 20).astype(np.float64), position_weights)
    rows += [
        {"part": "30 x 20", "way": "Frank-Wolfe", "objective": ours, "seconds": sort},
        {"part": "30 x 20", "way": "projected ascent, best start", "objective": general},
        {"part": "30 x 20", "way": "linear program for one step", "seconds": lp},
    ]
    return {
        "optimum_share": ours / general,
        "linear_step_agrees": bool(np.isclose(value, float(exposure @ gain), rtol=1e-5)),
        "linear_step_speedup": lp / sort,
    }


def _budgets(args: argparse.Namespace, rows: Rows, *, small: bool) -> dict[str, Any]:
    """Caps on the likes people expect: matches kept, and how many caps are broken."""
    n = 20 if small else 100
    graph = one_sided(*su_market(n, 0.5, np.random.default_rng([args.seed, 5])))
    free = allocate_graph(graph, AllocationConfig(k=n, workers=args.workers)).ranked
    broken = 0
    for budget in (1.0, 2.0, 4.0):
        config = AllocationConfig(k=n, budget=budget, workers=args.workers)
        ways = {
            "no budget": free,
            "allocator": allocate_graph(graph, config).ranked,
            "greedy": greedy_budget(graph, n, budget=budget),
        }
        for name, lists in ways.items():
            outcome = simulate(graph, lists, rng=np.random.default_rng(args.seed), rounds=100)
            over = outcome.budget_violations(budget)
            broken += over if name == "allocator" else 0
            rows.append(
                {"part": f"budget {budget:g}", "way": name, "matches": outcome.matches, "violations": over}
            )
    return {"budget_violations": broken}


def _fairness(args: argparse.Namespace, rows: Rows, *, small: bool) -> dict[str, Any]:
    """Two-sided lists of a crowded market: matches kept by Nash, and envious pairs."""
    n = 60 if small else args.side
    rng = np.random.default_rng([args.seed, 1000])
    graph = both_sides(*su_market(n, 0.5, rng, n_rows=n))
    found: dict[str, tuple[float, int]] = {}
    for name in ("naive", "product", "welfare", "halfway", "nash"):
        start = time.perf_counter()
        if name in ("naive", "product"):
            lists = {"naive": naive, "product": product}[name](graph, n)
        else:
            fairness = {"welfare": 0.0, "halfway": 0.5, "nash": 1.0}[name]
            config = AllocationConfig(k=n, inbox="none", fairness=fairness, workers=args.workers)
            lists = allocate_graph(graph, config).ranked
        seconds = time.perf_counter() - start
        outcome = simulate(graph, lists, inbox="none", rng=np.random.default_rng(args.seed), rounds=20)
        found[name] = outcome.matches, envious_pairs(graph, lists, inbox="none")
        rows.append(
            {
                "part": f"two-sided {n} x {n}",
                "way": name,
                "matches": outcome.matches,
                "reached": outcome.people_reached(),
                "gini": outcome.exposure_gini(),
                "envious": found[name][1],
                "seconds": seconds,
            }
        )
    return {
        "nash_share": found["nash"][0] / found["welfare"][0],
        "envy_ratio": found["nash"][1] / max(found["naive"][1], 1),
        "welfare_envy_ratio": found["welfare"][1] / max(found["naive"][1], 1),
    }


def _scale(n_people: int, args: argparse.Namespace, rows: Rows) -> dict[str, Any]:
    """The whole allocation of a town: layout by receiver, steps, lists."""
    degree = DEGREES.get(n_people, 50)
    graph = town(n_people, degree, np.random.default_rng(args.seed))
    config = AllocationConfig(k=20, steps=args.steps, workers=args.workers)
    start, cpu = time.perf_counter(), time.process_time()
    make_inbox(graph, args.workers)
    build_inbox = time.perf_counter() - start
    start = time.perf_counter()
    found = allocate_graph(graph, config)
    seconds = time.perf_counter() - start
    cpu = time.process_time() - cpu
    start_matches = 0.5 * float(found.trace[0])
    rows.append(
        {
            "part": f"{n_people} x {degree}",
            "way": "welfare",
            "matches": found.matches,
            "over_product": found.matches / start_matches - 1.0,
            "seconds": seconds,
            "layout_s": build_inbox,
            "cpu_s": cpu,
            "ns_per_edge_step": cpu * 1e9 / graph.n_edges / args.steps,
            "peak_mb": peak_mb(),
        }
    )
    name = f"seconds_{_short(n_people)}x{degree}"
    return {name: seconds, f"{name}_ns_per_edge_step": rows[-1]["ns_per_edge_step"]}


def _short(n: int) -> str:
    power = int(np.log10(n)) if n > 0 else 0
    return f"1e{power}" if n == 10**power else str(n)


def _interval(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.value, f"{name}_lo": interval.lo, f"{name}_hi": interval.hi}


def _arguments(parser: argparse.ArgumentParser) -> None:
    known = ("su", "frontier", "periods", "thousand", "noise", "optimum", "budget", "fairness")
    parser.add_argument("--parts", nargs="*", choices=known, default=known, help="what to run (default all)")
    parser.add_argument("--markets", type=int, default=12, help="markets a setting (default 12)")
    parser.add_argument("--side", type=int, default=1000, help="people a side for envy (default 1000)")
    parser.add_argument(
        "--scale", type=int, nargs="*", default=[10_000], metavar="N", help="sizes to time (default 10000)"
    )
    parser.add_argument(
        "--steps", type=int, default=15, help="steps at these sizes: 15 keep 99.9 %% of the matches of 60"
    )
    parser.add_argument("--nights", type=int, default=0, help="simulated nights of a town (default none)")
    parser.add_argument("--workers", type=int, default=2, help="threads (default 2)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    about = "Lists for everybody together beside seven other ways, fairness, optimum and size."
    return run("allocation", measure, about=about, argv=argv, arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
