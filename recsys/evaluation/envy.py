"""Envy: who would rather have the places somebody else has."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from recsys.errors import TableError
from recsys.evaluation.examination import inverse
from recsys.evaluation.measure import Floats
from recsys.schema.columns import Columns as C

_AT_ONCE = 512


def envy(
    lists: pd.DataFrame,
    chances: pd.DataFrame,
    *,
    chance: str = C.P_MUTUAL,
    examination: Callable[[npt.ArrayLike], Floats] = inverse,
    tolerance: float = 1e-9,
) -> float:
    """Return the share of candidates who envy somebody, in [0, 1]; NaN without lists.

    With e_ik the examination of the place k has in i's list and c_ij the chance of i and j, j gets
    u_j(k) = sum_i e_ik c_ij out of the places of k. j envies k when u_j(k) > u_j(j).

    lists: viewer_id, candidate_id, rank. chances: viewer_id, candidate_id and `chance` for every pair
    that may meet, listed or not; a pair that is missing may not meet and is worth nothing.
    Raises TableError when a column is missing.

    Y. Saito and T. Joachims, "Fair ranking as fair division: impact-based individual fairness in
    ranking", KDD 2022.

    v shows a first and b second; for both it is the same place they want, so b envies a.

    >>> pairs = pd.DataFrame({"viewer_id": ["v", "v"], "candidate_id": ["a", "b"]})
    >>> envy(pairs.assign(rank=[1, 2]), pairs.assign(p_mutual=[0.5, 0.5]))
    0.5
    """
    _check("lists", lists, (C.VIEWER, C.CANDIDATE, C.RANK))
    _check("chances", chances, (C.VIEWER, C.CANDIDATE, chance))
    if not len(lists):
        return float("nan")
    viewers = pd.Index(pd.unique(lists[C.VIEWER]))
    people = pd.Index(pd.unique(pd.concat([lists[C.CANDIDATE], chances[C.CANDIDATE]])))
    looked = _matrix(lists, examination(lists[C.RANK]), viewers, people)
    wanted = _matrix(chances, chances[chance].to_numpy(np.float64), viewers, people)
    own = np.asarray(looked.multiply(wanted).sum(axis=0)).reshape(-1)
    envious = 0
    for start in range(0, len(people), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        best = (wanted[:, part].T @ looked).max(axis=1)
        envious += int((np.asarray(best.todense()).reshape(-1) > own[part] + tolerance).sum())
    return envious / len(people)


def _matrix(pairs: pd.DataFrame, values: Floats, viewers: pd.Index, people: pd.Index) -> sparse.csc_array:
    i, j = viewers.get_indexer(pd.Index(pairs[C.VIEWER])), people.get_indexer(pd.Index(pairs[C.CANDIDATE]))
    known = (i >= 0) & (j >= 0)
    shape = (len(viewers), len(people))
    return sparse.csc_array((values[known], (i[known], j[known])), shape=shape)


def _check(name: str, frame: pd.DataFrame, columns: tuple[str, ...]) -> None:
    missing = [f"column '{column}' is missing" for column in columns if column not in frame]
    if missing:
        raise TableError(name, missing)
