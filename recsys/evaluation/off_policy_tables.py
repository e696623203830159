"""What an off-policy log and its lists have to hold: outcomes, chances and places that can be meant."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.errors import InputError, explained, need_columns, warn
from recsys.evaluation.protocol import numbers, refuse_other_ids
from recsys.types import BoolArray, Float64Array

LIKE: Final = "like"
MATCH: Final = "match"
CHANCE: Final = "chance"
PREDICTED: Final = (C.P_LIKE, C.P_LIKED_BACK)
_ROUNDING: Final = 1e-6
_SURELY: Final = 3.0
_DRAWN: Final = 0.5


def check_tables(log: pd.DataFrame, lists: pd.DataFrame, placed: bool, covariates: Sequence[str]) -> None:
    """Raise InputError for a log or lists that cannot be meant; placed: places are read.

    Raises MissingColumnError when a column is missing.
    """
    needed = [C.VIEWER, C.CANDIDATE, C.PROPENSITY, LIKE, MATCH, *([C.POSITION] if placed else [])]
    known = [name for name in log.columns if name not in PREDICTED]  # 'p_like' is no 'like' to be renamed
    need_columns([*needed, *covariates], log.columns if set(needed) <= set(known) else known, where="the log")
    need_columns([C.VIEWER, C.CANDIDATE, C.RANK, *covariates], lists.columns, where="the lists")
    if lists.duplicated([C.VIEWER, C.CANDIDATE]).any():
        raise InputError(explained("a pair stands twice", where="the lists"))
    shown = [name for name in (C.VIEWER, C.CANDIDATE, C.POSITION, C.TS) if name in log]
    if C.TS in log and log.duplicated(shown).any():  # without times a pair may have been shown twice
        got = log.loc[log.duplicated(shown), [C.VIEWER, C.CANDIDATE, C.TS]].iloc[0].astype(str).tolist()
        remedy = "leave out rows that stand twice"
        raise InputError(explained("an impression stands twice", where="the log", got=got, remedy=remedy))
    refuse_other_ids("", lists, log, of="the log")
    propensity, like, match = (numbers(log, name) for name in (C.PROPENSITY, LIKE, MATCH))
    remedy = "leave out impressions that were not drawn with a known chance"
    refuse(~((propensity > 0.0) & (propensity <= 1.0)), propensity, "a propensity is not in (0, 1]", remedy)
    for name, values in ((LIKE, like), (MATCH, match)):
        remedy = "write 1 for yes and 0 for no, and leave out impressions of which it is not known"
        refuse(~np.isin(values, (0.0, 1.0)), values, f"'{name}' is neither 0 nor 1", remedy)
    remedy = "a match is a like of the viewer and an answer: write both"
    refuse((match > like), match, "a match without a like", remedy)
    if placed:
        position = numbers(log, C.POSITION)
        refuse(~(position >= 1.0), position, "a position is below 1", "number places from 1")
    rank = numbers(lists, C.RANK, where="the lists")
    refuse(~(rank >= 1.0), rank, "a rank is below 1", "number places from 1", where="the lists")
    for table, where in ((log, "the log"), (lists, "the lists")):
        for name in (one for one in PREDICTED if one in table):
            values = numbers(table, name, where=where)
            wrong = (values < -_ROUNDING) | (values > 1.0 + _ROUNDING)  # NaN is not known
            refuse(wrong, values, f"'{name}' is not in [0, 1]", "write 40 % as 0.4", where=where)


def drawn_lists(log: pd.DataFrame, lists: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the impressions of lists that were drawn by chance, and the lists of their viewers.

    A night that draws a share of its lists logs chances given that a list was drawn, and 1 for what was sure.
    The others say nothing of other lists; in a log of both the drawn have a fraction of their weight. A list
    counts as drawn when half or more of its impressions have a chance below 1; with `ts` in the log a viewer
    has a list a day. A single place of minimum exposure does not make one. Both tables are returned as they
    are when every list or none was drawn; otherwise a warning says of how many viewers estimates are.
    """
    by = [log[C.VIEWER], log[C.TS].dt.floor("D")] if C.TS in log else [log[C.VIEWER]]
    kept = (log[C.PROPENSITY] < 1.0).groupby(by).transform("mean") >= _DRAWN
    if kept.all() or not kept.any():
        return log, lists
    viewers = log.loc[kept, C.VIEWER].unique()
    warn(
        f"{len(viewers):,} of the {log[C.VIEWER].nunique():,} viewers of the log had a list that was drawn "
        "by chance; estimates are of their lists alone, which stand for all where they were drawn out of all"
    )
    return log[kept], lists[lists[C.VIEWER].isin(viewers)]


def refuse(wrong: BoolArray, values: Float64Array, what: str, remedy: str, *, where: str = "the log") -> None:
    """Raise InputError with the first of the rows that are wrong, and how many there are."""
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        got = f"{values[row]:g} in row {row}, {int(wrong.sum())} of {len(wrong)} rows"
        raise InputError(explained(what, where=where, got=got, remedy=remedy))


def contradiction(log: pd.DataFrame) -> str:
    """Return what the matches of a log say against p_liked_back, empty when they agree or it is not known.

    Matches among the likes are set beside the sum of p_liked_back over them; they contradict each other
    beyond three standard errors of that sum, or three matches where it is that small.
    """
    if C.P_LIKED_BACK not in log:
        return ""
    answer = numbers(log, C.P_LIKED_BACK)
    liked = (numbers(log, LIKE) == 1.0) & np.isfinite(answer)
    expected, found = float(answer[liked].sum()), float(numbers(log, MATCH)[liked].sum())
    error = float(np.sqrt(max((answer[liked] * (1.0 - answer[liked])).sum(), 1.0)))
    if abs(found - expected) <= _SURELY * error:
        return ""
    said = f"p_liked_back says {expected:.0f} matches among {int(liked.sum())} likes, the log has {found:.0f}"
    warn(f"{said}: trust 'dr' and 'snips', not the estimators that take the answer from p_liked_back")
    return said
