"""One round of lists played out: looks and likes are drawn, inboxes are ordered by what arrived."""

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.allocation.examination import chance_at
from recsys.allocation.graph import Inbox
from recsys.allocation.judges.luck import LIKE, LOOK, OPEN, luck

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

NOTHING = 0
LOOKED = 1
LIKED = 2


@njit(nogil=True, cache=True)
def draw(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    key: np.uint64,
    turn: int,
    edges: Ints,
    viewer: Ints,
    opens: Floats,
    chance: Floats,
    p: Floats,
    position: Ints,
    said: npt.NDArray[np.int8],
):
    # What came of every entry: not looked at, looked at, or liked. A list is opened as a whole.
    # Luck goes by the edge of the graph; `said` is by position among the listed edges.
    for at in range(len(edges)):
        e, i, here = edges[at], viewer[at], position[at]
        said[here] = NOTHING
        if luck(key, turn, OPEN, i) < opens[i] and luck(key, turn, LOOK, e) < chance[at]:
            said[here] = LIKED if luck(key, turn, LIKE, e) < p[at] else LOOKED


@njit(nogil=True, cache=True)
def _of_pair(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    kind: int, decay: float, comes: float, inbox: Inbox, t: int, place: int, said: npt.NDArray[np.int8]
):
    # The chance of a match through a like that arrived in place `place`; a look back decides at once,
    # and such a pair counts half from each of its two edges.
    back = inbox.reverse[t]
    if back >= 0 and said[back] != NOTHING:
        return 0.5 if said[back] == LIKED else 0.0
    return inbox.q[t] * comes * chance_at(kind, decay, np.float64(place))


@njit(nogil=True, cache=True)
def play(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    inbox: Inbox,
    viewer: Ints,
    reads: Floats,
    kind: int,
    decay: float,
    said: npt.NDArray[np.int8],
    matches: Doubles,
    missed: Doubles,
):
    # Writes everybody's expected matches given the draws, and their chance of none at all.
    # Likes of one q are read in the order of viewers, which changes no sum: they are worth the same.
    matches[:] = 0.0
    missed[:] = 1.0
    for j in range(len(inbox.indptr) - 1):
        place = 0
        for t in range(inbox.indptr[j], inbox.indptr[j + 1]):
            if said[inbox.edge[t]] != LIKED:
                continue
            place += 1
            chance = _of_pair(kind, decay, reads[j], inbox, t, place, said)
            i = viewer[t]
            matches[i] += chance
            matches[j] += chance
            sure = 1.0 if inbox.reverse[t] >= 0 and said[inbox.reverse[t]] == LIKED else chance
            missed[i] *= 1.0 - sure
            missed[j] *= 1.0 - sure
