"""Circles: communities two people share, the rarer the more telling."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.ids import hashed_strings
from recsys.data.population import Population
from recsys.features.applied.block import AppliedBlock
from recsys.features.rows import BlockRows
from recsys.features.sums import sums_by_person, unit_rows


def signs(hashes: npt.NDArray[np.uint64], width: int) -> npt.NDArray[np.float64]:
    """Return each hash as a row of `width` (at most 64) signs of length 1 together."""
    bits = (hashes[:, None] >> np.arange(width, dtype=np.uint64)[None, :]) & np.uint64(1)
    return np.asarray((2.0 * bits - 1.0) / np.sqrt(width))


@dataclass(frozen=True, eq=False)
class AppliedCircles(AppliedBlock):
    """Hashed communities weighted by rarity, at most unit length.

    A community with n of N members weighs `log((N + 1) / (n + 1)) / log(N + 1)`; one never seen at fit
    weighs as one with a single member. The pair score is the inner product of the summed, shortened
    rows: near the weighted share of common circles, with noise of about `1 / sqrt(width)` from hashing.

    hashes, members: `(n_communities,)` of the known ones, by ascending hash.
    """

    name: ClassVar[str] = "circles"

    hashes: npt.NDArray[np.uint64]
    members: npt.NDArray[np.int64]
    n_people: int
    width: int
    slack: float

    @property
    def columns(self) -> tuple[str, ...]:
        """Hashed columns."""
        return tuple(f"hash_{at}" for at in range(self.width))

    def weights(self, hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
        """Return the rarity of each community, in [0, 1]."""
        members = np.ones(len(hashes))
        if len(self.hashes):
            at = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
            members = np.where(self.hashes[at] == hashes, self.members[at], 1.0)
        most = np.log(max(self.n_people, 1) + 1.0)
        return np.clip(np.log((self.n_people + 1.0) / (members + 1.0)) / most, 0.0, 1.0)

    def rows(self, people: Population) -> BlockRows:
        """Return the rows of everybody; both are the same."""
        table = people.long.communities.drop_duplicates([C.ROW, C.COMMUNITY])
        entry, distinct = pd.factorize(table[C.COMMUNITY].astype(object))
        hashes = hashed_strings([str(name) for name in distinct], salt="circle")
        weighted = signs(hashes, self.width) * self.weights(hashes)[:, None]
        person = table[C.ROW].to_numpy(np.int64)
        sums = sums_by_person(person, entry.astype(np.int64), np.ones(len(table)), weighted, len(people))
        matrix = unit_rows(sums, self.slack)
        return BlockRows(matrix, matrix)
