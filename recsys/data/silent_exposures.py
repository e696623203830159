"""Exposures without an answer: how many were looked at, and what a further look at the same person counts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import LARGE_LOG, Events
from recsys.data.examination import Examination, credited
from recsys.data.labels import PairLabels
from recsys.data.pair_keys import positions_in
from recsys.types import BoolArray, Float64Array

_MOST_SAID: Final = 0.95
_LEAST_LOOKED: Final = 1e-6
_LEAST_NO: Final = 1e-3
_ROUNDS: Final = 20
_GRID: Final = 1 << 30
"""1 / s is a multiple of one over this."""
_NEWTON_STEPS: Final = 12
_PRIOR_LOOKS: Final = 50.0
"""Further looks that are as often liked as first ones, added to those of the log."""


def p_examined(unexamined_odds: Float64Array, p_like: Float64Array | float) -> Float64Array:
    """Return P(examined | no answer)."""
    no = np.maximum(1.0 - np.asarray(p_like, np.float64), _LEAST_NO)
    return np.asarray(no / (no + unexamined_odds), np.float64)


@dataclass(frozen=True, eq=False)
class SilentExposures:
    """Exposures of each pair that no answer followed, until its answer if there is one; `(n_pairs,)` each.

    Whoever looked at somebody before and did not like them likes them less often than somebody new: of
    those shown again, fewer are of the kind that is liked. So a further look counts less, by how much
    seldomer it ends in a like, and likes among looks are those of a first look (`RepeatedLooks`).

    count: how many, each by what it counts. latest: when the last was, microseconds since 1970. odds: of not
    having examined one of them, see `Impressions`. looks: how many were examined, as expected where all pairs
    like equally often.
    """

    count: Float64Array
    latest: npt.NDArray[np.int64]
    odds: Float64Array
    looks: Float64Array

    @classmethod
    def of(cls, found: "OpenExposures", n_pairs: int) -> "SilentExposures":
        """Count the exposures of each of `n_pairs` pairs."""
        at, followed, share = found.pair, found.followed, found.repeated.share
        silent = np.where(followed, 0.0, share)
        # an answer counts as one look; what it is more than its share is taken from the looks before it
        less, count, looks = (
            np.bincount(at, each, n_pairs).astype(np.float64)
            for each in (np.where(followed, 1.0 - share, 0.0), silent, silent * found.looked)
        )
        kept = np.maximum(1.0 - less / np.maximum(looks, _LEAST_LOOKED), 0.0)
        latest = np.zeros(n_pairs, np.int64)
        np.maximum.at(latest, at[~followed], found.ts[~followed])
        # one number a pair: the odds that give as many looks where the pair likes as often as others do
        no = max(1.0 - found.rate, _LEAST_NO)
        return cls(
            count=count * kept,
            latest=latest,
            odds=np.where(count > 0, no * (count / np.maximum(looks, _LEAST_LOOKED) - 1.0), 0.0),
            looks=looks * kept,
        )


@dataclass(frozen=True, eq=False)
class OpenExposures:
    """Exposures until the answer of their pair, by pair, then time; `(n_exposures,)` each.

    pair: position of their pair. ts: microseconds since 1970. followed: by an answer that they brought about.
    looked: chance that each was examined, as expected where all pairs like equally often.
    rate: likes among looks, those of further looks by what they count.
    """

    pair: npt.NDArray[np.int64]
    ts: npt.NDArray[np.int64]
    followed: BoolArray
    looked: Float64Array
    rate: float
    repeated: "RepeatedLooks"

    @classmethod
    def of(
        cls,
        events: Events,
        labels: PairLabels,
        answered: BoolArray,
        first: npt.NDArray[np.int64],
        is_reply: BoolArray,
    ) -> "OpenExposures":
        """Find them; answered, first, is_reply: of each pair of labels, first when it was decided about.

        How often a no stays unsaid is taken to be the same for everybody: of the looks that the places of
        all exposures make likely, those that ended neither in a like nor in a stated no.
        """
        at, ts, places, followed = _open_exposures(events, labels, answered, first, is_reply)
        if not len(at):
            none = np.zeros(0)
            return cls(at, ts, followed, none, 0.5, RepeatedLooks(none))
        examined = Examination.fit(places, followed).of_logged(places)
        del places  # as all that is not needed any more: of a large log exposures are most of the memory
        liked = followed & (labels.label[at] > 0)
        noes = float((followed & ~liked).sum())
        unsaid = 1.0 - min(noes / max(float(examined.sum()) - float(liked.sum()), 1.0), _MOST_SAID)
        odds = np.where(followed, 0.0, (1.0 - examined) / (np.maximum(examined, _LEAST_LOOKED) * unsaid))
        del examined
        likes, others = float(labels.label[answered].sum()), int(answered.sum()) - int(followed.sum())
        rate, repeated, looks = 0.5, RepeatedLooks(np.ones(len(at))), ExposureOrder.of(at, liked)
        for _ in range(_ROUNDS if answered.any() else 0):
            looked = p_examined(odds, rate)
            repeated = looks.repeated(looked, near=repeated.inverse_precision)
            rate = likes / (others + float((repeated.share * looked).sum()))
        return cls(at, ts, followed, p_examined(odds, rate), rate, repeated)


def _open_exposures(
    events: Events,
    labels: PairLabels,
    answered: BoolArray,
    first: npt.NDArray[np.int64],
    is_reply: BoolArray,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Float64Array, BoolArray]:
    """Return pair, time, place and `followed` of `OpenExposures`; a place is NaN where it is not known."""
    coded, n = events.coded, len(answered)
    shown = np.flatnonzero(coded.are("impression") & (coded.target >= 0))
    own = coded.actor[shown] * len(coded.people) + coded.target[shown]
    at = positions_in(labels.pair, own).clip(0, max(n - 1, 0))
    known = labels.pair[at] == own if n else np.zeros(len(at), bool)
    del own
    shown, at = shown[known], at[known]
    order = np.lexsort((coded.ts[shown], at))
    at, shown = at[order], shown[order]
    del order
    said = np.flatnonzero(answered)
    is_open, followed = credited(at, coded.ts[shown], said, first[said])
    at, shown, followed = at[is_open], shown[is_open], followed[is_open] & ~is_reply[at[is_open]]
    ts = coded.ts[shown]
    places = (
        pd.to_numeric(events.frame[C.POSITION]).to_numpy(np.float64)[shown] if len(shown) else np.zeros(0)
    )
    if len(events) > LARGE_LOG:
        events.forget_coded()  # as large as all that is kept of exposures
    return at, ts, places, followed


@dataclass(frozen=True, eq=False)
class RepeatedLooks:
    """How much seldomer a further look at the same person ends in a like.

    With chances of pairs that follow a beta distribution of precision s, the chance after k looks without a
    like is `s / (s + k)` of that of a first look.

    share: `(n_exposures,)` that share, 1 for the first of a pair. inverse_precision: 1 / s, 0 or more.
    """

    share: Float64Array
    inverse_precision: float = 0.0


@dataclass(frozen=True, eq=False)
class ExposureOrder:
    """Which exposures `(n_exposures,)`, in the order of pairs, then of time, are first and which further.

    is_first: of each. first, further: their places. likes_first, likes_further: how many ended in a like.
    """

    is_first: BoolArray
    first: npt.NDArray[np.int64]
    further: npt.NDArray[np.int64]
    likes_first: int
    likes_further: int

    @classmethod
    def of(cls, pair: npt.NDArray[np.integer], liked: BoolArray) -> "ExposureOrder":
        """Find them. pair: of each exposure. liked: whether it ended in a like."""
        is_first = np.append(True, pair[1:] != pair[:-1])
        first, further = np.flatnonzero(is_first), np.flatnonzero(~is_first)
        return cls(is_first, first, further, int(liked[first].sum()), int(liked[further].sum()))

    def repeated(self, looked: Float64Array, near: float = 0.0) -> RepeatedLooks:
        """Learn s from the chance that each exposure was examined, `(n_exposures,)`.

        s is what makes the likes of all further looks as many as there are, infinite where they are no fewer
        than of first looks; few looks move it little from there. near: where 1 / s is looked for first.
        """
        total = np.cumsum(looked) - looked
        before = total - np.maximum.accumulate(np.where(self.is_first, total, 0.0))
        rate = self.likes_first / max(float(looked[self.first].sum()), 1.0)
        further, k = looked[self.further], before[self.further]
        expected = rate * (float(further.sum()) + _PRIOR_LOOKS)
        seen = self.likes_further + rate * _PRIOR_LOOKS
        if not len(further) or seen >= expected or rate <= 0.0:
            return RepeatedLooks(np.ones(len(looked)))

        def more_likes(at: int) -> bool:
            return rate * (float((further / (1.0 + at / _GRID * k)).sum()) + _PRIOR_LOOKS) > seen

        def better(inverse: float) -> float:  # a step of Newton: the likes fall with 1 / s, ever more slowly
            share = 1.0 / (1.0 + inverse * k)
            looks = further * share
            slope = float((looks * share * k).sum())
            above = float(looks.sum()) + _PRIOR_LOOKS - seen / rate
            return min(max(inverse + above / max(slope, _LEAST_LOOKED), 0.0), 1.0)

        for _ in range(_NEWTON_STEPS):
            near, last = better(near), near
            if abs(near - last) * _GRID < 1.0:
                break
        inverse = _last_true(more_likes, int(near * _GRID), _GRID) / _GRID
        return RepeatedLooks(1.0 / (1.0 + inverse * before), inverse)


def _last_true(holds: Callable[[int], bool], near: int, most: int) -> int:
    """Return the last number below `most` of which something holds that holds of 0 and up to some number.

    It is looked for in growing steps from `near`, then by halving.

    >>> _last_true(lambda at: at < 7, 900, 1000), _last_true(lambda at: True, 2, 10)
    (6, 9)
    """
    low, gap = min(max(near, 0), most - 1), 1
    high = low + 1
    while low > 0 and not holds(low):
        low, high, gap = max(low - gap, 0), low, gap * 2
    gap = 1
    while high < most and holds(high):
        low, high, gap = high, min(high + gap, most), gap * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
