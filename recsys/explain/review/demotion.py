"""How much lower a person is shown until people have decided."""

import pandas as pd

from recsys.explain.review.credibility import credibility
from recsys.explain.review.flags import GRAVITY, PERSON, REPORTER, flags, is_accusation, mutual
from recsys.explain.review.policy import MOST_GRAVE, ReviewPolicy, load_policy
from recsys.history.events import Events, microseconds
from recsys.schema.columns import Columns as C
from recsys.schema.population import as_utc

COLUMNS = (PERSON, "reporters", "weight", "factor")
_MICROSECONDS_A_DAY = 86_400_000_000


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
    weighed = weights(flags(known, rules), known, as_of, rules)
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


def weights(
    found: pd.DataFrame, events: Events, as_of: str | pd.Timestamp | None, policy: ReviewPolicy
) -> pd.DataFrame:
    """Return the accusations with `weight`, in [0, 1], and `credible`; mutual ones weigh nothing."""
    said = found[is_accusation(found, policy)]
    trust = credibility(said, events, policy).astype(float)
    weight = trust * said[GRAVITY].astype(float) / MOST_GRAVE * _decay(said[C.TS], as_of, events, policy)
    return said.assign(credible=trust > 0, weight=weight.where(~mutual(said, policy), 0.0).astype(float))


def _decay(
    ts: pd.Series, as_of: str | pd.Timestamp | None, events: Events, policy: ReviewPolicy
) -> pd.Series:
    """Return 1 for what was said just now, a half after a half-life, a quarter after two."""
    last = as_utc(as_of) if as_of is not None else events.last
    now = 0 if last is None else microseconds(last)
    said = ts.astype("datetime64[us, UTC]").astype("int64").to_numpy()
    days = (now - said) / _MICROSECONDS_A_DAY
    return pd.Series(0.5 ** (days / policy.half_life_days), index=ts.index)
