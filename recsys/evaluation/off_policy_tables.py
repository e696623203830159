"""A log for off-policy evaluation, and what it and its lists hold: outcomes, propensities, places."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.times import need_times
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


_PAIR: Final = [C.VIEWER, C.CANDIDATE]


@checked_arguments
def off_policy_log(
    events: Events | pd.DataFrame, lists: pd.DataFrame, *, answered_days: int = 7
) -> pd.DataFrame:
    """Return the impressions of a log as `off_policy` reads them.

    events: actor, target, type, ts, position and propensity; impressions and likes are read. lists:
    viewer_id, candidate_id, p_like and p_liked_back of the publications the impressions are of; of a pair
    that was published twice the last row. A like belongs to the viewer's last impression of the candidate
    before it; it is a match when the other liked the viewer before, or within `answered_days` after it.

    Columns: viewer_id, candidate_id, ts, position, propensity, like, match, p_like, p_liked_back; a row an
    impression. Left out, with a warning that counts them: impressions without a propensity, of pairs in none
    of the lists (a page that was filled up at serve time), and those of the last `answered_days`, whose likes
    are not answered yet.

    Raises MissingColumnError for a missing column, InputError for `ts` that are no times and when no
    impression is left.

    >>> at = pd.to_datetime([f"2026-03-{day}T20:00Z" for day in ("02", "02", "04", "12")])
    >>> events = pd.DataFrame({"actor": ["a", "a", "b", "b"], "target": ["b", "b", "a", "a"], "ts": at,
    ...     "type": ["impression", "like", "like", "like"], "position": 1.0, "propensity": 0.25})
    >>> lists = pd.DataFrame({"viewer_id": ["a"], "candidate_id": ["b"]})
    >>> lists = lists.assign(p_like=0.4, p_liked_back=0.5)
    >>> off_policy_log(events, lists)[["viewer_id", "propensity", "like", "match"]].values.tolist()
    [['a', 0.25, True, True]]
    """
    table = events.frame if isinstance(events, Events) else events
    need_columns([C.ACTOR, C.TARGET, C.TYPE, C.TS, C.POSITION, C.PROPENSITY], table.columns, where="events")
    need_times(table[C.TS], where="events", zone=False)
    need_columns([*_PAIR, *PREDICTED], lists.columns, where="the lists")
    table = table.rename(columns={C.ACTOR: C.VIEWER, C.TARGET: C.CANDIDATE})
    table = table.astype(dict.fromkeys([*_PAIR, C.TYPE], "str")).sort_values(C.TS, kind="stable")
    shown, liked = (table[table[C.TYPE] == kind] for kind in ("impression", "like"))
    predicted = lists[[*_PAIR, *PREDICTED]].astype(dict.fromkeys(_PAIR, "str"))
    predicted = predicted.drop_duplicates(_PAIR, keep="last")
    shown = shown[[*_PAIR, C.TS, C.POSITION, C.PROPENSITY]].merge(
        predicted.assign(listed_=1.0), "left", _PAIR
    )
    window = pd.Timedelta(days=answered_days)
    left_out = {
        "without a propensity": shown[C.PROPENSITY].isna(),
        "of pairs in none of the lists": shown["listed_"].isna(),
        "of the last nights": shown[C.TS] > table[C.TS].max() - window,
    }
    kept = ~np.logical_or.reduce(list(left_out.values()))
    said = ", ".join(f"{int(out.sum()):,} {why}" for why, out in left_out.items() if out.any())
    if not kept.any():
        remedy = "give events with a propensity, and the lists they were shown from"
        raise InputError(explained(f"no impression can be read: {said or 'there is none'}", remedy=remedy))
    if said:
        warn(f"of {len(shown):,} impressions left out: {said}")
    likes = liked[[*_PAIR, C.TS]].drop_duplicates(_PAIR).rename(columns={C.TS: "liked_"})
    back = likes.set_axis([C.CANDIDATE, C.VIEWER, "back_"], axis=1)
    log = shown.merge(likes, "left", _PAIR).merge(back, "left", _PAIR)
    following = log.groupby(_PAIR, sort=False)[C.TS].shift(-1)
    like = (log["liked_"] >= log[C.TS]) & ~(log["liked_"] >= following)
    match = like & (log["back_"] <= log["liked_"] + window)
    columns = [*_PAIR, C.TS, C.POSITION, C.PROPENSITY, LIKE, MATCH, *PREDICTED]
    return log.assign(**{LIKE: like, MATCH: match}).loc[kept, columns].reset_index(drop=True)
