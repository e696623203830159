"""From everybody's candidates to everybody's list, checked again by the plain rules."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from recsys.allocation.allocate import Allocation, allocate_graph
from recsys.allocation.config import AllocationConfig, Presence
from recsys.allocation.graph import CandidateGraph, EdgeBlock
from recsys.allocation.reverse_edges import with_ways_back
from recsys.constraints.compiled import Compiled
from recsys.data.csr import Lists
from recsys.models.reciprocal import combine
from recsys.ranking.recommend import RankedPairs, Recommender
from recsys.types import BoolArray, Float32Array, Int32Array

TAKEN = 1.0
"""The price of somebody who left the pool: no like is worth it."""


@dataclass(frozen=True, eq=False)
class AllocatedLists:
    """Lists for everybody together.

    pairs:      the lists, after the plain check; dropped: pairs it took out, anything but 0 is a defect.
    graph:      who could have been shown to whom; allocation: what was chosen before the check.
    prices:     `(n_people,)` float32 for ranking live: a pair is worth `p_like (p_liked_back - price)`
                of the candidate; 1 for people who left the pool.
    """

    pairs: RankedPairs
    dropped: int
    graph: CandidateGraph
    allocation: Allocation
    prices: Float32Array


def allocated_lists(
    recommender: Recommender,
    graph: CandidateGraph,
    config: AllocationConfig,
    *,
    rng: np.random.Generator,
    presence: Presence | None = None,
    full: BoolArray | None = None,
    combiner: str = "product",
) -> AllocatedLists:
    """Choose everybody's list from their candidates.

    graph: candidates of everybody, as `mutual_pool` joins them.
    presence: how likely everybody opens lists and inboxes; always when None.
    full: `(n_people,)`, who has as many companions as they wish for and was left out of the candidates.
    """
    allocation = allocate_graph(graph, config, presence=presence, rng=rng)
    found, dropped = recommender.checked(_pairs(allocation, combiner))
    prices = allocation.price if full is None else np.where(full, np.float32(TAKEN), allocation.price)
    return AllocatedLists(found, dropped, graph, allocation, prices)


def _pairs(allocation: Allocation, combiner: str) -> RankedPairs:
    graph, edge = allocation.graph, allocation.ranked.edge
    p, q = graph.p[edge], graph.q[edge]
    both = combine(p.astype(np.float64), q.astype(np.float64), combiner)
    return RankedPairs(allocation.viewer, graph.candidate[edge], p, q, both, allocation.propensity)


def mutual_pool(
    blocks: Iterable[RankedPairs], compiled: Compiled, likes: Lists, left_out: BoolArray, workers: int = 1
) -> CandidateGraph:
    """Return the candidates of everybody as edges, with the way back of each where it may be shown too.

    The way back lets somebody be shown whom nobody has among their best. blocks: the candidates, viewers
    ascending, in as many pieces as they come in. likes: whom each person has liked already; left_out:
    `(n_people,)`, who takes part on neither side. workers: threads; they change the time alone.
    """

    def may_add(viewer: Int32Array, candidate: Int32Array) -> BoolArray:
        return compiled.may_show(viewer, candidate) & ~likes.holds(viewer, candidate)

    pool = CandidateGraph.of_blocks(_taking_part(blocks, left_out), compiled.n_people, workers)
    return with_ways_back(pool, may_add, workers)


def _taking_part(blocks: Iterable[RankedPairs], left_out: BoolArray) -> Iterator[EdgeBlock]:
    for pairs in blocks:
        inside = ~(left_out[pairs.viewer] | left_out[pairs.candidate])
        kept = pairs.kept(inside)
        yield kept.viewer, kept.candidate, kept.p_like, kept.p_liked_back
