"""Fair exposure on one side: people get looks in proportion to how wanted they are.

The target of A. Singh and T. Joachims, "Fairness of Exposure in Rankings" (KDD 2018): exposure in
proportion to merit, here the mean chance of being liked both ways. Reached greedily: places are handed
out from the top, to the candidate of a list whose p q is highest after what they already received is set
against their share (the rule of FA*IR-like queues, M. Zehlike et al., CIKM 2017, without groups).
"""

import numpy as np

from recsys.allocation.deploy import Ranked
from recsys.allocation.examination import Decay, Examination
from recsys.allocation.graph import CandidateGraph


def fair_exposure(graph: CandidateGraph, k: int, *, look: Decay = 1.0, pull: float = 1.0) -> Ranked:
    """Return lists that even out exposure over merit; `pull` 0 is the order by p q.

    Place by place, every list takes the edge of highest `p q (share / (share + given)) ** pull`, where
    given is what the candidate received in places above, and share what their merit entitles them to.
    """
    both = graph.p.astype(np.float64) * graph.q
    slots = Examination.of(look).slots(k)
    degree = np.bincount(graph.candidate, minlength=graph.n_people)
    merit = np.bincount(graph.candidate, weights=both, minlength=graph.n_people) / np.maximum(degree, 1)
    lengths = np.minimum(np.diff(graph.indptr), k)
    total = np.append(0.0, np.cumsum(slots))[lengths].sum()
    share = total * merit / max(merit.sum(), 1e-300) + 1e-12
    given = np.zeros(graph.n_people)
    viewer = graph.viewer
    open_ = np.ones(graph.n_edges, bool)
    chosen, owners = [], []
    for chance in slots:
        score = np.where(open_, both * (share / (share + given))[graph.candidate] ** pull, -1.0)
        order = np.lexsort((-score, viewer))
        first = graph.indptr[:-1][np.diff(graph.indptr) > 0]
        edge = order[first]
        edge = edge[open_[edge]]
        open_[edge] = False
        chosen.append(edge)
        owners.append(viewer[edge])
        given += chance * np.bincount(graph.candidate[edge], minlength=graph.n_people)
    edges, who = np.concatenate(chosen), np.concatenate(owners)
    indptr = np.zeros(graph.n_people + 1, np.int64)
    np.cumsum(np.bincount(who, minlength=graph.n_people), out=indptr[1:])
    return Ranked(indptr, edges[np.argsort(who, kind="stable")].astype(np.int32))
