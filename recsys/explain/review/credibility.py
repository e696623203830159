"""How far a report may be leaned on before people have looked at it."""

import numpy as np
import pandas as pd

from recsys.explain.review.flags import PERSON, REPORTER
from recsys.explain.review.policy import ReviewPolicy
from recsys.history.events import Events
from recsys.schema.columns import Columns as C
from recsys.schema.vocabulary import ENUMERATIONS

_TIERS = ENUMERATIONS[C.VERIFICATION].words
_DAY = pd.Timedelta(days=1)


def credibility(accusations: pd.DataFrame, events: Events, policy: ReviewPolicy) -> pd.Series:
    """Return the credibility of each accusation, in [0, 1], from what was known when it was made.

    Nothing for a reporter who was not verified at the policy's tier, or whose account was not settled yet.
    Else 1 divided by the number of people they accused so far, times `stranger` when the two never
    exchanged a word. A crowd of new accounts weighs nothing, however large; a person who reports everybody
    weighs little.
    """
    if accusations.empty:
        return pd.Series(dtype=float, index=accusations.index)
    verified = _verified_since(events, policy.verified)
    joined = _first(events, "terms_accepted")
    ts, reporter = accusations[C.TS], accusations[REPORTER]
    settled = ts - _looked_up(reporter, joined) >= policy.settled_days * _DAY
    trusted = (_looked_up(reporter, verified) <= ts) & settled
    new = ~accusations.duplicated([REPORTER, PERSON])
    accused = new.groupby(reporter, sort=False).cumsum()
    knew = np.where(_talked(accusations, events), 1.0, policy.stranger)
    return pd.Series(np.where(trusted, knew / accused.astype(float), 0.0), index=accusations.index)


def _looked_up(ids: pd.Series, times: pd.Series) -> pd.Series:
    """Return each id's time, missing where there is none; comparing with a missing time is False."""
    known = times.to_dict()
    found = pd.DatetimeIndex([known.get(who, pd.NaT) for who in ids], tz="UTC")
    return pd.Series(found.as_unit("us"), index=ids.index)


def _first(events: Events, kind: str) -> pd.Series:
    frame = events.frame
    return frame[frame[C.TYPE] == kind].groupby(C.ACTOR)[C.TS].min()


def _verified_since(events: Events, tier: str) -> pd.Series:
    """Return since when each person holds the tier; who was last verified at less holds it no more."""
    frame = events.frame
    said = frame[(frame[C.TYPE] == "verified") & frame[C.DETAIL].isin(_TIERS)]
    enough = said[C.DETAIL].isin(_TIERS[_TIERS.index(tier) :])
    since = said[enough].groupby(C.ACTOR)[C.TS].min()
    last = enough.groupby(said[C.ACTOR]).last()
    return since[since.index.isin(last.index[last.astype(bool)])]


def _talked(accusations: pd.DataFrame, events: Events) -> pd.Series:
    """Say in which accusations both had written to each other before."""
    frame = events.frame
    first = frame[frame[C.TYPE] == "message"].groupby([C.ACTOR, C.TARGET])[C.TS].min()
    forward = pd.MultiIndex.from_frame(accusations[[REPORTER, PERSON]])
    backward = pd.MultiIndex.from_frame(accusations[[PERSON, REPORTER]])
    both = pd.Series(True, index=accusations.index)
    for pair in (forward, backward):
        wrote = pd.to_datetime(pd.Series(first.reindex(pair).array, index=accusations.index), utc=True)
        both &= wrote.astype("datetime64[us, UTC]") <= accusations[C.TS]
    return both
