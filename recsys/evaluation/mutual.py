"""Mutual outcomes: a pair worked when both said yes, and is known only when both decided."""

import pandas as pd

from recsys.errors import InputError, explained
from recsys.schema.columns import Columns as C

LABEL = "label"


def mutual_labels(directed: pd.DataFrame) -> pd.DataFrame:
    """Return viewer_id, candidate_id, label (1 both yes, 0 not) for pairs where both decided.

    `directed` holds viewer_id, candidate_id and label (1: viewer said yes to candidate), one row a
    directed pair; the result holds both directions of each pair, with equal labels.
    Raises InputError when a directed pair stands twice.

    >>> said = [("a", "b", 1), ("b", "a", 1), ("a", "c", 1)]
    >>> mutual_labels(pd.DataFrame(said, columns=["viewer_id", "candidate_id", "label"]))
      viewer_id candidate_id  label
    0         a            b      1
    1         b            a      1
    """
    keys = [C.VIEWER, C.CANDIDATE]
    if directed.duplicated(keys).any():
        first = directed.loc[directed.duplicated(keys), keys].iloc[0].tolist()
        raise InputError(explained("a directed pair stands twice", got=first, remedy="keep one row a pair"))
    there = directed[[*keys, LABEL]]
    back = there.rename(columns={C.VIEWER: C.CANDIDATE, C.CANDIDATE: C.VIEWER, LABEL: "back"})
    both = there.merge(back, on=keys, how="inner")
    both[LABEL] = ((both[LABEL] > 0) & (both["back"] > 0)).astype("int64")
    return both[[*keys, LABEL]].sort_values(keys, ignore_index=True)
