"""What a backend maps of a publication: written once a night, read by every worker."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.constraints.csr import Lists
from recsys.constraints.policy import Policy
from recsys.errors import InputError, explained
from recsys.explain.reasons import Reasons
from recsys.history.pair_stages import PairStages
from recsys.models.directed import Directed
from recsys.ranking.likes_given import likes_given
from recsys.ranking.served_ids import packed_ids
from recsys.ranking.served_stages import may_be_listed, stage_arrays
from recsys.retrieval.layout import Layout, lay_out, layout_arrays
from recsys.retrieval.retriever import TILE
from recsys.schema.catalogue import load_catalogue
from recsys.schema.columns import Columns as C
from recsys.schema.ids import IdIndex
from recsys.schema.population import Population
from recsys.storage.arrays import save_arrays

Arrays = dict[str, npt.NDArray[Any]]

SERVING_SCHEMA: Final = 2
"""Rises when the meaning of a file changes; a ranker loads its own number alone."""


def write_serving(
    folder: Path,
    lists: pd.DataFrame,
    people: Population,
    policy: Policy,
    directed: Directed,
    *,
    stages: PairStages | None = None,
    combiner: str = "product",
    prices: npt.NDArray[np.float32] | None = None,
) -> None:
    """Write everything a `Ranker` reads to `folder`, as plain arrays.

    lists:    viewer_id, candidate_id, rank; a `propensity` column is kept, 1 without.
    directed: the two matrices of `people`, with which the lists were made.
    stages:   how far pairs have come, see `stages_of`. Who has not accepted the terms or proved their
              age by an event is then served to nobody. None: nobody has a history.
    prices:   `(n_people,)`, what the attention of each person costs; none when None.

    Raises InputError when a list names somebody unknown or the matrices are of other people.
    """
    if directed.ids != people.ids:
        raise InputError(explained("the matrices are of other people", remedy="apply the model to these"))
    compiled = policy.compile(people)
    if stages is not None:
        compiled = replace(compiled, listed=compiled.listed & may_be_listed(stages, people.ids))
    write_served(
        folder,
        ids=people.ids,
        lists=list_arrays(lists, people.ids),
        likes=likes_given(people),
        layout=lay_out(directed, compiled, TILE),
        reasons=Reasons(people),
        stages=stage_arrays(stages, people.ids),
        prices=np.zeros(len(people)) if prices is None else prices,
        meta={"policy": policy.version, "combiner": combiner, "data_as_of": people.as_of.isoformat()},
    )


def write_served(
    folder: Path,
    *,
    ids: IdIndex,
    lists: Arrays,
    likes: Lists,
    layout: Layout,
    reasons: Reasons,
    stages: Arrays,
    prices: npt.ArrayLike,
    meta: Mapping[str, str],
) -> None:
    """Write the parts of a publication that are there already; see `write_serving`.

    likes: whom each person has liked already. meta: policy (its version), combiner and data_as_of.
    """
    arrays: Arrays = {
        "ids": packed_ids(ids.values),
        "prices": _in_tile_order(prices, layout),
        **named("lists", lists),
        **named("likes", {"indptr": likes.indptr, "indices": likes.indices}),
        **named("layout", layout_arrays(layout)),
        **named("reasons", reasons.arrays()),
        **named("stages", stages),
    }
    own = {
        "serving": SERVING_SCHEMA,
        "reason_codes": reasons.codes_by_kind(),
        "stage_names": list(load_catalogue().stages.names),
    }
    save_arrays(folder, arrays, own | dict(meta))


def _in_tile_order(prices: npt.ArrayLike, layout: Layout) -> npt.NDArray[np.float64]:
    """Return the prices of listed people as a search reads them; none when nobody's attention costs."""
    listed = np.asarray(prices, np.float64)[layout.order]
    return listed if listed.any() else np.zeros(0)


def list_arrays(lists: pd.DataFrame, ids: IdIndex) -> Arrays:
    """Return lists as row numbers: viewer r has `candidates[indptr[r]:indptr[r + 1]]`, best first.

    `propensity` is aligned with `candidates`, or empty when it is 1 throughout.
    """
    ordered = lists.sort_values([C.VIEWER, C.RANK], kind="stable")
    viewers, candidates = ids.rows(ordered[C.VIEWER]), ids.rows(ordered[C.CANDIDATE])
    indptr = np.zeros(len(ids) + 1, np.int64)
    np.cumsum(np.bincount(viewers, minlength=len(ids)), out=indptr[1:])
    propensity = np.ones(0, np.float32)
    if C.PROPENSITY in ordered and not ordered[C.PROPENSITY].fillna(1.0).eq(1.0).all():
        propensity = ordered[C.PROPENSITY].fillna(1.0).to_numpy(np.float32)
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
