"""The lists of all tiles, gathered end to end as they are finished."""

import numpy as np

from recsys.retrieval.best import Best
from recsys.retrieval.lists import MutualLists
from recsys.retrieval.words import Positions


class Gathered:
    """Keeps only the places that are filled, so memory follows the suggestions found, not `k`."""

    def __init__(self, n_positions: int) -> None:
        self._start = np.zeros(n_positions, np.int64)
        self._length = np.zeros(n_positions, np.int64)
        self._position = [np.empty(0, np.int32)]
        self._p_like = [np.empty(0, np.float32)]
        self._p_liked_back = [np.empty(0, np.float32)]
        self._score = [np.empty(0)]
        self._n_found = 0

    def add(self, rows: Positions, best: Best) -> None:
        """Take in the lists of the people at `rows`."""
        ends = self._n_found + np.cumsum(best.length, dtype=np.int64)
        self._start[rows], self._length[rows] = ends - best.length, best.length
        self._n_found = int(ends[-1])
        filled = np.arange(best.score.shape[1]) < best.length[:, None]
        self._position.append(best.position[filled])
        self._p_like.append(best.p_like[filled].astype(np.float32))
        self._p_liked_back.append(best.p_liked_back[filled].astype(np.float32))
        self._score.append(best.score[filled])

    def for_viewers(self, viewers: Positions, positions: Positions, order: Positions) -> MutualLists:
        """Return the lists of `viewers`, in that order.

        positions: where each viewer stands in `order`, -1 for one who is not listed and has no list.
        """
        listed = positions >= 0
        lengths = np.where(listed, self._length[positions], 0) if len(order) else np.zeros(len(viewers), int)
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        start = self._start[positions[listed]] - indptr[:-1][listed]
        at = np.repeat(start, lengths[listed]) + np.arange(indptr[-1])
        return MutualLists(
            viewers=viewers,
            indptr=indptr,
            candidates=order[np.concatenate(self._position)[at]],
            p_like=np.concatenate(self._p_like)[at],
            p_liked_back=np.concatenate(self._p_liked_back)[at],
            p_mutual=np.concatenate(self._score)[at],
        )
