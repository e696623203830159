"""What a backend maps of a publication: written once a night, read by every worker."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.constraints.policy import Policy
from recsys.errors import InputError, explained
from recsys.explain.reasons import Reasons
from recsys.models.directed import Directed
from recsys.ranking.served_ids import packed_ids
from recsys.retrieval.layout import lay_out, layout_arrays
from recsys.retrieval.retriever import TILE
from recsys.schema.columns import Columns as C
from recsys.schema.ids import IdIndex
from recsys.schema.population import Population
from recsys.storage.arrays import save_arrays

Arrays = dict[str, npt.NDArray[Any]]

SERVING_SCHEMA: Final = 1
"""Rises when the meaning of a file changes; a ranker loads its own number alone."""


def write_serving(
    folder: Path,
    lists: pd.DataFrame,
    people: Population,
    policy: Policy,
    directed: Directed,
    *,
    combiner: str = "product",
    prices: npt.NDArray[np.float32] | None = None,
) -> None:
    """Write everything a `Ranker` reads to `folder`, as plain arrays.

    lists:    viewer_id, candidate_id, rank; a `propensity` column is kept, 1 without.
    directed: the two matrices of `people`, with which the lists were made.
    prices:   `(n_people,)`, what the attention of each person costs; none when None.

    Raises InputError when a list names somebody unknown or the matrices are of other people.
    """
    if directed.ids != people.ids:
        raise InputError(explained("the matrices are of other people", remedy="apply the model to these"))
    compiled = policy.compile(people)
    reasons = Reasons(people)
    priced = np.zeros(len(people)) if prices is None else prices
    arrays: Arrays = {
        "ids": packed_ids(people.ids.values),
        "prices": np.ascontiguousarray(priced, np.float32),
        **named("lists", list_arrays(lists, people.ids)),
        **named("layout", layout_arrays(lay_out(directed, compiled, TILE))),
        **named("reasons", reasons.arrays()),
    }
    meta = {
        "serving": SERVING_SCHEMA,
        "policy": policy.version,
        "combiner": combiner,
        "data_as_of": people.as_of.isoformat(),
        "reason_codes": reasons.codes_by_kind(),
    }
    save_arrays(folder, arrays, meta)


def list_arrays(lists: pd.DataFrame, ids: IdIndex) -> Arrays:
    """Return lists as row numbers: viewer r has `candidates[indptr[r]:indptr[r + 1]]`, best first."""
    ordered = lists.sort_values([C.VIEWER, C.RANK], kind="stable")
    viewers, candidates = ids.rows(ordered[C.VIEWER]), ids.rows(ordered[C.CANDIDATE])
    indptr = np.zeros(len(ids) + 1, np.int64)
    np.cumsum(np.bincount(viewers, minlength=len(ids)), out=indptr[1:])
    chance = ordered[C.PROPENSITY] if C.PROPENSITY in ordered else pd.Series(1.0, index=ordered.index)
    propensity = chance.fillna(1.0).to_numpy(np.float32)
    return {"indptr": indptr, "candidates": candidates, "propensity": propensity}


def named(section: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """Return the arrays under names that begin with their section."""
    return {f"{section}.{name}": array for name, array in arrays.items()}


def section(name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """Return the arrays of one section by their own names.

    >>> section("a", {"a.b": np.zeros(1), "c.b": np.ones(1)})
    {'b': array([0.])}
    """
    return {key.partition(".")[2]: array for key, array in arrays.items() if key.partition(".")[0] == name}
