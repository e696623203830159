"""Which decisions answer a like: whoever decided knew, as from an inbox, that they were liked."""

import numpy as np
import numpy.typing as npt

from recsys.history.events import Events


def asked_first(events: Events, key: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Say of which pairs the candidate had liked the viewer before the viewer decided, `(n_pairs,)`.

    key: ascending, `viewer * n_people + candidate` in the codes of the events.
    """
    width = max(len(events.coded.people), 1)
    decided = _first(events, key, "like", "pass", "hide")
    liked = _first(events, (key % width) * width + key // width, "like")
    return (liked < decided) & (decided < np.iinfo(np.int64).max)


def _first(events: Events, key: npt.NDArray[np.int64], *types: str) -> npt.NDArray[np.int64]:
    """Return when each pair in `key` had its first event of these types; the end of time if never."""
    coded, never = events.coded, np.iinfo(np.int64).max
    rows = np.flatnonzero(coded.are(*types) & (coded.target >= 0))
    found, first = np.unique(coded.actor[rows] * len(coded.people) + coded.target[rows], return_index=True)
    if not len(found):
        return np.full(len(key), never)
    at = np.searchsorted(found, key).clip(0, len(found) - 1)
    # events are in time order, so the first row of a pair is its earliest
    return np.where(found[at] == key, coded.ts[rows[first[at]]], never)
