"""Every model side by side, on the synthetic town and on real people who met for four minutes.

`python -m tests.benchmarks.models [--people N] [--json OUT]`

Town: models learn from everything before a night. They are judged by pairs that the rules allow and that
were never shown, and by whether both would like each other, drawn from the town's hidden taste after the
night; `like_error` is the calibration error of P(like | look) against that taste. Speed dating: a fifth of
the meetings is left out, both directions together, five times.
By default 6,000 people, some minutes; fewer make wide intervals, `--people 20000` narrows them;
`--train-people 100000 --train-events 5000000` also times training on that much, one fit at 64 factors.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.evaluation import as_lists, auc, ece, pair_folds
from recsys.evaluation.bootstrap import bootstrap
from recsys.evaluation.compare import compare
from recsys.evaluation.probability import Auc
from recsys.models.base import Model
from recsys.models.baselines import LFRR, RCF, RECON, OneSidedALS, RandomModel
from recsys.models.collaborative import CollaborativeModel
from recsys.models.content import ContentModel
from recsys.models.hybrid import HybridConfig, HybridModel
from recsys.models.popularity import PopularityModel
from tests.benchmarks.command import Result, peak_mb, run
from tests.benchmarks.coverage import error_of_known
from tests.benchmarks.town_after import TownAfter
from tests.benchmarks.training import fold_in_ms, timed_training
from tests.datasets import data_folder

MODELS: Mapping[str, tuple[Callable[[], Model], str]] = {
    "random": (RandomModel, "product"),
    "popularity": (PopularityModel, "product"),
    "one_sided_als": (OneSidedALS, "one side"),
    "recon": (RECON, "harmonic"),
    "rcf": (RCF, "harmonic"),
    "lfrr": (LFRR, "harmonic"),
    "content": (ContentModel, "product"),
    "collaborative": (CollaborativeModel, "product"),
    "hybrid": (HybridModel, "product"),
}
"""Each model with how its two directions are combined, as its paper does."""

PARTS = ("popularity", "content", "collaborative")
"""What the hybrid is made of; the best of them is what it has to beat."""

FEW = "1-5"


def measure(args: argparse.Namespace) -> Result:
    """Run the town, the speed dating when its data is there, and the timings."""
    n_people = 6_000 if args.people is None else args.people
    town = TownAfter.made(n_people, np.random.default_rng(args.seed), pool=args.pool)
    scored, summary = _town_scores(town, args.seed)
    rows, figures = _judged(town, scored, args)
    summary = {"people": n_people, "events": len(town.events), "pairs": len(town.pairs)} | figures | summary
    if (data_folder() / "speed_dating").is_dir() and args.dating:
        more, figures = _speed_dating(args)
        rows, summary = rows + more, summary | figures
    if args.train_people:
        summary |= timed_training(args.train_people, args.train_events, args.seed)
    return Result(rows, summary, ["Intervals: bootstrap over people on both sides, paired between models."])


def _town_scores(town: TownAfter, seed: int) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return the judged pairs with each model's probabilities, and the hybrid's timings."""
    scored, summary = {}, {}
    rows = (town.people.ids.rows(town.pairs[column]) for column in (C.VIEWER, C.CANDIDATE))
    i, j = (np.take(town.at, at) for at in rows)
    hidden = town.truth.p_like(i, j)
    for name, (make, how) in MODELS.items():
        begin = time.perf_counter()
        model = make().fit(town.people, town.events, rng=np.random.default_rng(seed))
        seconds = time.perf_counter() - begin
        scored[name] = _scored(model, town.pairs, how)
        summary[f"{name}_fit_seconds"] = seconds
        summary[f"{name}_like_error"] = error_of_known(hidden, scored[name][C.P_LIKE].to_numpy())
        if isinstance(model, HybridModel):
            joint = model.score_pairs(town.pairs, combiner="joint")[C.P_MUTUAL]
            summary |= {"fit_seconds": seconds, "fit_peak_mb": peak_mb(), "fold_in_ms": fold_in_ms(model)}
            label = town.pairs["label"]
            summary |= {
                "mutual_ece": ece(label, joint),
                "mutual_ece_product": ece(label, scored[name][C.P_MUTUAL]),
                "joint_association": model.match_association_.association,
            }
    scored["oracle"] = town.pairs.assign(**{C.P_MUTUAL: town.chance})
    return scored, summary


def _scored(model: Model, pairs: pd.DataFrame, how: str) -> pd.DataFrame:
    if how != "one side":
        return model.score_pairs(pairs, combiner=how)
    scored = model.score_pairs(pairs)
    return scored.assign(**{C.P_MUTUAL: scored[C.P_LIKE]})


