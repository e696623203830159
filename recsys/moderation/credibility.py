"""Reports and flags: whom they concern, how credible the reporter is, and how far somebody is demoted."""

from typing import Final

import numpy as np
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.events import Events
from recsys.data.times import MICROSECONDS_A_DAY, as_utc, microseconds
from recsys.moderation.review_policy import MOST_GRAVE, ReviewPolicy, load_policy

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
    detail = frame[C.DETAIL].astype(object).where(frame[C.DETAIL].notna(), "")
    of_type = frame[C.TYPE].astype(object)  # a kept night holds categories
    kind = of_type.where(detail == "", of_type + "." + detail)
    unknown = (of_type == "report") & ~kind.isin(list(policy.kinds))
    kind = kind.mask(unknown, "report.other")
    chosen = kind.isin(list(policy.kinds)) & frame[C.TARGET].notna() & (frame[C.ACTOR] != frame[C.TARGET])
    named = frame if C.EVENT in frame else frame.assign(**{C.EVENT: ""})  # compact events have no ids
    found = named.loc[chosen, [C.EVENT, C.TS, C.ACTOR, C.TARGET]].assign(**{KIND: kind[chosen]})
    by_actor = found[KIND].map(lambda name: policy.kinds[name].by == "actor").astype(bool)
    found[PERSON] = found[C.ACTOR].where(by_actor, found[C.TARGET])
    found[REPORTER] = found[C.TARGET].where(by_actor, found[C.ACTOR])
    found[GRAVITY] = found[KIND].map(lambda name: policy.kinds[name].gravity).astype("int64")
    return found[list(FLAG_COLUMNS)].reset_index(drop=True)


def is_accusation(found: pd.DataFrame, policy: ReviewPolicy) -> pd.Series:
    """Say which flags rest on what another person says, rather than on an act the service saw."""
    return found[KIND].map(lambda name: policy.kinds[name].by == "target").astype(bool)


def mutual_accusations(found: pd.DataFrame, policy: ReviewPolicy) -> pd.Series:
    """Say which accusations are between two who accuse each other: for people, and for nothing else."""
    accusations = found[is_accusation(found, policy)]
    pairs = set(zip(accusations[REPORTER], accusations[PERSON], strict=True))
    both = [
        (person, reporter) in pairs and (reporter, person) in pairs
        for person, reporter in zip(found[PERSON], found[REPORTER], strict=True)
    ]
    return pd.Series(both, index=found.index, dtype=bool)


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
    standing = reporter_standing(accusations, events, policy)
    trusted = standing["verified"] & standing["settled"]
    knew = np.where(standing["talked"], 1.0, policy.stranger)
    return pd.Series(
        np.where(trusted, knew / standing["accused"].astype(float), 0.0), index=accusations.index
    )


def reporter_standing(accusations: pd.DataFrame, events: Events, policy: ReviewPolicy) -> pd.DataFrame:
    """Return how the reporter of each accusation stood when it was made.

    verified: whether they held the policy's tier; settled: whether their account was old enough; accused: how
    many people they had accused so far, this one included; talked: whether both had written to each other.
    """
    named = pd.unique(pd.concat([accusations[REPORTER], accusations[PERSON]]))
    known = events.frame[events.frame[C.ACTOR].isin(named)]  # few did anything that counts here
    verified = _verified_since(known, policy.verified)
    joined = _first(known, "terms_accepted")
    ts, reporter = accusations[C.TS], accusations[REPORTER]
    new = ~accusations.duplicated([REPORTER, PERSON])
    return pd.DataFrame(
        {
            "verified": _looked_up(reporter, verified) <= ts,
            "settled": ts - _looked_up(reporter, joined) >= policy.settled_days * _DAY,
            "accused": new.groupby(reporter, sort=False).cumsum().astype("int64"),
            "talked": _talked(accusations, known),
        },
        index=accusations.index,
    )


def _looked_up(ids: pd.Series, times: pd.Series) -> pd.Series:
    """Return each id's time, missing where there is none; comparing with a missing time is False."""
    known = times.to_dict()
    found = pd.DatetimeIndex([known.get(who, pd.NaT) for who in ids], tz="UTC")
    return pd.Series(found.as_unit("us"), index=ids.index)


