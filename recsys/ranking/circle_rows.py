"""Circles as rows of the same two matrices: the mean of what their members look for, and of what they are."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from recsys.models.directed import Directed
from recsys.models.nearness import places
from recsys.schema.columns import Columns as C
from recsys.schema.place import distances_km
from recsys.schema.population import Population

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CircleRows:
    """Circles with enough members to hide each of them.

    names: `(n_circles,)` ids, ascending. belongs: `(n_people, n_circles)` bool, who is in which, everybody
    counted. share: the same for the members that count, each circle's column summing to 1.
    """

    names: npt.NDArray[np.object_]
    belongs: sparse.csr_array
    share: sparse.csr_array

    @classmethod
    def of(cls, people: Population, counts: Mask, least_members: int) -> "CircleRows":
        """Return the circles in which at least `least_members` of the people who count take part."""
        table = people.long.communities.drop_duplicates([C.ROW, C.COMMUNITY])
        circle, names = pd.factorize(table[C.COMMUNITY].astype(object), sort=True)
        row = table[C.ROW].to_numpy(np.int64)
        size = np.bincount(circle[counts[row]], minlength=len(names))
        kept = np.flatnonzero(size >= least_members)
        shape = (len(people), len(names))
        belongs = sparse.csr_array((np.ones(len(row)), (row, circle)), shape=shape)[:, kept]
        own = sparse.diags_array(counts.astype(float)) @ belongs
        share = own @ sparse.diags_array(1.0 / np.maximum(size[kept], 1))
        return cls(
            np.asarray(names, dtype=object)[kept],
            sparse.csr_array(belongs.astype(bool)),
            sparse.csr_array(share),
        )

    def logits(self, directed: Directed, viewers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the smaller of two mean logits, viewer likes member and member likes viewer.

        `(n_viewers, n_circles)`: a circle suits where both look forward to it. Nearness enters as its mean
        over the members' cells.
        """
        appeal = self.share.T @ directed.appeal.astype(np.float64)
        taste = self.share.T @ directed.taste.astype(np.float64)
        likes = directed.taste[viewers].astype(np.float64) @ appeal.T
        liked = directed.appeal[viewers].astype(np.float64) @ taste.T
        return np.asarray(np.minimum(likes, liked) + self._near(directed, viewers), np.float64)

    def _near(self, directed: Directed, viewers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        if directed.nearness is None:
            return np.zeros((len(viewers), len(self.names)))
        cells, at = np.unique(directed.cell, return_inverse=True)
        here, back = np.unique(at[viewers], return_inverse=True)
        from_here = distances_km(places(cells[here]), places(cells))
        in_cell = sparse.csr_array((np.ones(len(at)), (at, np.arange(len(at)))), shape=(len(cells), len(at)))
        return np.asarray(directed.nearness.of_distance(from_here) @ (in_cell @ self.share).toarray())[back]
