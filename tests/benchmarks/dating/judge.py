"""Scores of meetings, judged: pooled AUC, AUC by wave, NDCG@5, with intervals over people."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.evaluation import BootstrapResult, Interval, auc, bootstrap
from recsys.evaluation.bootstrap import of_groups
from recsys.evaluation.probability import Auc
from recsys.evaluation.ranking import Ndcg, TiedRanking

Floats = npt.NDArray[np.float64]
PLACES = 5
LEAST_CANDIDATES = 6


@dataclass(frozen=True, eq=False)
class Judgement:
    """The figures of several models on the same meetings and the same resamples."""

    drawn: BootstrapResult
    waves: Mapping[str, Interval]
    n_viewers: int

    def interval(self, model: str, metric: str) -> Interval:
        """Return the figure of one model: `auc`, `wave_auc` or `ndcg5`."""
        return self.waves[model] if metric == "wave_auc" else self.drawn.interval(f"{model} {metric}")

    def difference(self, model: str, other: str, metric: str) -> Interval:
        """Return by how much `model` exceeds `other`, paired."""
        return self.drawn.difference(f"{model} {metric}", f"{other} {metric}")

    def row(self, model: str) -> dict[str, object]:
        """Return one line of the table."""
        row: dict[str, object] = {"model": model}
        for metric in ("auc", "wave_auc", "ndcg5"):
            found = self.interval(model, metric)
            row |= {metric: found.value, f"{metric}_lo": found.lo, f"{metric}_hi": found.hi}
        return row


def judge(
    meetings: pd.DataFrame,
    scores: Mapping[str, Floats],
    *,
    rng: np.random.Generator,
    n_resamples: int = 1000,
) -> Judgement:
    """Judge mutual scores `(n_meetings,)` by model against who matched.

    NDCG is over everybody, women and men, who had a match and at least six candidates. Waves are the
    sample of the AUC by wave, people of everything else.
    """
    both = np.concatenate([meetings["woman"], meetings["man"]])
    people, code = np.unique(both, return_inverse=True)
    women, men = code.reshape(2, -1)
    viewer, candidate = np.concatenate([women, men]), np.concatenate([men, women])
    match = np.tile(meetings["match"].to_numpy(), 2)
    measures, waves, n_viewers = {}, {}, 0
    for model, score in scores.items():
        mutual = np.tile(score, 2)
        ndcg = Ndcg(TiedRanking.of(viewer, match, mutual), PLACES, LEAST_CANDIDATES)
        measures |= {f"{model} auc": Auc.of(match, mutual), f"{model} ndcg5": ndcg}
        waves[model] = of_groups(_by_wave(meetings, score), rng=rng)
        n_viewers = int(ndcg.per_viewer(np.ones(len(match), np.int64))[1].sum())
    drawn = bootstrap(measures, viewer, candidate, len(people), rng=rng, n_resamples=n_resamples)
    return Judgement(drawn, waves, n_viewers)


def _by_wave(meetings: pd.DataFrame, score: Floats) -> list[float]:
    rows = meetings.reset_index(drop=True).groupby("wave").indices.values()
    match = meetings["match"].to_numpy()
    return [auc(match[at], score[at]) for at in rows]