def _first(frame: pd.DataFrame, kind: str) -> pd.Series:
    return frame[frame[C.TYPE] == kind].groupby(C.ACTOR)[C.TS].min()


def _verified_since(frame: pd.DataFrame, tier: str) -> pd.Series:
    """Return since when each person holds the tier; who was last verified at less holds it no more."""
    verified = frame[(frame[C.TYPE] == "verified") & frame[C.DETAIL].isin(_TIERS)]
    enough = verified[C.DETAIL].isin(_TIERS[_TIERS.index(tier) :])
    since = verified[enough].groupby(C.ACTOR)[C.TS].min()
    last = enough.groupby(verified[C.ACTOR]).last()
    return since[since.index.isin(last.index[last.astype(bool)])]


def _talked(accusations: pd.DataFrame, frame: pd.DataFrame) -> pd.Series:
    """Say in which accusations both had written to each other before."""
    first = frame[frame[C.TYPE] == "message"].groupby([C.ACTOR, C.TARGET])[C.TS].min()
    forward = pd.MultiIndex.from_frame(accusations[[REPORTER, PERSON]])
    backward = pd.MultiIndex.from_frame(accusations[[PERSON, REPORTER]])
    both = pd.Series(True, index=accusations.index)
    for pair in (forward, backward):
        wrote = pd.to_datetime(pd.Series(first.reindex(pair).array, index=accusations.index), utc=True)
        both &= wrote.astype("datetime64[us, UTC]") <= accusations[C.TS]
    return both


COLUMNS = (PERSON, "reporters", "weight", "factor")


@checked_arguments
def demotions(
    events: Events, as_of: str | pd.Timestamp | None = None, *, policy: ReviewPolicy | None = None
) -> pd.DataFrame:
    """Return whom to show lower until people decide: user_id, reporters, weight, factor in (0, 1).

    Each distinct reporter counts once, with their weightiest accusation: credibility x gravity / 4 x
    0.5 ** (days / half_life_days). The factor is 1 / (1 + the sum), for people with at least
    `least_reporters` credible reporters; everybody else is not in the table. Two who accuse each other
    move nothing: that is for people to look at.

    >>> demotions(Events.none()).empty
    True
    """
    rules = load_policy() if policy is None else policy
    known = events.until(None if as_of is None else as_utc(as_of)).without_erased()
    weighed = accusation_weights(flags(known, rules), known, as_of, rules)
    best = weighed.groupby([PERSON, REPORTER], sort=True)["weight"].max()
    sums = best[best > 0].groupby(level=PERSON).agg(["size", "sum"])
    sums = sums[sums["size"] >= rules.least_reporters]
    return pd.DataFrame(
        {
            PERSON: sums.index.to_numpy(object),
            "reporters": sums["size"].to_numpy(int),
            "weight": sums["sum"].to_numpy(float),
            "factor": 1.0 / (1.0 + sums["sum"].to_numpy(float)),
        },
        columns=list(COLUMNS),
    )


def accusation_weights(
    found: pd.DataFrame, events: Events, as_of: str | pd.Timestamp | None, policy: ReviewPolicy
) -> pd.DataFrame:
    """Return the accusations with `weight`, in [0, 1], and `credible`; mutual ones weigh nothing."""
    accusations = found[is_accusation(found, policy)]
    trust = credibility(accusations, events, policy).astype(float)
    decay = _decay(accusations[C.TS], as_of, events, policy)
    weight = trust * accusations[GRAVITY].astype(float) / MOST_GRAVE * decay
    counted = weight.where(~mutual_accusations(accusations, policy), 0.0).astype(float)
    return accusations.assign(credible=trust > 0, weight=counted)


def _decay(
    ts: pd.Series, as_of: str | pd.Timestamp | None, events: Events, policy: ReviewPolicy
) -> pd.Series:
    """Return 1 for what was said just now, a half after a half-life, a quarter after two."""
    last = as_utc(as_of) if as_of is not None else events.last
    now = 0 if last is None else microseconds(last)
    moments = ts.astype("datetime64[us, UTC]").astype("int64").to_numpy()
    days = (now - moments) / MICROSECONDS_A_DAY
    return pd.Series(0.5 ** (days / policy.half_life_days), index=ts.index)
