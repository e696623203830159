"""Everybody's candidates as a graph in which both of two people can be shown to each other."""

import numpy as np
import numpy.typing as npt

from recsys.allocation.graph import CandidateGraph
from recsys.constraints.compiled import Compiled
from recsys.constraints.csr import Lists
from recsys.ranking.ranked_pairs import RankedPairs

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int32]


def mutual_pool(pairs: RankedPairs, compiled: Compiled, likes: Lists, left_out: Mask) -> CandidateGraph:
    """Return the candidates of everybody as edges, with the way back of each where it may be shown too.

    The way back lets somebody be shown whom nobody has among their best. likes: whom each person has
    liked already; left_out: `(n_people,)`, who takes part on neither side.
    """
    inside = ~(left_out[pairs.viewer] | left_out[pairs.candidate])
    viewer, candidate = pairs.viewer[inside], pairs.candidate[inside]
    p, q = pairs.p_like[inside], pairs.p_liked_back[inside]
    n = compiled.n_people
    back = _missing(candidate, viewer, n)
    back = back[compiled.may_show(candidate[back], viewer[back])]
    back = back[~likes.holds(candidate[back], viewer[back])]
    return CandidateGraph.of(
        np.concatenate([viewer, candidate[back]]),
        np.concatenate([candidate, viewer[back]]),
        p=np.concatenate([p, q[back]]),
        q=np.concatenate([q, p[back]]),
        n_people=n,
    )


def _missing(i: Rows, j: Rows, n: int) -> npt.NDArray[np.int64]:
    """Return the positions of pairs `(i, j)` that are not among the pairs `(j, i)`."""
    keys, there = i.astype(np.int64) * n + j, j.astype(np.int64) * n + i
    return np.flatnonzero(~np.isin(keys, there, assume_unique=True))
