"""From everybody's candidates to everybody's list, checked again by the plain rules."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.allocation.allocation import Allocation, allocate_graph
from recsys.allocation.config import AllocationConfig
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.presence import Presence
from recsys.models.reciprocal import combine
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.ranking.rulebook import Rulebook

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

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
    prices: Floats


def allocated_lists(
    rules: Rulebook,
    graph: CandidateGraph,
    config: AllocationConfig,
    *,
    rng: np.random.Generator,
    presence: Presence | None = None,
    full: Mask | None = None,
    combiner: str = "product",
) -> AllocatedLists:
    """Choose everybody's list from their candidates.

    graph: candidates of everybody, as `mutual_pool` joins them.
    presence: how likely everybody opens lists and inboxes; always when None.
    full: `(n_people,)`, who has as many companions as they wish for and was left out of the candidates.
    """
    allocation = allocate_graph(graph, config, presence=presence, rng=rng)
    found, dropped = rules.checked(_pairs(allocation, combiner))
    prices = allocation.price if full is None else np.where(full, np.float32(TAKEN), allocation.price)
    return AllocatedLists(found, dropped, graph, allocation, prices)


def _pairs(allocation: Allocation, combiner: str) -> RankedPairs:
    graph, edge = allocation.graph, allocation.ranked.edge
    p, q = graph.p[edge], graph.q[edge]
    both = combine(p.astype(np.float64), q.astype(np.float64), combiner)
    return RankedPairs(allocation.viewer, graph.candidate[edge], p, q, both, allocation.propensity)
