"""Other people's interaction data through the public door, every model beside random and popularity.

Pairs that were looked at are scored; on the real logs of the data folder, lists of people nobody has met are
made too (`recsys.recommend` with its defaults), whole rankings of everybody unseen. `hybrid_p_mutual` is the
hybrid with lists by P(both like | look) alone, without who comes across whom.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from recsys.evaluation import as_lists, compare, mutual_labels
from recsys.models import (
    BPR,
    EASE,
    LFRR,
    CollaborativeModel,
    ContentModel,
    CrossedEffects,
    HybridModel,
    ItemKNN,
    JointALS,
    OneSidedALS,
    PopularityModel,
    RandomModel,
)
from recsys.models.base import Model
from recsys.ranking.recommend import recommend
from tests.benchmarks.command import Result, run
from tests.benchmarks.foreign_logs import LOGS, Log
from tests.benchmarks.real_logs import REAL_LOGS, real_logs
from tests.datasets import data_folder

MODELS = (
    RandomModel,
    PopularityModel,
    CrossedEffects,
    OneSidedALS,
    LFRR,
    EASE,
    ItemKNN,
    BPR,
    JointALS,
    CollaborativeModel,
    HybridModel,
)
PAIR = ["viewer_id", "candidate_id"]


def measure(args: argparse.Namespace) -> Result:
    rows: list[dict[str, object]] = []
    there = [*LOGS, *real_logs()]
    wanted = args.logs or there
    if absent := sorted({*wanted} - {*there}):
        raise SystemExit(f"not in the data folder: {', '.join(absent)}")
    for name, made in LOGS.items():
        if name not in wanted:
            continue
        if name == "speed_dating" and not (data_folder() / name).is_dir():
            continue
        rows += _judged(name, made(args.people or 1000, np.random.default_rng(args.seed)), args)
    for name, made_of in real_logs().items():
        if name in wanted:
            rows += _judged(name, made_of(np.random.default_rng(args.seed)), args, with_lists=True)
    summary = {f"{r['log']}_{r['metric']}_{r['model']}": r["value"] for r in rows}
    best = [r for r in rows if r["model"] == "hybrid" and r["metric"] == "auc"]
    summary |= {f"{r['log']}_auc_hybrid_{end}": r[end] for r in best for end in ("lo", "hi")}
    return Result(rows, summary, ("more: how much a model exceeds popularity, paired, with its interval.",))


def _judged(
    name: str, log: Log, args: argparse.Namespace, *, with_lists: bool = False
) -> list[dict[str, object]]:
    scored, seconds, lists = {}, {}, {}
    for kind in (*MODELS, *((ContentModel,) if log.blocks else ())):
        start = time.perf_counter()
        reads = issubclass(kind, ContentModel | HybridModel) and bool(log.blocks)
        model = (kind(blocks=log.blocks) if reads else kind()).fit(
            log.past.people, log.past.events, rng=np.random.default_rng(args.seed)
        )
        seconds[kind.name] = time.perf_counter() - start
        scored[kind.name] = model.score_pairs(log.truth[PAIR], known=log.known)
        if with_lists:
            lists |= _lists(model, log)
    judged = bool(log.truth["label"].min() < log.truth["label"].max())
    tables = [_compared(scored, log.truth, "p_like", args, ("auc", "ece", "ndcg@5"))] if judged else []
    if log.known is not None:
        tables.append(_answers_compared(scored, log, args))
    if lists:
        tables.append(_lists_compared(lists, log, args))
    if log.mutual and judged:
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


def _answers_compared(scored: dict[str, pd.DataFrame], log: Log, args: argparse.Namespace) -> pd.DataFrame:
    """Return the AUC of an answer to somebody who had said what they think, given that."""
    back = log.known[PAIR].set_axis(PAIR[::-1], axis=1) if log.known is not None else log.truth[PAIR]
    answered = {name: pairs.merge(back, on=PAIR) for name, pairs in scored.items()}
    table = _compared(answered, log.truth.merge(back, on=PAIR), "p_answer", args, ("auc",))
    return table.assign(metric="answer_" + table["metric"])


def _wanted(log: Log) -> pd.DataFrame:
    """Return the held-out pairs a list should hold: those who like each other, or the likes of one side."""
    pairs = mutual_labels(log.truth) if log.mutual else log.truth
    return pairs[pairs["label"] == 1].reset_index(drop=True)


def _lists(model: Model, log: Log) -> dict[str, pd.DataFrame]:
    seen, viewers = log.past.seen, _wanted(log)["viewer_id"].unique()
    if log.mutual:
        seen = pd.concat([seen, seen.set_axis(PAIR[::-1], axis=1)])
    orders = {model.name: "mutual"} | ({"hybrid_p_mutual": "p_mutual"} if model.name == "hybrid" else {})
    return {
        name: recommend(model, log.past.people, log.past.policy, viewers, k=10, by=by, exclude=seen)
        for name, by in orders.items()
    }


def _lists_compared(lists: dict[str, pd.DataFrame], log: Log, args: argparse.Namespace) -> pd.DataFrame:
    with warnings.catch_warnings():  # every model is in the same order, whatever the log's truth counts
        warnings.filterwarnings("ignore", message="the truth counts what viewers like")
        table = compare(
            lists, _wanted(log), against="popularity", k=(10,), n_resamples=args.resamples, probability=""
        )
    kept = table[table["metric"].isin(["ndcg@10", "coverage", "exposure_gini"])]
    return kept.assign(metric="lists_" + kept["metric"]).sort_values(["metric", "model"], kind="stable")


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


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--resamples", type=int, default=200, help="for intervals")
    parser.add_argument("--logs", nargs="+", help="judge only these", choices=[*LOGS, *REAL_LOGS])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    return run(
        "interactions",
        measure,
        about=str(__doc__),
        argv=argv,
        arguments=_arguments,
    )


if __name__ == "__main__":
    sys.exit(main())
