"""The search of one viewer at serving time: the kernels of the night over mapped arrays."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.retrieval.bounds import COMBINER_NUMBERS
from recsys.retrieval.index import Layout
from recsys.retrieval.masks import mask_of, taken
from recsys.retrieval.shortlist import COLUMNS, Chunks, Wanted
from recsys.retrieval.sparse_masks import Links, close_pairs
from recsys.retrieval.tile_search import Search, Workspace, tile_best
from recsys.types import Int32Array

_ONE_ROW: Final = Chunks(1, COLUMNS)


@dataclass(frozen=True, eq=False)
class Live:
    """Scores one viewer against everybody, under the same masks the night used.

    prices: `(n_listed,)`, what the attention of each person costs, in tile order; empty for nothing.
    """

    layout: Layout
    prices: npt.NDArray[np.float64]
    dearest: float
    combiner: str
    nobody: Links

    @classmethod
    def of(cls, layout: Layout, prices: npt.NDArray[np.float64], combiner: str) -> "Live":
        """Build from a layout."""
        nobody = Links(np.zeros(len(layout.order) + 1, np.int64), np.zeros(0, np.int32))
        return cls(layout, prices, float(prices.max(initial=0.0)), combiner, nobody)

    def is_listed(self, row: int) -> bool:
        """Say whether the person at `row` is seen and sees at all; -1 is nobody."""
        return row >= 0 and bool(self.layout.position[row] >= 0)

    def may_show(self, viewer: int, candidates: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Say which candidate rows may be shown to the viewer's row, by the compiled rules."""
        position = self.layout.position
        rows = np.asarray(candidates, np.int32)
        shown = np.zeros(len(rows), bool)
        at = position[rows] if len(rows) else rows
        if not self.is_listed(viewer) or not (at >= 0).any():
            return shown
        asked = np.flatnonzero(at >= 0)
        columns = np.unique(at[asked])
        me = position[viewer : viewer + 1]
        mask = np.empty((1, len(columns)), bool)
        mask_of(taken(self.layout.words, me), self.layout.reach, self.layout.words, columns, mask)
        close_pairs(mask, me, columns, self.layout.sparse, self.nobody)
        shown[asked] = mask[0, np.searchsorted(columns, at[asked])]
        return shown

    def best(self, viewer: int, k: int) -> Int32Array:
        """Return the rows of the `k` best people who may be shown to the viewer's row, best first.

        Best by the chance of a match less what the candidate's attention costs, `p_like * price`.
        """
        most = len(self.layout.order) - 1
        if not self.is_listed(viewer) or most < 1:
            return np.zeros(0, np.int32)
        wanted = Wanted(COMBINER_NUMBERS[self.combiner], min(k, most), self.prices, self.dearest)
        me = self.layout.position[viewer : viewer + 1]
        work = Workspace(_ONE_ROW, self.layout, wanted.k)
        found = tile_best(self.layout, me, Search(wanted, self.nobody), work)
        return self.layout.order[found.position[0, : found.length[0]]]
