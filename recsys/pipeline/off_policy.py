"""What a model's own lists would have reached, estimated from places filled by chance."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy
from recsys.data.labels import LABEL
from recsys.data.population import Population
from recsys.evaluation.bootstrap import once, resample
from recsys.evaluation.off_policy import Snips
from recsys.models.directed import Directed
from recsys.ranking.recommend import Recommender

SNIPS: Final = "snips"
_KEYS: Final = [C.VIEWER, C.CANDIDATE]
_MOST_WEIGHT: Final = 100.0


def explored(events: pd.DataFrame, after: pd.Timestamp, people: Population) -> pd.DataFrame:
    """Return pairs shown by chance from a time on: viewer_id, candidate_id, propensity, each once.

    An impression counts when it was drawn with a known chance below 1; certain places tell nothing
    about other lists. Only pairs among `people` are returned.
    """
    chance = pd.to_numeric(events[C.PROPENSITY], errors="coerce")
    drawn = (events[C.TYPE] == "impression") & (events[C.TS] >= after) & (chance > 0.0) & (chance < 1.0)
    shown = pd.DataFrame({C.VIEWER: events[C.ACTOR], C.CANDIDATE: events[C.TARGET], C.PROPENSITY: chance})[
        drawn
    ].drop_duplicates(_KEYS, ignore_index=True)
    known = (people.ids.find(shown[C.VIEWER]) >= 0) & (people.ids.find(shown[C.CANDIDATE]) >= 0)
    return shown[known].reset_index(drop=True)


def listed(directed: Directed, people: Population, policy: Policy, shown: pd.DataFrame, k: int) -> pd.Series:
    """Say which of the pairs shown would stand in the first `k` places of the model's lists."""
    recommender = Recommender(people, policy, directed)
    viewers = np.unique(people.ids.rows(shown[C.VIEWER]))
    found, _ = recommender.pairs(viewers[recommender.compiled.listed[viewers]], k=k)
    width = len(people)
    asked = people.ids.rows(shown[C.VIEWER]).astype(np.int64) * width + people.ids.rows(shown[C.CANDIDATE])
    return pd.Series(np.isin(asked, found.viewer.astype(np.int64) * width + found.candidate))


def snips_rows(
    shown: pd.DataFrame,
    outcomes: Mapping[str, pd.DataFrame],
    would_show: Mapping[str, pd.Series],
    rng: np.random.Generator,
) -> Iterator[dict[str, object]]:
    """Yield one row an outcome and model: the rate its lists would reach, with its interval.

    outcomes: viewer_id, candidate_id, label by name; a pair that is not there came to nothing.
    would_show: for each model, which rows of `shown` its lists hold. `random` is the rate of the log
    itself, which was drawn by chance; n the impressions in both.
    """
    people, code = np.unique(np.concatenate([shown[C.VIEWER], shown[C.CANDIDATE]]), return_inverse=True)
    viewer, candidate = code.reshape(2, -1)
    for target, labels in outcomes.items():
        said = shown.merge(labels[[*_KEYS, LABEL]], on=_KEYS, how="left")[LABEL].fillna(0.0)
        propensity = shown[C.PROPENSITY].to_numpy(np.float64)
        measures = {
            model: Snips.over(said, propensity, now.to_numpy(np.float64), most=_MOST_WEIGHT)
            for model, now in would_show.items()
        }
        everywhere = Snips.over(said, propensity, np.ones(len(shown)), most=_MOST_WEIGHT)
        drawn = resample(measures, viewer, candidate, len(people), rng=rng, n_resamples=200)
        for model, now in would_show.items():
            found = drawn.interval(model)
            limits = {"value": found.value, "lo": found.lo, "hi": found.hi}
            base = once(everywhere, len(shown))
            row = {"slice": "all", "model": model, "metric": SNIPS, **limits, "n": int(now.sum())}
            yield row | {"random": base, "target": target}
