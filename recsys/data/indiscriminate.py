"""People who like nearly everybody: their likes say little, and do not fill what a model learns from."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from recsys.data.events import Events
from recsys.types import BoolArray, Int64Array

_LEAST_DECISIONS: Final = 20
_FEW_DECISIONS: Final = 5
_PRIOR_DECISIONS: Final = 10.0
_EAGER: Final = 0.75
_TOLERANCE: Final = 1.5
_MOST: Final = 0.9
_MANY: Final = 4.0
MOST_LIKES_A_DAY: Final = 50
_KEPT: Final = "without_excess_likes"


@dataclass(frozen=True, eq=False)
class _Eagerness:
    """Whose share of likes is far above that of three in four people, and who likes far more than most.

    share, many: `(n_people,)` bool. most: the likes of nine in ten people who decide.
    """

    share: BoolArray
    many: BoolArray
    most: float

    @classmethod
    def of(cls, likes: Int64Array, decisions: Int64Array) -> "_Eagerness":
        deciding = decisions >= _FEW_DECISIONS
        if not deciding.any():
            return cls(np.zeros(len(likes), bool), np.zeros(len(likes), bool), 0.0)
        usual = float(np.median(likes[deciding] / decisions[deciding]))
        share = (likes + _PRIOR_DECISIONS * usual) / (decisions + _PRIOR_DECISIONS)
        eager, most = (
            float(np.quantile(share[deciding], _EAGER)),
            float(np.quantile(likes[deciding], _MOST)),
        )
        enough = decisions >= _LEAST_DECISIONS
        return cls(
            enough & (share > min(_TOLERANCE * eager, (1 + eager) / 2)), enough & (likes > _MANY * most), most
        )


def likes_nearly_everybody(likes: Int64Array, decisions: Int64Array, most_a_day: Int64Array) -> BoolArray:
    """Say whose likes say little, `(n_people,)` bool.

    likes, decisions: `(n_people,)`, distinct people they liked, and liked, passed or hid. most_a_day: likes
    on their busiest day. Of people with at least twenty decisions, those whose share of likes is far above
    that of three in four people, and those with four times the likes of nine in ten people; and whoever ever
    liked more than `MOST_LIKES_A_DAY` people in a day. Shares are smoothed by ten usual decisions.

    >>> likes = np.array([50, *[10] * 9])
    >>> likes_nearly_everybody(likes, np.full(10, 50), np.full(10, 5)).nonzero()[0].tolist()
    [0]
    """
    found = _Eagerness.of(likes, decisions)
    return found.share | found.many | (most_a_day > MOST_LIKES_A_DAY)


def without_excess_likes(events: Events) -> Events:
    """Return the events without the later likes of whoever likes nearly everybody and far more than most.

    Of each of them as many likes stay, the earliest, as nine in ten people have given. A few people who like
    everybody would else be most of the likes a model learns from, and move the chance of a like of everybody.
    Where a log has no passes everybody's share of likes is the same, and nothing is left out.

    >>> import pandas as pd
    >>> rows = [("a", f"p{at}", "like") for at in range(60)]
    >>> rows += [(f"p{at}", f"q{to}", "like" if to < 2 else "pass") for at in range(9) for to in range(6)]
    >>> events = Events.of(pd.DataFrame(rows, columns=["actor", "target", "type"]))
    >>> len(events), len(without_excess_likes(events))
    (114, 62)

    What is left is kept beside the events for as long as these are. The arrays that they were looked through
    in are not: of a large log they take as much as the events themselves.
    """
    kept: Events | None = events.__dict__.get(_KEPT)
    if kept is None:
        kept = _without_excess_likes(events)
        if kept is not events:
            events.__dict__[_KEPT] = kept
            events.forget_coded()
    return kept


def _without_excess_likes(events: Events) -> Events:
    coded = events.coded
    likes, n_people = coded.are("like"), len(coded.people)
    given = np.bincount(coded.actor[likes], minlength=n_people)
    decisions = np.bincount(coded.actor[coded.are("like", "pass", "hide")], minlength=n_people)
    found = _Eagerness.of(given, decisions)
    flagged = np.flatnonzero(found.share & found.many)
    if not len(flagged):
        return events
    kept, is_flagged = np.ones(len(coded.actor), bool), np.zeros(n_people, bool)
    is_flagged[flagged] = True
    rows = np.flatnonzero(likes & is_flagged[coded.actor])
    rows = rows[np.argsort(coded.actor[rows], kind="stable")]  # of one after another, each in time order
    first = np.searchsorted(coded.actor[rows], coded.actor[rows])
    kept[rows[np.arange(len(rows)) - first >= int(np.ceil(found.most))]] = False
    return Events(events.frame[kept].reset_index(drop=True))
