"""Everybody's candidates as a graph in which both of two people can be shown to each other."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from recsys.allocation.graph import CandidateGraph, EdgeBlock
from recsys.allocation.ways_back import with_ways_back
from recsys.constraints.compiled import Compiled
from recsys.constraints.csr import Lists
from recsys.ranking.ranked_pairs import RankedPairs

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int32]


def mutual_pool(
    blocks: Iterable[RankedPairs], compiled: Compiled, likes: Lists, left_out: Mask, workers: int = 1
) -> CandidateGraph:
    """Return the candidates of everybody as edges, with the way back of each where it may be shown too.

    The way back lets somebody be shown whom nobody has among their best. blocks: the candidates, viewers
    ascending, in as many pieces as they come in. likes: whom each person has liked already; left_out:
    `(n_people,)`, who takes part on neither side. workers: threads; they change the time alone.
    """

    def may_add(viewer: Rows, candidate: Rows) -> Mask:
        return compiled.may_show(viewer, candidate) & ~likes.holds(viewer, candidate)

    pool = CandidateGraph.of_blocks(_taking_part(blocks, left_out), compiled.n_people, workers)
    return with_ways_back(pool, may_add, workers)


def _taking_part(blocks: Iterable[RankedPairs], left_out: Mask) -> Iterator[EdgeBlock]:
    for pairs in blocks:
        inside = ~(left_out[pairs.viewer] | left_out[pairs.candidate])
        kept = pairs.kept(inside)
        yield kept.viewer, kept.candidate, kept.p_like, kept.p_liked_back
