"""Allocated lists: from the candidate graph of everybody to the list of everybody, rechecked."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from recsys.allocation.allocate import Allocation, allocate_graph
from recsys.allocation.attention import AttentionLimits
from recsys.allocation.config import AllocationConfig, MemberActivity
from recsys.allocation.graph import CandidateGraph, EdgeBlock
from recsys.allocation.reverse_edges import with_reverse_edges
from recsys.allocation.rounding import RankedEdges
from recsys.constraints.compiled import Compiled
from recsys.data.csr import SparseRows
from recsys.memory import return_freed_memory
from recsys.models.reciprocal import combine
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.ranking.recommend import Recommender
from recsys.types import BoolArray, Float32Array, Int32Array

UNAVAILABLE_PRICE = 1.0
"""The price of somebody who left the candidate graph: no like is worth it."""


@dataclass(frozen=True, eq=False)
class AllocatedLists:
    """Lists for everybody together.

    pairs:      the lists, after the recheck; dropped: pairs it took out, anything but 0 is a defect.
    graph:      the candidate graph; allocation: the outcome of the allocator before the recheck.
    prices:     `(n_people,)` float32 for ranking live: a pair is worth `p_like (p_liked_back - price)`
                of the candidate; 1 for people who left the graph.
    """

    pairs: RankedPairs
    dropped: int
    graph: CandidateGraph
    allocation: Allocation
    prices: Float32Array


def allocated_lists(
    recommender: Recommender | Callable[[], Recommender],
    graph: CandidateGraph,
    config: AllocationConfig,
    *,
    rng: np.random.Generator,
    activity: MemberActivity | None = None,
    full: BoolArray | None = None,
    combiner: str = "product",
    limits: AttentionLimits | None = None,
) -> AllocatedLists:
    """Allocate a list to everybody from their candidates.

    recommender: whose plain rules check the lists, or what makes it when they are chosen, for people take
    memory that the allocator needs. graph: candidates of everybody, as `mutual_candidate_graph` joins them.
    activity: how likely everybody opens lists and inboxes; always when None.
    full: `(n_people,)`, who has as many active matches as they wish for and is not among the candidates.
    limits: whose likes are discounted when lists are chosen; the probabilities of the lists are not.
    """
    limits = (limits or AttentionLimits.none(graph.n_people)).with_candidates([(graph.candidate, graph.q)])
    with limits.discounting(graph):
        allocation = allocate_graph(graph, config, activity=activity, rng=rng)
    return_freed_memory()  # the allocator took some five times the memory of the graph
    checks = recommender if isinstance(recommender, Recommender) else recommender()
    found, dropped = checks.recheck(pairs_of_edges(graph, allocation.ranked, combiner, allocation.propensity))
    held_back = limits.prices(allocation.price, graph) if limits.limits_anybody else allocation.price
    prices = held_back if full is None else np.where(full, np.float32(UNAVAILABLE_PRICE), held_back)
    return AllocatedLists(found, dropped, graph, allocation, prices)


def pairs_of_edges(
    graph: CandidateGraph, ranked: RankedEdges, combiner: str, propensity: Float32Array | None = None
) -> RankedPairs:
    """Return lists of edges as pairs of rows; propensity: `(n_listed,)`, None where no lot decided."""
    edge = ranked.edge
    viewer = np.repeat(np.arange(graph.n_people, dtype=np.int32), np.diff(ranked.indptr))
    p, q = graph.p[edge], graph.q[edge]
    both = combine(p.astype(np.float64), q.astype(np.float64), combiner)
    return RankedPairs(viewer, graph.candidate[edge], p, q, both, propensity)


def mutual_candidate_graph(
    blocks: Iterable[RankedPairs],
    compiled: Compiled,
    likes: SparseRows,
    excluded: BoolArray,
    workers: int = 1,
    *,
    limits: AttentionLimits | None = None,
) -> CandidateGraph:
    """Return the candidates of everybody as edges, with the reverse edge of each where it may be shown too.

    Reverse edges let somebody be shown whom nobody has among their best. blocks: the candidates, viewers
    ascending, in as many pieces as they come in. likes: whom each person has liked already; excluded:
    `(n_people,)`, who takes part on neither side. workers: threads; they change the time alone. limits: who
    may stand in a share of the lists only.
    """
    limits = limits or AttentionLimits.none(compiled.n_people)

    def may_add(viewer: Int32Array, candidate: Int32Array) -> BoolArray:
        may = compiled.may_show(viewer, candidate) & ~likes.holds(viewer, candidate)
        return may & limits.keeps(viewer, candidate)

    kept = (pairs.filtered(limits.keeps(pairs.viewer, pairs.candidate)) for pairs in blocks)
    graph = CandidateGraph.of_blocks(_participating(kept, excluded), compiled.n_people, workers)
    return with_reverse_edges(graph, may_add, workers)


def _participating(blocks: Iterable[RankedPairs], excluded: BoolArray) -> Iterator[EdgeBlock]:
    for pairs in blocks:
        participates = ~(excluded[pairs.viewer] | excluded[pairs.candidate])
        kept = pairs.filtered(participates)
        yield kept.viewer, kept.candidate, kept.p_like, kept.p_liked_back
