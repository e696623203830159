"""Other people's interaction data through the public door, every model beside random and popularity."""

import argparse
import sys
import time
from collections.abc import Sequence

import numpy as np
import pandas as pd

from recsys.evaluation import as_lists, compare, mutual_labels
from recsys.models.baselines import LFRR, OneSidedALS, RandomModel
from recsys.models.collaborative import CollaborativeModel
from recsys.models.hybrid import HybridModel
from recsys.models.popularity import PopularityModel
from tests.benchmarks.command import Result, run
from tests.benchmarks.foreign_logs import LOGS, Log
from tests.datasets import data_folder

MODELS = (RandomModel, PopularityModel, OneSidedALS, LFRR, CollaborativeModel, HybridModel)
PAIR = ["viewer_id", "candidate_id"]


def measure(args: argparse.Namespace) -> Result:
    rows: list[dict[str, object]] = []
    for name, made in LOGS.items():
        if name == "speed_dating" and not (data_folder() / name).is_dir():
            continue
        rows += _judged(name, made(args.people or 1000, np.random.default_rng(args.seed)), args)
    summary = {f"{r['log']}_{r['metric']}_{r['model']}": r["value"] for r in rows}
    best = [r for r in rows if r["model"] == "hybrid" and r["metric"] == "auc"]
    summary |= {f"{r['log']}_auc_hybrid_{end}": r[end] for r in best for end in ("lo", "hi")}
    return Result(rows, summary, ("more: how much a model exceeds popularity, paired, with its interval.",))


def _judged(name: str, log: Log, args: argparse.Namespace) -> list[dict[str, object]]:
    scored, seconds = {}, {}
    for kind in MODELS:
        start = time.perf_counter()
        model = kind().fit(log.past.people, log.past.events, rng=np.random.default_rng(args.seed))
        seconds[kind.name] = time.perf_counter() - start
        scored[kind.name] = model.score_pairs(log.truth[PAIR])
    tables = [_compared(scored, log.truth, "p_like", args, ("auc", "ece", "ndcg@5"))]
    if log.mutual:
        both = mutual_labels(log.truth)
        kept = {model: table.merge(both[PAIR], on=PAIR) for model, table in scored.items()}
        mutual = _compared(kept, both, "p_mutual", args, ("auc", "ndcg@5"))
        tables.append(mutual.assign(metric="mutual_" + mutual["metric"]))
    table = pd.concat(tables)
    named = table.assign(
        log=name, metric=table["metric"].str.replace("@", ""), seconds=table["model"].map(seconds)
    )
    columns = [
        "log",
        "metric",
        "model",
        "value",
        "lo",
        "hi",
        "random",
        "more",
        "more_lo",
        "more_hi",
        "seconds",
    ]
    return named[columns].to_dict("records")


def _compared(
    scored: dict[str, pd.DataFrame],
    truth: pd.DataFrame,
    by: str,
    args: argparse.Namespace,
    metrics: Sequence[str],
) -> pd.DataFrame:
    table = compare(
        {name: as_lists(pairs, by) for name, pairs in scored.items()},
        truth,
        against="popularity",
        k=(5,),
        probability=by,
        n_resamples=args.resamples,
    )
    return table[table["metric"].isin(metrics)].sort_values(["metric", "model"], kind="stable")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    return run(
        "interactions",
        measure,
        about=str(__doc__),
        argv=argv,
        arguments=lambda p: p.add_argument("--resamples", type=int, default=200, help="for intervals"),
    )


if __name__ == "__main__":
    sys.exit(main())
