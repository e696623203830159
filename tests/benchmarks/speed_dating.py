"""Real people who met for four minutes: who matched, judged cold and warm.

`python -m tests.benchmarks.speed_dating --protocol cold|warm|both`

Cold leaves one evening out and ranks people nobody knew; warm leaves meetings out and knows what people
said of others. The people were students in one city in 2002 to 2004, and no study has predicted the
quality of a relation from two sign-up forms: the figures say how well two forms predict who would like
to meet again, and nothing else.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from recsys.evaluation import Interval
from tests.benchmarks.command import Result, run
from tests.benchmarks.dating import cold, warm
from tests.benchmarks.dating.form import Evening
from tests.benchmarks.dating.judge import Judgement, judge

PROTOCOLS = ("cold", "warm", "both")


def measure(args: argparse.Namespace) -> Result:
    """Run the protocols asked for."""
    evening = Evening.load(args.people)
    summary: dict[str, Any] = {"people": len(evening.people), "meetings": len(evening.data.pairs)}
    parts = [
        *([_cold(evening, args)] if args.protocol in ("cold", "both") else []),
        *([_warm(evening, args)] if args.protocol in ("warm", "both") else []),
    ]
    for part in parts:
        summary |= part.summary
    rows = [row for part in parts for row in part.rows]
    return Result(rows, summary, [note for part in parts for note in part.notes])


def _warm(evening: Evening, args: argparse.Namespace) -> Result:
    return warm.measure(evening, args.seed, repeats=args.repeats, progress=args.progress)


def _cold(evening: Evening, args: argparse.Namespace) -> Result:
    scores, chosen = cold.cold_scores(evening, args.seed, progress=args.progress)
    rng = np.random.default_rng(args.seed)
    found = judge(evening.data.pairs, scores, rng=rng, n_resamples=args.resamples)
    summary = {
        **_named("cold_auc", found.interval(cold.CONTENT, "auc")),
        **_named("cold_wave_auc", found.interval(cold.CONTENT, "wave_auc")),
        **_named("cold_ndcg5", found.interval(cold.CONTENT, "ndcg5")),
        **_named("random_ndcg5", found.interval(cold.RANDOM, "ndcg5")),
        **_named("agegap_ndcg5", found.interval(cold.AGE, "ndcg5")),
        **_named("cold_over_random_ndcg5", found.difference(cold.CONTENT, cold.RANDOM, "ndcg5")),
        **_named("cold_over_agegap_ndcg5", found.difference(cold.CONTENT, cold.AGE, "ndcg5")),
        "cold_viewers": found.n_viewers,
    }
    rows = [{"protocol": "cold", **found.row(model)} for model in scores]
    return Result(rows, summary, [_verdict(found), _choices(chosen)])


def _named(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.value, f"{name}_lo": interval.lo, f"{name}_hi": interval.hi}


def _verdict(found: Judgement) -> str:
    lines = ["NDCG@5 of content, paired, with 95 % intervals over people on both sides:"]
    for other in (cold.RANDOM, cold.AGE):
        more = found.difference(cold.CONTENT, other, "ndcg5")
        lines.append(f"  over {other:10} {more.value:+.3f}  [{more.lo:+.3f}, {more.hi:+.3f}]")
    return "\n".join(lines)


def _choices(chosen: Sequence[str]) -> str:
    distinct, count = np.unique(list(chosen), return_counts=True)
    return "\n".join(["Chosen inside the training waves:", *map("  {} waves: {}".format, count, distinct)])


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--protocol", choices=PROTOCOLS, default="cold", help="which to run (default cold)")
    parser.add_argument("--resamples", type=int, default=1000, help="of people, for the intervals")
    parser.add_argument("--repeats", type=int, default=3, help="of the warm protocol's folds")
    parser.add_argument("--progress", action=argparse.BooleanOptionalAction, default=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    about = "Cold and warm protocols on the Columbia speed-dating data."
    return run("speed_dating", measure, about=about, argv=argv, data="speed_dating", arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
