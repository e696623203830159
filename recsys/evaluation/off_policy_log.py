"""A log of impressions with what came of them, out of the events of a service and the lists it published."""

from typing import Final

import numpy as np
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.times import need_times
from recsys.errors import InputError, explained, need_columns, warn
from recsys.evaluation.off_policy_tables import LIKE, MATCH, PREDICTED

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
