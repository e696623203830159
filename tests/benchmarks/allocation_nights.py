"""Many nights in the synthetic town: lists by the allocator against lists by mutual probability.

`python -m tests.benchmarks.allocation_nights [--people N] [--nights N] [--towns N]
[--busy LOGITS] [--leaves CHANCE] [--json OUT]`

Every policy lives through the same nights in its own copy of each town, under the same luck. By
default the market is dense (one prefecture) and the probabilities come from a model that learns from
the town's events; `--scores oracle --noise S` takes the hidden truth with S logits of noise.
Intervals: Student t between towns (people drawn again when there are fewer than three).
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from recsys.allocation.allocate import graph_from_lists
from recsys.catalogue.columns import Columns as C
from recsys.simulation.policies import ListPolicy, NightsConfig, list_policy
from recsys.simulation.policy_nights import play_nights
from recsys.simulation.policy_summary import NightsSummary, summarise
from recsys.simulation.settings import FunnelSettings, town_settings
from recsys.simulation.town import make_town
from tests.benchmarks.allocation_peers import retention
from tests.benchmarks.command import Result, peak_mb, run

POLICIES = ("product", "welfare", "nash", "random")
RETENTION = "retention"
REACHED, LASTING = "someone", "lasting_per_1000"


def figures(people: int = 1000, nights: int = 30, seed: int = 0, *, towns: int = 4) -> Mapping[str, Any]:
    """Return the gains of the allocator over product: lasting matches and people with someone.

    `nights_*` are those of Nash, `nights_welfare_*` those of welfare, `nights_retention_*` those of lists by
    what a match adds to the stay of both.
    """
    return gains(played(people, NightsConfig(nights=nights, policies=POLICIES[:3], refit=0), seed, towns))


def gains(summary: NightsSummary) -> dict[str, Any]:
    """Return the summary keys `nights_*` of a benchmark."""
    found: dict[str, Any] = {}
    of_start = {"nights": "nash", "nights_welfare": "welfare", "nights_retention": RETENTION}
    for start, policy in of_start.items():
        if policy not in set(summary.gains["policy"]):
            continue
        for key, measure in ((f"{start}_matches_gain", LASTING), (f"{start}_reached_gain", REACHED)):
            line = summary.gain(policy, measure)
            found |= {key: line["value"], f"{key}_lo": line["lo"], f"{key}_hi": line["hi"]}
    return found


def played(
    people: int,
    config: NightsConfig,
    seed: int,
    towns: int,
    prefectures: Sequence[str] = ("tokyo",),
    funnel: Mapping[str, float] | None = None,
) -> NightsSummary:
    """Play the nights in towns of seeds `seed`, `seed + 1`, ... and sum them up; funnel: its settings."""
    settings = town_settings({"people": {"prefectures": list(prefectures)}, "funnel": dict(funnel or {})})
    outcomes = []
    for number in range(seed, seed + towns):
        rng = np.random.default_rng(number)
        town = make_town(people, rng, settings=settings, nights_ahead=config.nights)
        ways = {name: list_policy(name, config, town.settings.funnel) for name in config.policies}
        ways |= {RETENTION: retention_lists(config.k, town.settings.funnel)}
        outcomes.append(play_nights(town, config, seed=number, policies=ways))
    return summarise(outcomes, rng=np.random.default_rng(seed))


def retention_lists(k: int, funnel: FunnelSettings) -> ListPolicy:
    """Return the policy of the peer whose objective is who stays: 1 - exp(-matches) of each person."""

    def lists(pool: pd.DataFrame, _: pd.Series, __: np.random.Generator) -> pd.DataFrame:
        graph, ids = graph_from_lists(pool)
        ranked = retention(graph, k, look=funnel.look_decay)
        viewer = np.repeat(np.arange(graph.n_people), np.diff(ranked.indptr))
        candidate = graph.candidate[ranked.edge]
        return pd.DataFrame({C.VIEWER: ids[viewer], C.CANDIDATE: ids[candidate], C.RANK: ranked.place})

    return lists


def measure(args: argparse.Namespace) -> Result:
    """Play, and return one row a policy and measure."""
    begin = time.perf_counter()
    config = NightsConfig(
        nights=args.nights, policies=POLICIES, k=args.k, scores=args.scores, noise=args.noise,
        refit=args.refit,
    )  # fmt: skip
    places = [name for name in args.prefectures.split(",") if name]
    funnel = {"busy": args.busy, "leaves_a_night": args.leaves}
    summary = played(args.people or 1000, config, args.seed, args.towns, places, funnel)
    rows = [
        _row(summary, name, measure)
        for measure in summary.measures["measure"].unique()
        for name in (*POLICIES, RETENTION)
    ]
    cost = {"seconds": time.perf_counter() - begin, "peak_mb": peak_mb()}
    about = {name: summary.about[name] for name in ("n_towns", "n_members", "nights", "forbidden")}
    note = f"{summary.about['interval']}: what the intervals are over; gains are shares of product's value."
    return Result(rows, gains(summary) | about | cost, [note])


def _row(summary: NightsSummary, policy: str, measure: str) -> dict[str, Any]:
    value, gain = summary.value(policy, measure), summary.gain(policy, measure)
    row = {"measure": measure, "policy": policy, **value.to_dict()}
    return row | {"gain": gain["value"], "gain_lo": gain["lo"], "gain_hi": gain["hi"]}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--towns", type=int, default=4, help="each with a seed of its own")
    parser.add_argument("--scores", default="hybrid", help="hybrid, content, popularity or oracle")
    parser.add_argument("--noise", type=float, default=0.0, help="logits, with the oracle")
    parser.add_argument("--refit", type=int, default=15, help="nights between fits, 0 for one fit")
    parser.add_argument("--k", type=int, default=10, help="people in a list")
    parser.add_argument(
        "--busy",
        type=float,
        default=0.0,
        help="logits off a like a conversation (default 0: no history effect)",
    )
    parser.add_argument(
        "--leaves", type=float, default=0.0, help="chance a night that somebody in no conversation leaves"
    )
    parser.add_argument("--prefectures", default="tokyo", help="where people live; empty for everywhere")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    about = "Many nights in the synthetic town: the allocator against mutual probability."
    return run("allocation_nights", measure, about=about, argv=argv, arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
