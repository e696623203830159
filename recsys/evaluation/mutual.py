"""Mutual outcomes: a pair worked when both said yes."""

import pandas as pd

from recsys.errors import InputError, explained
from recsys.schema.columns import Columns as C

LABEL = "label"


def mutual_labels(directed: pd.DataFrame, *, undecided_is_no: bool = False) -> pd.DataFrame:
    """Return viewer_id, candidate_id, label: 1 when both said yes, 0 when not.

    `directed` holds viewer_id, candidate_id and label (1: viewer said yes to candidate), one row a
    directed pair. Only pairs where both decided are returned; with `undecided_is_no` every pair of
    `directed` is, and one without an answer back counts as not mutual (yet).
    Raises InputError when a directed pair stands twice.

    >>> said = [("a", "b", 1), ("b", "a", 1), ("a", "c", 1)]
    >>> said = pd.DataFrame(said, columns=["viewer_id", "candidate_id", "label"])
    >>> mutual_labels(said)["label"].tolist(), mutual_labels(said, undecided_is_no=True)["label"].tolist()
    ([1, 1], [1, 0, 1])
    """
    keys = [C.VIEWER, C.CANDIDATE]
    if directed.duplicated(keys).any():
        first = directed.loc[directed.duplicated(keys), keys].iloc[0].tolist()
        raise InputError(explained("a directed pair stands twice", got=first, remedy="keep one row a pair"))
    there = directed[[*keys, LABEL]]
    back = there.rename(columns={C.VIEWER: C.CANDIDATE, C.CANDIDATE: C.VIEWER, LABEL: "back"})
    both = there.merge(back, on=keys, how="left" if undecided_is_no else "inner")
    both[LABEL] = ((both[LABEL] > 0) & (both["back"].fillna(0) > 0)).astype("int64")
    return both[[*keys, LABEL]].sort_values(keys, ignore_index=True)
