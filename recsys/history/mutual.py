"""Evidence that needs both people."""

import numpy as np
import numpy.typing as npt

from recsys.history.events import CodedEvents

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def both_did(coded: CodedEvents, chosen: Mask, *, unless: Mask | None = None) -> tuple[Numbers, Numbers]:
    """Return both directions of the pairs in which each did something of the chosen kind.

    unless: events by either that take the pair out. The time is when the second of the two did it
    last, so when it was true of both.
    """
    width = max(len(coded.people), 1)
    pair, group, ts = _directed(coded, chosen)
    last = np.full(len(pair), np.iinfo(np.int64).min)
    np.maximum.at(last, group, ts)
    reverse = (pair % width) * width + pair // width
    mutual = np.isin(reverse, pair)
    if unless is not None:
        against, _, _ = _directed(coded, unless)
        mutual &= ~np.isin(pair, against) & ~np.isin(reverse, against)
    kept = pair[mutual]
    back = np.searchsorted(pair, reverse[mutual])
    return kept, np.maximum(last[mutual], last[back])


def _directed(coded: CodedEvents, chosen: Mask) -> tuple[Numbers, npt.NDArray[np.intp], Numbers]:
    rows = np.flatnonzero(chosen & (coded.target >= 0) & (coded.actor != coded.target))
    pair, group = np.unique(coded.actor[rows] * len(coded.people) + coded.target[rows], return_inverse=True)
    return pair, group, coded.ts[rows]
