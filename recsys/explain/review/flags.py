"""Events that come before people: who is concerned, who said so, and how grave it is."""

from typing import Final

import pandas as pd

from recsys.explain.review.policy import ReviewPolicy
from recsys.history.events import Events
from recsys.schema.columns import Columns as C

PERSON: Final = C.USER
REPORTER: Final = "reporter"
KIND: Final = "kind"
GRAVITY: Final = "gravity"
FLAG_COLUMNS: Final = (C.EVENT, C.TS, PERSON, REPORTER, KIND, GRAVITY)


def flags(events: Events, policy: ReviewPolicy) -> pd.DataFrame:
    """Return one row an event to review: event_id, ts, user_id, reporter, kind, gravity; in time order.

    user_id is the person it is about, reporter the other of the two. A report of an unknown category is
    `report.other`.
    """
    frame = events.frame
    detail = frame[C.DETAIL].where(frame[C.DETAIL].notna(), "")
    kind = frame[C.TYPE].astype(object).where(detail == "", frame[C.TYPE] + "." + detail.astype(object))
    unknown = (frame[C.TYPE] == "report") & ~kind.isin(list(policy.kinds))
    kind = kind.mask(unknown, "report.other")
    chosen = kind.isin(list(policy.kinds)) & frame[C.TARGET].notna() & (frame[C.ACTOR] != frame[C.TARGET])
    found = frame.loc[chosen, [C.EVENT, C.TS, C.ACTOR, C.TARGET]].assign(**{KIND: kind[chosen]})
    by_actor = found[KIND].map(lambda name: policy.kinds[name].by == "actor").astype(bool)
    found[PERSON] = found[C.ACTOR].where(by_actor, found[C.TARGET])
    found[REPORTER] = found[C.TARGET].where(by_actor, found[C.ACTOR])
    found[GRAVITY] = found[KIND].map(lambda name: policy.kinds[name].gravity).astype("int64")
    return found[list(FLAG_COLUMNS)].reset_index(drop=True)


def is_accusation(found: pd.DataFrame, policy: ReviewPolicy) -> pd.Series:
    """Say which flags rest on what another person says, rather than on an act the service saw."""
    return found[KIND].map(lambda name: policy.kinds[name].by == "target").astype(bool)


def mutual(found: pd.DataFrame, policy: ReviewPolicy) -> pd.Series:
    """Say which accusations are between two who accuse each other: for people, and for nothing else."""
    said = found[is_accusation(found, policy)]
    pairs = set(zip(said[REPORTER], said[PERSON], strict=True))
    both = [
        (person, reporter) in pairs and (reporter, person) in pairs
        for person, reporter in zip(found[PERSON], found[REPORTER], strict=True)
    ]
    return pd.Series(both, index=found.index, dtype=bool)