def _judged(
    town: TownAfter, scored: Mapping[str, pd.DataFrame], args: argparse.Namespace
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    keys = [C.VIEWER, C.CANDIDATE]
    lists = {name: as_lists(frame)[[*keys, C.RANK, C.P_MUTUAL]] for name, frame in scored.items()}
    table = compare(
        lists,
        town.pairs,
        against="hybrid",
        k=(10,),
        slices=town.slices,
        n_resamples=args.resamples,
        rng=np.random.default_rng(args.seed),
    )
    found = table[table["metric"] == "ndcg@10"].set_index(["slice", "model"])
    summary: dict[str, Any] = {"town_ndcg10_random_expected": float(found.loc[("all", "hybrid"), "random"])}
    for name in lists:
        line = found.loc[("all", name)]
        summary |= {f"town_ndcg10_{name}": line["value"]}
        summary |= {f"town_ndcg10_{name}_lo": line["lo"], f"town_ndcg10_{name}_hi": line["hi"]}
    summary |= _gain("hybrid_gain", found, "all", PARTS)
    summary |= _gain("hybrid_gain_few", found, FEW, PARTS)
    summary |= _gain("hybrid_vs_content_cold", found, "0", ("content",))
    baselines = [name for name in lists if name not in ("hybrid", "oracle")]
    summary |= _gain("hybrid_vs_best_other", found, "all", baselines)
    columns = ["slice", "model", "metric", "value", "lo", "hi", "n", "random"]
    kept = table["metric"].isin(["ndcg@10", "auc", "ece"])
    return [{"data": "town", **row} for row in table.loc[kept, columns].to_dict("records")], summary


def _gain(name: str, found: pd.DataFrame, part: str, others: Sequence[str]) -> dict[str, float]:
    """Return by what share the hybrid exceeds the best of `others` in a slice, with its interval."""
    if (part, "hybrid") not in found.index:
        return {name: float("nan")}
    best = max(others, key=lambda other: float(found.loc[(part, other), "value"]))
    line = found.loc[(part, best)]
    more = [-float(line[column]) / float(line["value"]) for column in ("more", "more_hi", "more_lo")]
    return {name: more[0], f"{name}_lo": more[1], f"{name}_hi": more[2], f"{name}_viewers": int(line["n"])}


def _speed_dating(args: argparse.Namespace) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the mean AUC inside folds of left-out meetings for every model."""
    from tests.benchmarks.dating.form import Evening, blocks
    from tests.benchmarks.dating.warm import CONFIG

    evening = Evening.load(args.dating_people)
    pairs, n_folds = evening.data.pairs, 5
    folds = pair_folds(pairs["woman"], pairs["man"], n_folds, rng=np.random.default_rng(args.seed))
    match = pairs["match"].to_numpy(np.int64)
    own: dict[str, Callable[[], Model]] = {
        "content": lambda: ContentModel(CONFIG, blocks=blocks(evening.numbers)),
        "hybrid": lambda: HybridModel(HybridConfig(content=CONFIG), blocks=blocks(evening.numbers)),
    }
    scores = {name: np.empty(len(pairs)) for name in MODELS}
    is_reply = pairs[["woman", "man"]].set_axis([C.VIEWER, C.CANDIDATE], axis=1)
    for number in range(n_folds):
        test = folds == number
        events: Events = evening.without(test)
        for name, (make, how) in MODELS.items():
            model = own.get(name, make)().fit(evening.people, events, rng=np.random.default_rng(args.seed))
            scores[name][test] = _scored(model, is_reply[test], how)[C.P_MUTUAL]
    people, code = np.unique(np.concatenate([pairs["woman"], pairs["man"]]), return_inverse=True)
    women, men = code.reshape(2, -1)
    measures = {name: _MeanAuc(match, score, folds) for name, score in scores.items()}
    drawn = bootstrap(
        measures, women, men, len(people), rng=np.random.default_rng(args.seed), n_resamples=args.resamples
    )
    rows, summary = [], {}
    for name in scores:
        found = drawn.interval(name)
        line = {"value": found.value, "lo": found.lo, "hi": found.hi, "n": len(pairs), "random": 0.5}
        rows.append({"data": "speed dating, warm", "slice": "all", "model": name, "metric": "auc", **line})
        summary[f"dating_warm_auc_{name}"] = found.value
        waves = pairs.reset_index(drop=True).groupby("wave").indices.values()
        by_wave = [auc(match[at], scores[name][at]) for at in waves]
        summary[f"dating_warm_wave_auc_{name}"] = float(np.nanmean(by_wave))
    return rows, summary


class _MeanAuc:
    """The AUC inside each fold, averaged; pairs of different folds are never compared."""

    def __init__(self, match: Any, score: Any, folds: Any) -> None:
        self.parts = [
            (at, Auc.of(match[at], score[at]))
            for at in (np.flatnonzero(folds == number) for number in np.unique(folds))
        ]

    def __call__(self, viewer_times: Any, candidate_times: Any) -> float:
        """Return the mean over folds under these multiplicities."""
        return float(np.nanmean([part(viewer_times[at], candidate_times[at]) for at, part in self.parts]))


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pool", type=int, default=60, help="judged candidates a viewer, at most")
    parser.add_argument("--resamples", type=int, default=200, help="of people, for the intervals")
    parser.add_argument("--dating", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--dating-people", type=int, help="the smallest waves until so many people came")
    parser.add_argument("--train-people", type=int, default=0, help="also time training on so many people")
    parser.add_argument("--train-events", type=int, default=5_000_000, help="and so many events")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    about = "Every model side by side on the town and on speed dating."
    return run("models", measure, about=about, argv=argv, arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
