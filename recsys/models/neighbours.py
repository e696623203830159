"""Neighbours: the people whom a model takes for alike."""

from typing import Literal

import numpy as np
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.data.ids import id_column
from recsys.data.population import Population
from recsys.errors import SettingsError, did_you_mean, explained
from recsys.models.base import Id, Model
from recsys.types import Float64Array

SIMILARITY = "similarity"
_SIDES = ("taste", "appeal")


@checked_arguments
def neighbours(
    model: Model,
    user_id: Id,
    *,
    k: int = 10,
    side: Literal["taste", "appeal"] = "taste",
    people: Population | None = None,
) -> pd.DataFrame:
    """Return the `k` people most like one: user_id, similarity in [-1, 1], the most alike first.

    taste:  who would choose the same people: the correlation of the logits the two give to everybody.
    appeal: who is chosen by the same people: the correlation of the logits the two get from everybody.
    people: who is compared; those of the fit when None.

    The correlation is over all people of the two matrices, without the decay with distance, so it does not
    depend on how a model lays out its factors (a cosine of rows would). It is 0 for somebody who gives or
    gets the same logit everywhere, and 1 for everybody where a model tells nobody apart, as those of
    popularity do by taste; people equally alike stand in the order of ids. For those who study a model; it
    says nothing about who may meet.

    Raises NotFittedError before `fit`, UnknownIdError for an id nobody has, SettingsError for another side.

    >>> import recsys
    >>> town = recsys.make_town(60, rng=7)
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = recsys.ContentModel(folds=2).fit(people, events, rng=1)
    >>> found = neighbours(model, "u0000001", k=3)
    >>> found["similarity"].is_monotonic_decreasing, "u0000001" in set(found["user_id"])
    (True, False)
    """
    if side not in _SIDES:
        raise SettingsError(explained("unknown side", got=side, remedy=did_you_mean(str(side), _SIDES)))
    if k < 1:
        raise SettingsError(explained("impossible number of neighbours", got=k, remedy="give 1 or more"))
    directed = model.directed(people)
    row = int(directed.ids.rows(np.array([user_id], dtype=object))[0])
    own, other = (directed.taste, directed.appeal) if side == "taste" else (directed.appeal, directed.taste)
    similarity = _correlations(own.astype(np.float64), other.astype(np.float64), row)
    similarity[row] = -np.inf
    order = np.argsort(-similarity, kind="stable")[: min(k, len(directed) - 1)]
    return pd.DataFrame({C.USER: id_column(directed.ids.ids(order)), SIMILARITY: similarity[order]})


def _correlations(own: Float64Array, other: Float64Array, row: int) -> Float64Array:
    """Return the correlation of `own[row] @ other.T` with that of every row, `(n_people,)`."""
    spread = np.cov(other, rowvar=False, bias=True).reshape(other.shape[1], other.shape[1])
    moved = own @ spread
    variance = np.vecdot(moved, own)
    covariance = moved @ own[row]
    scale = np.sqrt(np.maximum(variance * variance[row], 0.0))
    none = scale <= 1e-12 * max(float(variance.max(initial=0.0)), 1e-300)
    return np.clip(np.divide(covariance, scale, out=np.zeros(len(own)), where=~none), -1.0, 1.0)
