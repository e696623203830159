"""From a table of lists to a graph, and back."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.allocation.allocation import Allocation
from recsys.allocation.graph import CandidateGraph
from recsys.errors import InputError, did_you_mean, explained
from recsys.schema.columns import Columns as C

NEEDED = (C.VIEWER, C.CANDIDATE, C.P_LIKE, C.P_LIKED_BACK)

Ids = npt.NDArray[np.object_]


def graph_of(lists: pd.DataFrame) -> tuple[CandidateGraph, Ids]:
    """Return the graph of a table with viewer_id, candidate_id, p_like and p_liked_back, and its ids.

    Row r of the graph is the person `ids[r]`; ids ascend.

    Raises InputError for a missing column, a missing id or value, and a pair that stands twice.

    >>> pool = pd.DataFrame([["b", "a", 0.5, 0.2]], columns=NEEDED)
    >>> graph, ids = graph_of(pool)
    >>> ids.tolist(), graph.viewer.tolist(), graph.candidate.tolist()
    (['a', 'b'], [1], [0])
    """
    for name in NEEDED:
        if name not in lists:
            remedy = did_you_mean(name, lists.columns.astype(str))
            raise InputError(explained("a column is missing", where="the lists", got=name, remedy=remedy))
    both = pd.concat([lists[C.VIEWER], lists[C.CANDIDATE]], ignore_index=True)
    if both.isna().any():
        raise InputError(explained("an id is missing", where="the lists"))
    codes, ids = pd.factorize(both.astype(object), sort=True)
    n = len(lists)
    graph = CandidateGraph.of(
        codes[:n],
        codes[n:],
        p=lists[C.P_LIKE].to_numpy(np.float32),
        q=lists[C.P_LIKED_BACK].to_numpy(np.float32),
        n_people=len(ids),
    )
    return graph, np.asarray(ids, dtype=object)


def rows_of(allocation: Allocation, lists: pd.DataFrame, ids: Ids) -> pd.DataFrame:
    """Return the rows of `lists` that were chosen, in list order, with rank, exposure and propensity."""
    codes = pd.Series(np.arange(len(ids)), index=pd.Index(ids))
    viewer = codes.loc[lists[C.VIEWER].astype(object)].to_numpy(np.int64)
    candidate = codes.loc[lists[C.CANDIDATE].astype(object)].to_numpy(np.int64)
    by_edge = np.argsort(viewer * max(len(ids), 1) + candidate, kind="stable")
    chosen = lists.iloc[by_edge[allocation.ranked.edge]].reset_index(drop=True)
    return chosen.assign(
        **{
            C.RANK: allocation.ranked.place,
            C.EXPOSURE: allocation.exposure,
            C.PROPENSITY: allocation.propensity,
        }
    )


def by_id(given: Any, ids: Ids, where: str) -> npt.NDArray[np.float64]:
    """Return numbers by id as one a row, `(n_people,)`.

    Raises InputError when somebody of the lists has none.
    """
    numbers = pd.Series(given)
    missing = [str(one) for one in ids if one not in numbers.index]
    if missing:
        what, remedy = "somebody of the lists has no number", "give a number for every id"
        raise InputError(explained(what, where=where, got=missing[0], remedy=remedy))
    return numbers.loc[ids.tolist()].to_numpy(np.float64)
