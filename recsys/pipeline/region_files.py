"""What the tasks of regions write for each other: all that one region knows of another."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from recsys.allocation.attention import AttentionLimits
from recsys.allocation.crowd import Crowd
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.region_exchange import RegionState
from recsys.allocation.rounding import RankedEdges
from recsys.random import KeyedGenerator
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array

SHUFFLE: Final = "shuffle"
EDGES: Final = "edges"
LISTS: Final = "lists"
PLACES: Final = "places"
TABLES: Final = "tables"
"""The waves of tasks beside the rounds, which are named by their number."""


@dataclass(frozen=True, eq=False)
class RegionColumns:
    """What all regions share of everybody, `(n_people,)` each: region, activity, limits, who has no room."""

    region: Int32Array
    opens: Float32Array
    reads: Float32Array
    share: Float32Array
    indiscriminate: BoolArray
    eagerness: Float32Array
    full: BoolArray

    @property
    def n_regions(self) -> int:
        """How many regions there are."""
        return int(self.region.max(initial=0)) + 1

    def limits(self, seed: int) -> AttentionLimits:
        """Return the limits of attention, drawn with a seed."""
        return AttentionLimits(self.share, self.indiscriminate, self.eagerness, KeyedGenerator(seed))

    def of_own(self, number: int, rows: Int32Array, values: Float64Array | Float32Array) -> Float64Array:
        """Return values of some people of a region as one for each of its people, 0 for the rest."""
        whole = np.zeros(len(self.region))
        whole[rows] = values
        return whole[self.region == number]


@dataclass(frozen=True, eq=False)
class ShuffledPairs:
    """A piece of everybody's candidates by the region they concern.

    starts: `(n_regions + 1,)`, those of r are `[starts[r]:starts[r + 1]]`; a pair of two regions stands under
    both. The others: `(n_pairs,)`, viewers ascending within a region.
    """

    starts: Int64Array
    viewer: Int32Array
    candidate: Int32Array
    p_like: Float32Array
    p_liked_back: Float32Array

    @classmethod
    def of(cls, pairs: RankedPairs, region: Int32Array, n_regions: int) -> "ShuffledPairs":
        """Put pairs under the regions of both people; region: `(n_people,)`.

        >>> one = np.ones(1, np.float32)
        >>> pairs = RankedPairs(np.array([0], np.int32), np.array([2], np.int32), one, one, one.astype(float))
        >>> ShuffledPairs.of(pairs, np.array([1, 0, 0], np.int32), 2).starts.tolist()
        [0, 1, 2]
        """
        of_viewer, of_candidate = region[pairs.viewer], region[pairs.candidate]
        crossing = np.flatnonzero(of_viewer != of_candidate)
        at = np.append(np.arange(len(pairs)), crossing)
        of = np.append(of_viewer, of_candidate[crossing])
        order = np.lexsort((at, of))
        starts = np.searchsorted(of[order], np.arange(n_regions + 1)).astype(np.int64)
        here = at[order]
        return cls(
            starts, pairs.viewer[here], pairs.candidate[here], pairs.p_like[here], pairs.p_liked_back[here]
        )

    def of_region(self, number: int) -> RankedPairs:
        """Return the pairs that concern a region."""
        here = slice(int(self.starts[number]), int(self.starts[number + 1]))
        p, q = np.asarray(self.p_like[here]), np.asarray(self.p_liked_back[here])
        both = p.astype(np.float64) * q
        return RankedPairs(np.asarray(self.viewer[here]), np.asarray(self.candidate[here]), p, q, both)


@dataclass(frozen=True, eq=False)
class RegionEdges:
    """Every edge from or to a region, and who is to show each of its people when no list holds them.

    shown_by: `(n_own,)`, their own region, or another one when nobody of their own could be shown them.
    """

    graph: CandidateGraph
    shown_by: Int32Array

    @classmethod
    def of(cls, graph: CandidateGraph, region: Int32Array, number: int) -> "RegionEdges":
        """Take the edges from or to a region, and say who shows its people; region: `(n_people,)`."""
        own = region == number
        by = np.full(len(own), len(own), np.int32)
        at = np.flatnonzero(own[graph.candidate])
        first = np.where(own[graph.viewer[at]], -1, region[graph.viewer[at]])
        np.minimum.at(by, graph.candidate[at], first)
        nobody = (by < 0) | (by == len(own))
        return cls(graph, np.where(nobody, number, by)[own].astype(np.int32))


@dataclass(frozen=True, eq=False)
class RegionRound:
    """What a region tells the others after a round, and what it goes on with itself.

    state: of own people; leaving: exposures of the edges of own viewers to each region; utility, price: of
    own people, ascending; crowd: the likes they send.
    """

    state: RegionState
    leaving: tuple[Float32Array, ...]
    utility: Float64Array
    price: Float64Array
    crowd: Crowd


@dataclass(frozen=True, eq=False)
class RegionLists:
    """The lists of a region as edges of its own graph, before places for others, and who stands in them."""

    ranked: RankedEdges
    propensity: Float32Array
    shown: Int32Array


@dataclass(frozen=True, eq=False)
class RegionPairs:
    """The lists of a region, checked by the plain rules, and the price of a like to each of its people.

    price: `(n_own,)`. dropped: pairs the check took out; unplaced: people no place was found for.
    """

    pairs: RankedPairs
    price: Float64Array
    dropped: int
    unplaced: int
