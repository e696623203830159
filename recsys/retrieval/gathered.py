"""The lists of all tiles, gathered end to end as they are finished."""

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.retrieval.best import Best
from recsys.retrieval.lists import MutualLists
from recsys.retrieval.words import Positions


class Gathered:
    """Keeps only the places that are filled, so memory follows the suggestions found, not `k`."""

    def __init__(self) -> None:
        self._lengths: list[Positions] = []
        self._candidates: list[Positions] = []
        self._p_like: list[npt.NDArray[np.float32]] = []
        self._p_liked_back: list[npt.NDArray[np.float32]] = []
        self._score: list[npt.NDArray[np.float64]] = []

    def add(self, best: Best) -> None:
        """Take in the next lists; they come by ascending position."""
        filled = np.flatnonzero(np.arange(best.score.shape[1]) < best.length[:, None])
        self._lengths.append(best.length)
        self._candidates.append(best.position.ravel()[filled])
        self._p_like.append(best.p_like.ravel()[filled])
        self._p_liked_back.append(best.p_liked_back.ravel()[filled])
        self._score.append(best.score.ravel()[filled])

    def for_viewers(self, viewers: Positions, positions: Positions, order: Positions) -> MutualLists:
        """Return the lists of `viewers`, in that order, and forget them.

        positions: where each viewer stands in `order`, -1 for one who is not listed and has no list.
        """
        by_position = np.argsort(positions, kind="stable")[np.count_nonzero(positions < 0) :]
        lengths = np.zeros(len(viewers), np.int64)
        lengths[by_position] = np.concatenate([np.empty(0, np.int32), *self._lengths])
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)

        kinds = (np.int32, np.float32, np.float32, np.float64)
        parts: tuple[list[Any], ...] = (self._candidates, self._p_like, self._p_liked_back, self._score)
        candidates, p_like, p_liked_back, score = out = [np.empty(indptr[-1], kind) for kind in kinds]
        n_done = 0
        for tile, found in enumerate(self._lengths):
            start = indptr[by_position[n_done : n_done + len(found)]]
            before = np.cumsum(found) - found
            places = np.repeat(start - before, found)
            places += np.arange(len(places))
            for array, part in zip(out, parts, strict=True):
                # A part is let go as soon as it is copied: a million lists are held once, not twice.
                array[places] = part[tile]
                part[tile] = None
            n_done += len(found)
        return MutualLists(
            viewers=viewers,
            indptr=indptr,
            candidates=order[candidates],
            p_like=p_like,
            p_liked_back=p_liked_back,
            p_mutual=score,
        )
