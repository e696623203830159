"""The lists of all tiles, gathered end to end as they are finished."""

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.retrieval.best import Best
from recsys.retrieval.lists import MutualLists
from recsys.retrieval.words import Positions


class Gathered:
    """Keeps only the places that are filled, so memory follows the suggestions found, not `k`."""

    def __init__(self, n_positions: int) -> None:
        self._length = np.zeros(n_positions, np.int64)
        self._rows: list[Positions] = []
        self._candidates: list[Positions] = []
        self._p_like: list[npt.NDArray[np.float32]] = []
        self._p_liked_back: list[npt.NDArray[np.float32]] = []
        self._score: list[npt.NDArray[np.float64]] = []

    def add(self, rows: Positions, best: Best) -> None:
        """Take in the lists of the people at `rows`."""
        self._length[rows] = best.length
        filled = np.arange(best.score.shape[1]) < best.length[:, None]
        self._rows.append(rows)
        self._candidates.append(best.position[filled])
        self._p_like.append(best.p_like[filled].astype(np.float32))
        self._p_liked_back.append(best.p_liked_back[filled].astype(np.float32))
        self._score.append(best.score[filled])

    def for_viewers(self, viewers: Positions, positions: Positions, order: Positions) -> MutualLists:
        """Return the lists of `viewers`, in that order, and forget them.

        positions: where each viewer stands in `order`, -1 for one who is not listed and has no list.
        """
        listed = positions >= 0
        lengths = np.zeros(len(viewers), np.int64)
        lengths[listed] = self._length[positions[listed]]
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        start = np.zeros(len(order), np.int64)
        start[positions[listed]] = indptr[:-1][listed]

        def in_place(parts: list[Any], dtype: npt.DTypeLike) -> Any:
            # A part is let go as soon as it is copied: a million lists are held once, not twice.
            out = np.empty(indptr[-1], dtype)
            for at, rows in enumerate(self._rows):
                lengths, part = self._length[rows], parts[at]
                before = np.cumsum(lengths) - lengths
                out[np.repeat(start[rows] - before, lengths) + np.arange(len(part))] = part
                parts[at] = None
            return out

        return MutualLists(
            viewers=viewers,
            indptr=indptr,
            candidates=order[in_place(self._candidates, np.int32)],
            p_like=in_place(self._p_like, np.float32),
            p_liked_back=in_place(self._p_liked_back, np.float32),
            p_mutual=in_place(self._score, np.float64),
        )
