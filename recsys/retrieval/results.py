"""The lists of all tiles, gathered end to end as they are finished."""

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.kernels import kernel
from recsys.retrieval.shortlist import TopK
from recsys.types import Int32Array, Int64Array


@dataclass(frozen=True, eq=False)
class MutualLists:
    """Lists of candidates; viewer v's list is `candidates[indptr[v]:indptr[v + 1]]`, best first.

    viewers:      `(n_viewers,)` int32 rows, in the order they were asked for.
    indptr:       `(n_viewers + 1,)` int64.
    candidates:   `(n_listed,)` int32 rows, `n_listed = indptr[-1]`.
    p_like:       `(n_listed,)` float32, probability that the viewer likes the candidate.
    p_liked_back: `(n_listed,)` float32, probability that the candidate likes the viewer.
    p_mutual:     `(n_listed,)` float64, the combined score that orders the list.
    """

    viewers: npt.NDArray[np.int32]
    indptr: npt.NDArray[np.int64]
    candidates: npt.NDArray[np.int32]
    p_like: npt.NDArray[np.float32]
    p_liked_back: npt.NDArray[np.float32]
    p_mutual: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.viewers)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """How many candidates each viewer has, `(n_viewers,)`."""
        return np.diff(self.indptr)

    @property
    def viewer_of_each(self) -> npt.NDArray[np.int32]:
        """The viewer row of every candidate, `(n_listed,)`."""
        return np.repeat(self.viewers, self.lengths)


class PackedLists(NamedTuple):
    """Lists end to end: candidate int32 (a position, and at last a row), two float32, score float64."""

    candidate: Int32Array
    p_like: npt.NDArray[np.float32]
    p_liked_back: npt.NDArray[np.float32]
    score: npt.NDArray[np.float64]


@kernel
def _packed(best: TopK, out: PackedLists):  # type: ignore[no-untyped-def]
    """Write the filled places of a tile's lists end to end."""
    length, position, score = best.length, best.position, best.score
    p_like, p_liked_back = best.p_like, best.p_liked_back
    at = 0
    for r in range(len(length)):
        for a in range(length[r]):
            out.candidate[at], out.score[at] = position[r, a], score[r, a]
            out.p_like[at], out.p_liked_back[at] = p_like[r, a], p_liked_back[r, a]
            at += 1


@kernel
def _placed(part: PackedLists, lengths: Int32Array, starts: Int64Array, order: Int32Array, out: PackedLists):  # type: ignore[no-untyped-def]
    """Write the lists of a part, of those lengths, to where each viewer's begins; positions become rows."""
    at = 0
    for r in range(len(lengths)):
        for place in range(starts[r], starts[r] + lengths[r]):
            out.candidate[place], out.score[place] = order[part.candidate[at]], part.score[at]
            out.p_like[place], out.p_liked_back[place] = part.p_like[at], part.p_liked_back[at]
            at += 1


class ResultBuffer:
    """Keeps only the places that are filled, so memory follows the suggestions found, not `k`."""

    def __init__(self) -> None:
        self._lengths: list[Int32Array] = []
        self._parts: deque[PackedLists] = deque()

    def add(self, best: TopK) -> None:
        """Take in the next lists; they come by ascending position."""
        part = _room(int(best.length.sum()))
        _packed(best, part)
        self._lengths.append(best.length)
        self._parts.append(part)

    def for_viewers(self, viewers: Int32Array, positions: Int32Array, order: Int32Array) -> MutualLists:
        """Return the lists of `viewers`, in that order, and forget them.

        positions: where each viewer stands in `order`, -1 for one who is not listed and has no list.
        """
        by_position = np.argsort(positions, kind="stable")[np.count_nonzero(positions < 0) :]
        lengths = np.zeros(len(viewers), np.int64)
        lengths[by_position] = np.concatenate([np.empty(0, np.int32), *self._lengths])
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        out, n_done = _room(indptr[-1]), 0
        for found in self._lengths:
            starts = indptr[by_position[n_done : n_done + len(found)]]
            # A part is let go as soon as it is copied: a million lists are held once, not twice.
            _placed(self._parts.popleft(), found, starts, order, out)
            n_done += len(found)
        return MutualLists(
            viewers=viewers,
            indptr=indptr,
            candidates=out.candidate,
            p_like=out.p_like,
            p_liked_back=out.p_liked_back,
            p_mutual=out.score,
        )


def _room(n: int) -> PackedLists:
    return PackedLists(np.empty(n, np.int32), np.empty(n, np.float32), np.empty(n, np.float32), np.empty(n))
