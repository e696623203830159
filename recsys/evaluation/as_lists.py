"""Scored pairs as lists: the pairs of each viewer, best first."""

import pandas as pd

from recsys.errors import TableError
from recsys.schema.columns import Columns as C


def as_lists(scored: pd.DataFrame, by: str = C.P_MUTUAL) -> pd.DataFrame:
    """Return the scored pairs with `rank`, from 1 for each viewer's highest `by`; ties go by id.

    For judging what a model says of given pairs, where nothing was left out and no policy applied.
    Raises TableError when a column is missing.

    >>> pairs = {"viewer_id": ["a", "a", "b"], "candidate_id": ["c", "b", "a"], "p_mutual": [0.2, 0.9, 0.1]}
    >>> as_lists(pd.DataFrame(pairs))["rank"].tolist()
    [2, 1, 1]
    """
    needed = (C.VIEWER, C.CANDIDATE, by)
    missing = [f"column '{column}' is missing" for column in needed if column not in scored.columns]
    if missing:
        raise TableError("scored pairs", missing)
    best_first = scored.sort_values([C.VIEWER, by, C.CANDIDATE], ascending=[True, False, True], kind="stable")
    rank = best_first.groupby(C.VIEWER, sort=False).cumcount() + 1
    return scored.assign(**{C.RANK: rank})
