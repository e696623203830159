"""Lists of later likes where people come and leave: the hybrid beside other models, by defaults.

Two kinds of made-up logs with times, four of each: jobs that are open for a month, and newcomers every week
among whom the liked are looked at the more. Learned from the first four fifths, judged by the likes of the
last of people not met before (`recommend(by="like")`): NDCG at 10 over viewers, with intervals over them
(bootstrap, 95 %), paired where the hybrid is compared with another.
"""

import argparse
import sys
import warnings
from collections.abc import Sequence

import numpy as np

from recsys.models import EASE, HybridModel, ItemKNN, OneSidedALS, PopularityModel, RandomModel
from recsys.ranking.recommend import recommend
from tests.benchmarks.command import Result, run
from tests.models.changing_logs import later_likes, most_liked, ndcg_of, newcomers_every_week, openings

MODELS = (RandomModel, PopularityModel, OneSidedALS, EASE, ItemKNN, HybridModel)
LATE = {"likes of the last quarter": 0.25, "likes of the last tenth": 0.1}
RESAMPLES = 2000


def measure(args: argparse.Namespace) -> Result:
    """Make the logs, fit, list, count."""
    people = args.people or 1200
    kinds = {
        "jobs": lambda seed: openings(seed, people, people // 4),
        "newcomers": lambda seed: newcomers_every_week(seed, people),
    }
    rng, rows, summary = np.random.default_rng(args.seed), [], {}
    for name, made in kinds.items():
        gains: dict[str, list[float]] = {}
        for seed in range(args.seed + 1, args.seed + 1 + args.logs):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                past, later = made(seed).split(0.8)
                likes = later_likes(past, later)
                for kind in MODELS:
                    model = kind().fit(past.people, past.events, rng=np.random.default_rng(seed))
                    lists = recommend(
                        model, past.people, past.policy, [*likes.index], k=10, exclude=past.seen, by="like"
                    )
                    gains.setdefault(kind.name, []).extend(ndcg_of(lists, likes))
            for late, share in LATE.items():
                gains.setdefault(late, []).extend(ndcg_of(most_liked(past, share, likes.index), likes))
        hybrid = np.array(gains["hybrid"])
        drawn = rng.multinomial(len(hybrid), np.full(len(hybrid), 1.0 / len(hybrid)), RESAMPLES) / len(hybrid)
        for model, found in gains.items():
            one = {"log": name, "model": model, "viewers": len(found), "ndcg10": float(np.mean(found))}
            for column, values in (("", np.array(found)), ("hybrid_more_", hybrid - found)):
                lo, hi = np.quantile(drawn @ values, [0.025, 0.975])
                one |= {f"{column}lo": float(lo), f"{column}hi": float(hi)}
            rows.append(one)
            summary[f"{name}_{model}".replace(" ", "_")] = one["ndcg10"]
    return Result(rows, summary)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""

    def arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--logs", type=int, default=4, help="logs of each kind (default 4)")

    return run("later_likes", measure, about=str(__doc__), argv=argv, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
