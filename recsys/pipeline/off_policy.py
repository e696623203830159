"""What each model's own lists would bring, estimated from the places of nights that chance filled."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.labels import LABEL
from recsys.evaluation.bootstrap import sample_value
from recsys.evaluation.estimates import estimate
from recsys.evaluation.off_policy import Snips, off_policy
from recsys.evaluation.off_policy_tables import LIKE, MATCH
from recsys.evaluation.registry import SHARE
from recsys.models.base import Model
from recsys.pipeline.evaluation_data import PAIR
from recsys.ranking.recommend import SAMPLED, Recommender

SNIPS: Final = "snips"
OF_MATCHES: Final = ("dr", "dips", "dpr")
"""Estimators of matches that use what the model predicts, see `recsys.off_policy`."""
OFF_POLICY: Final = (SNIPS, *OF_MATCHES)
_MAX_WEIGHT: Final = 100.0


@dataclass(frozen=True, eq=False)
class ListsOfModel:
    """A model's lists for the viewers of the exploration log, and what it predicts of both.

    lists:  viewer_id, candidate_id, rank, p_like, p_liked_back of each listed pair.
    log:    the same predictions for each row of the exploration log.
    listed: `(n,)` which rows of the exploration log the lists hold.
    """

    lists: pd.DataFrame
    log: pd.DataFrame
    listed: pd.Series

    @classmethod
    def of(cls, model: Model, allowed: Recommender, explored: pd.DataFrame, k: int) -> Self:
        """Search the `k` first places of the viewers of `explored` (viewer_id, candidate_id).

        allowed: the people and the rules.
        """
        people, recommender = allowed.people, allowed.over(model.fitted)
        viewers = np.unique(people.ids.rows(explored[C.VIEWER]))
        found, _ = recommender.pairs(viewers[recommender.compiled.listed[viewers]], k=k, check_each=SAMPLED)
        ids = {C.VIEWER: people.ids.ids(found.viewer), C.CANDIDATE: people.ids.ids(found.candidate)}
        pairs = pd.DataFrame(ids, dtype=object)
        rank = pairs.groupby(C.VIEWER, sort=False).cumcount() + 1
        width = len(people)
        rows = people.ids.rows
        codes = rows(explored[C.VIEWER]).astype(np.int64) * width + rows(explored[C.CANDIDATE])
        listed = np.isin(codes, found.viewer.astype(np.int64) * width + found.candidate)
        predicted = [C.P_LIKE, C.P_LIKED_BACK]
        return cls(
            model.score_pairs(pairs)[[*PAIR, *predicted]].assign(**{C.RANK: rank}),
            model.score_pairs(explored[PAIR])[[*PAIR, *predicted]],
            pd.Series(listed),
        )


def off_policy_rows(
    shown: pd.DataFrame,
    outcomes: Mapping[str, pd.DataFrame],
    drawn: Mapping[str, ListsOfModel],
    rng: np.random.Generator,
) -> Iterator[dict[str, object]]:
    """Yield one row an outcome, model and estimator: the rate of the model's own lists, with its interval.

    shown: the exploration log, viewer_id, candidate_id, propensity. outcomes: viewer_id, candidate_id, label
    of "like" and "mutual"; a pair that is not there has the label 0. `random` is the rate of the logging
    policy itself; n the impressions in both. `value` is NaN, and `refused` says why, where the log says too
    little ("support") or its matches contradict what the model says of answers ("answers").
    """
    people, code = np.unique(np.concatenate([shown[C.VIEWER], shown[C.CANDIDATE]]), return_inverse=True)
    viewer, candidate = code.reshape(2, -1)
    propensity = shown[C.PROPENSITY].to_numpy(np.float64)
    reward = {
        target: shown.merge(labels[[*PAIR, LABEL]], on=PAIR, how="left")[LABEL].fillna(0.0).to_numpy()
        for target, labels in outcomes.items()
    }
    base = {}
    for target, came in reward.items():
        measures = {
            model: Snips.of(came, propensity, of_model.listed.to_numpy(np.float64), most=_MAX_WEIGHT)
            for model, of_model in drawn.items()
        }
        everywhere = Snips.of(came, propensity, np.ones(len(shown)), most=_MAX_WEIGHT)
        base[target] = sample_value(everywhere, len(shown))
        estimates = estimate(measures, viewer, candidate, len(people), rng=rng)
        for model, of_model in drawn.items():
            found = estimates.within(model, SHARE)
            limits = {"value": found.value, "lo": found.lo, "hi": found.hi}
            row = {"slice": "all", "model": model, "metric": SNIPS, **limits, "n": int(of_model.listed.sum())}
            yield row | {"random": base[target], "target": target}
    for model, of_model in drawn.items():
        for row in _of_matches(
            shown.assign(**{LIKE: np.maximum(reward["like"], reward["mutual"]), MATCH: reward["mutual"]}),
            of_model,
        ):
            known = {name: row[name] for name in ("value", "lo", "hi", "n")}
            yield {"slice": "all", "model": model, "metric": row["estimator"], **known} | {
                "random": base["mutual"],
                "target": "mutual",
                "refused": row["refused"],
            }


def _of_matches(log: pd.DataFrame, of_model: ListsOfModel) -> list[dict[str, object]]:
    """Return the rows of `off_policy` that use the model's predictions.

    Predictions are of somebody who looks or answers, and not everybody shown does: they are brought to the
    level of the likes in the log by one factor. An estimate by answers that the log's matches contradict is
    withheld: it would rank the models by how far their answers are wrong.
    """
    predicted = of_model.log[C.P_LIKE].to_numpy(np.float64)
    level = float(log[LIKE].sum()) / max(float(predicted.sum()), 1e-12)

    def shown(pairs: pd.DataFrame) -> pd.Series:
        return (pairs[C.P_LIKE] * level).clip(0.0, 1.0)

    with_model = log.copy()
    with_model[C.P_LIKE] = shown(of_model.log)
    with_model[C.P_LIKED_BACK] = of_model.log[C.P_LIKED_BACK]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # `refused` says so
        table = off_policy(
            with_model, of_model.lists.assign(**{C.P_LIKE: shown(of_model.lists)}), most=_MAX_WEIGHT
        )
    table = table[table["estimator"].isin(OF_MATCHES)]
    answers = table["value"].notna() & (table["reason"] != "")
    why = np.select([answers, table["reason"] != ""], ["answers", "support"], "")
    withheld = table[["value", "lo", "hi"]].mask(answers)
    return table.assign(**withheld, refused=why).to_dict("records")  # type: ignore[return-value]
