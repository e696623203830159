"""Where each person stands towards another: the last of like, pass and hide."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.history.events import CodedEvents

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, eq=False)
class Stances:
    """One row per directed pair with a like, pass or hide; times are microseconds, NEVER if none.

    A later like by the same person undoes their pass or hide; at the same instant it does not.
    """

    actor: Numbers
    target: Numbers
    liked: Numbers
    passed: Numbers
    hidden: Numbers

    @property
    def likes(self) -> Mask:
        """Whose like stands."""
        return self.liked > np.maximum(self.passed, self.hidden)

    @property
    def hides(self) -> Mask:
        """Whose hide stands."""
        return (self.hidden > NEVER) & (self.hidden >= self.liked)

    @property
    def passes(self) -> Mask:
        """Whose pass stands, however old."""
        return (self.passed > NEVER) & (self.passed >= self.liked)


def stances(coded: CodedEvents) -> Stances:
    """Return where everybody stands towards whom, from likes, passes and hides."""
    rows = np.flatnonzero(coded.are("like", "pass", "hide") & _between_two(coded))
    width = max(len(coded.people), 1)
    keys, group = np.unique(coded.actor[rows] * width + coded.target[rows], return_inverse=True)
    last = {}
    for kind in ("like", "pass", "hide"):
        times = np.full(len(keys), NEVER)
        of_kind = coded.are(kind)[rows]
        np.maximum.at(times, group[of_kind], coded.ts[rows][of_kind])
        last[kind] = times
    return Stances(keys // width, keys % width, last["like"], last["pass"], last["hide"])


def matched_pairs(coded: CodedEvents) -> Numbers:
    """Return the unordered pairs in which, at some time, both likes stood, `(n_pairs, 2)` int64.

    What happens afterwards does not unmake the match: the two know each other.
    """
    rows = np.flatnonzero(coded.are("like", "pass", "hide") & _between_two(coded))
    actor, target = coded.actor[rows], coded.target[rows]
    low, high = np.minimum(actor, target), np.maximum(actor, target)
    likes = coded.are("like")[rows]
    order = np.lexsort((~likes, coded.ts[rows], high, low))
    low, high, likes, by_low = low[order], high[order], likes[order], (actor == low)[order]
    first = np.ones(len(order), bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0)) if len(order) else order
    both = _stands(likes, by_low, start) & _stands(likes, ~by_low, start)
    return np.unique(np.column_stack([low[both], high[both]]), axis=0)


def _stands(likes: Mask, by_side: Mask, start: npt.NDArray[np.intp]) -> Mask:
    """Say, after each event, whether the last stance of one side of the pair is a like."""
    if not len(likes):
        return likes
    latest = np.maximum.accumulate(np.where(by_side, np.arange(len(likes)), -1))
    return np.where(latest >= start, likes[latest], False)


def _between_two(coded: CodedEvents) -> Mask:
    return (coded.target >= 0) & (coded.actor != coded.target)
