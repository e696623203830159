"""Whether circles recommended to people are those they had joined: one circle of each is hidden.

`python -m tests.benchmarks.circles [--people 5000]`

Recall at 5 of the hidden circle in a synthetic town, beside the largest circles and circles in random order
among the same ones, for people whose hidden circle is large enough to be recommended. Intervals are over
people (bootstrap, 95 %).
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy
from recsys.data.population import Population
from recsys.models.content import ContentConfig, ContentModel
from recsys.ranking.recommend_circles import LEAST_MEMBERS, recommend_circles
from recsys.simulation.town import make_town
from recsys.storage.load import load_events, load_population
from tests.benchmarks.command import Result, run

K, RESAMPLES, LEAST = 5, 500, LEAST_MEMBERS


def measure(args: argparse.Namespace) -> Result:
    """Hide, fit, recommend, count."""
    rng = np.random.default_rng(args.seed)
    town = make_town(args.people or 5000, rng)
    tables = town.tables
    people, events = load_population(tables, town.as_of), load_events(tables, town.as_of)
    shown, hidden = hide_one(people, rng)
    model = ContentModel(ContentConfig()).fit(shown, events, rng=rng)
    policy = Policy.default()
    every = recommend_circles(model, shown, policy, k=10**6, least_members=LEAST)
    every = every.merge(hidden, on=C.VIEWER)
    there = (every[C.COMMUNITY] == every["hidden"]).groupby(every[C.VIEWER]).transform("any")
    every = every[there].reset_index(drop=True)
    size = shown.long.communities[C.COMMUNITY].value_counts()
    ranks = {
        "two matrices": every[C.RANK],
        "largest": rank_by(every, every[C.COMMUNITY].map(size).astype(float)),
        "random": rank_by(every, pd.Series(rng.random(len(every)), index=every.index)),
    }
    found = {
        name: ((rank <= K) & (every[C.COMMUNITY] == every["hidden"])).groupby(every[C.VIEWER]).any()
        for name, rank in ranks.items()
    }
    n = len(next(iter(found.values())))
    draws = rng.integers(0, max(n, 1), (RESAMPLES, n))
    summary: dict[str, Any] = {"people": n, "circles": int(every[C.COMMUNITY].nunique())}
    rows = []
    for name, hits in found.items():
        value, lo, hi = _interval(hits.to_numpy(float), draws)
        rows.append({"order": name, "recall5": value, "lo": lo, "hi": hi})
        key = "recall5" if name == "two matrices" else f"{name}_recall5"
        summary |= {key: value, f"{key}_lo": lo, f"{key}_hi": hi}
    return Result(rows, summary)


def hide_one(people: Population, rng: np.random.Generator) -> tuple[Population, pd.DataFrame]:
    """Return people without one circle of each who has several, and which that was."""
    table = people.long.communities
    size = table[C.COMMUNITY].map(table[C.COMMUNITY].value_counts())
    several = table[C.ROW].map(table[C.ROW].value_counts()) >= 2
    chosen = table[several & (size > LEAST + 1)]
    chosen = chosen.iloc[rng.permutation(len(chosen))].drop_duplicates(C.ROW)
    left = table.drop(index=chosen.index).reset_index(drop=True)
    hidden = pd.DataFrame({C.VIEWER: people.ids.ids(chosen[C.ROW]), "hidden": chosen[C.COMMUNITY].to_numpy()})
    return replace(people, long=replace(people.long, communities=left)), hidden


def rank_by(table: pd.DataFrame, score: pd.Series) -> pd.Series:
    """Return the rank of each circle within its viewer's, by a score, highest first."""
    return score.groupby(table[C.VIEWER]).rank(ascending=False, method="first")


def _interval(hits: npt.NDArray[np.float64], draws: npt.NDArray[np.int64]) -> tuple[float, float, float]:
    if not len(hits):
        return float("nan"), float("nan"), float("nan")
    means = hits[draws].mean(axis=1)
    return float(hits.mean()), float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    return run("circles", measure, about="Recall of hidden circles in a synthetic town.", argv=argv)


if __name__ == "__main__":
    sys.exit(main())
