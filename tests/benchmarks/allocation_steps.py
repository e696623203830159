"""What the steps of an allocation are worth to the judges, on the candidates of a night.

    python -m tests.benchmarks.allocation_steps --home DIR --json OUT

DIR is a home in which a night has run as far as its candidates. The lists after some numbers of steps, of the
usual length and of longer steps, and those where the night's own rule ends, with and without the edges that
no list is near, are played on the same truths drawn around the model's chances. Gains are over the lists of
forty usual steps, with 95 % intervals over truths.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import asdict
from typing import Any
from unittest.mock import patch

import numpy as np

from recsys.allocation import AllocationConfig, CandidateGraph, MemberActivity, allocate_graph, frank_wolfe
from recsys.allocation.baseline_rankings import product, random_order
from recsys.allocation.comparison import compare_lists
from recsys.allocation.rounding import RankedEdges
from recsys.data.conversations import DECIDING, at_capacity
from recsys.pipeline.allocation import activity, read_pool
from recsys.pipeline.arm_lists import allocation_config
from recsys.pipeline.attention import attention_limits
from recsys.pipeline.night import Night
from recsys.pipeline.paths import PATHS
from recsys.ranking.allocated_lists import mutual_candidate_graph
from recsys.ranking.recommend import Recommender
from recsys.settings import Settings, read_settings
from tests.benchmarks.command import Result, peak_mb, run

USUAL = "scale 2, 40 steps"
OVER_ALL = "the night's, over all edges"


def measure(args: argparse.Namespace) -> Result:
    """Make and judge the lists."""
    with chdir(args.home):
        settings = read_settings(PATHS.settings)
        graph, discounted, there = _graph(settings)
    config = allocation_config(settings)
    lists: dict[str, RankedEdges] = {
        "random": random_order(graph, config.k, np.random.default_rng(settings.seed)),
        "product": product(graph, config.k),
    }
    taken = {}
    for name, changed in _ways(config, args.scales, args.steps).items():
        rng = np.random.default_rng(settings.seed)
        after = settings.allocate.steps if name == OVER_ALL else frank_wolfe.PRUNED_AFTER
        with patch.object(frank_wolfe, "PRUNED_AFTER", after):
            found = allocate_graph(discounted, changed, activity=there, rng=rng)
        lists[name], taken[name] = found.ranked, len(found.trace) - 1
    judged = compare_lists(
        graph,
        lists,
        reference=USUAL,
        rng=np.random.default_rng(args.seed),
        look=config.look,
        inbox=config.inbox,
        activity=there,
        error=settings.allocate.error,
        draws=args.draws,
    )
    rows: list[dict[str, Any]] = [asdict(row) | {"steps": taken.get(row.name)} for row in judged]
    return Result(rows, {"edges": graph.n_edges, "peak_mb": peak_mb()})


def _ways(
    config: AllocationConfig, scales: Sequence[float], steps: Sequence[int]
) -> dict[str, AllocationConfig]:
    found = {
        f"scale {scale:g}, {n} steps": config.changed(step_scale=scale, steps=n, tolerance=0.0)
        for scale in scales
        for n in steps
    }
    found[USUAL] = config.changed(step_scale=2.0, steps=40, tolerance=0.0)
    return {**found, "the night's": config, OVER_ALL: config}


def _graph(settings: Settings) -> tuple[CandidateGraph, CandidateGraph, MemberActivity]:
    """Return the candidates of a night as edges, plain and with likes of eager people discounted."""
    night = Night.current(settings, PATHS)
    recommender, limits = Recommender(night.people, night.policy), attention_limits(night, settings.seed)
    full = at_capacity(night.people, night.events_of_types(*DECIDING))
    pool = read_pool(PATHS, night.people.ids)
    graph = mutual_candidate_graph(pool, recommender.compiled, recommender.likes, full, limits=limits)
    limits = limits.with_candidates([(graph.candidate, graph.q)])
    return graph, limits.discounted(graph), activity(settings.allocate, night.people)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home", required=True, help="a home with the candidates of a night")
    parser.add_argument("--scales", type=float, nargs="*", default=[2.0, 4.0], help="scales of steps")
    parser.add_argument("--steps", type=int, nargs="*", default=[10, 15, 20, 25, 40], help="numbers of them")
    parser.add_argument("--draws", type=int, default=6, help="truths to play (default 6)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    return run("allocation_steps", measure, about=__doc__ or "", argv=argv, arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
