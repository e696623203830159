"""Circles: communities two people share, the rarer the more telling."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.ids import hashed_strings
from recsys.data.population import Population
from recsys.features.base import Block, BlockRows, FittedBlock, sums_by_person, unit_rows
from recsys.types import Float64Array, Int64Array, UInt64Array


class Circles(Block):
    """Communities two people share, hashed and weighted by rarity.

    width: columns, at most 64.
    slack: shortens the row of a person whose circles say little.

    >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> Circles(width=4).fit_transform(people).preferences.shape
    (2, 4)
    """

    name = "circles"

    def __init__(self, *, width: int = 24, slack: float = 0.5, name: str = "circles") -> None:
        self.name = name
        self.width = width
        self.slack = slack

    def _learn(self, people: Population, events: Events) -> "FittedCircles":  # noqa: ARG002
        table = people.long.communities.drop_duplicates([C.ROW, C.COMMUNITY])
        entry, distinct = pd.factorize(table[C.COMMUNITY].astype(object))
        hashes = hashed_strings([str(name) for name in distinct], salt="circle")
        members = np.bincount(entry, minlength=len(distinct))
        order = np.argsort(hashes, kind="stable")
        return FittedCircles(
            hashes=hashes[order],
            members=members[order].astype(np.int64),
            n_people=len(people),
            width=self.width,
            slack=self.slack,
        )


@dataclass(frozen=True, eq=False)
class FittedCircles(FittedBlock):
    """Hashed communities weighted by rarity, at most unit length.

    A community with n of N members weighs `log((N + 1) / (n + 1)) / log(N + 1)`; one never seen at fit
    weighs as one with a single member. The pair score is the inner product of the summed, shortened
    rows: near the weighted share of common circles, with noise of about `1 / sqrt(width)` from hashing.

    hashes, members: `(n_communities,)` of the known ones, by ascending hash.
    """

    name: ClassVar[str] = "circles"

    hashes: UInt64Array
    members: Int64Array
    n_people: int
    width: int
    slack: float

    @property
    def columns(self) -> tuple[str, ...]:
        """Hashed columns."""
        return tuple(f"hash_{at}" for at in range(self.width))

    def weights(self, hashes: UInt64Array) -> Float64Array:
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


def signs(hashes: UInt64Array, width: int) -> Float64Array:
    """Return each hash as a row of `width` (at most 64) signs of length 1 together."""
    bits = (hashes[:, None] >> np.arange(width, dtype=np.uint64)[None, :]) & np.uint64(1)
    return np.asarray((2.0 * bits - 1.0) / np.sqrt(width))
