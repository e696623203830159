"""Envy: who would have more matches were they shown to others the way somebody else is.

The criterion of Y. Tomita and T. Yokoyama, "Fair Reciprocal Recommendation in Matching Markets"
(RecSys 2024, arXiv:2409.00720), for lists with inboxes too.
"""

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.allocation.graph import CandidateGraph, Inbox
from recsys.allocation.objective import Exposed, read_probabilities
from recsys.allocation.rounding import RankedEdges
from recsys.data.examination import UNREAD, Decay, Examination, examination_at
from recsys.kernels import kernel
from recsys.types import Float32Array, Int32Array

_SURELY = 1e-6
"""Matches by which somebody must be better off to count as envious: below that it is rounding."""


@kernel
def _matches_if(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    inbox: Inbox, a: int, kind: int, decay: float, shown: Float32Array, own: Float32Array, read: Float32Array
):
    # Expected matches of a through looks from others, were a shown to each viewer with `shown`.
    above, tied, last, total = 0.0, 0.0, -1.0, 0.0
    first, stop = inbox.indptr[a], inbox.indptr[a + 1]
    for t in range(first, stop):
        q = inbox.q[t]
        if q != last:
            above, tied, last = above + tied, 0.0, q
            u = t
            while u < stop and inbox.q[u] == q:
                tied += np.float64(inbox.p[u]) * shown[u - first]
                u += 1
        look = np.float64(shown[t - first])
        place = 1.0 + above + 0.5 * (tied - inbox.p[t] * look)
        chance, back, both = examination_at(kind, decay, place), inbox.reverse[t], np.float64(inbox.p[t]) * q
        mine = own[back] if back >= 0 else 0.0
        total += both * look * chance * (1.0 - mine)
        if back >= 0:
            total += both * mine * (look + read[back] * (1.0 - look))
    return total


@kernel
def _count(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    inbox: Inbox,
    viewer: Int32Array,
    kind: int,
    decay: float,
    exposure: Float32Array,
    read: Float32Array,
    people: Int32Array,
    shown_to: Float32Array,
    least: float,
):
    # shown_to: `(n_people, len(people))`, exposure of each of `people` to everybody.
    envious = 0
    most = 0
    for a in people:
        most = max(most, inbox.indptr[a + 1] - inbox.indptr[a])
    shown = np.empty(most, np.float32)
    for at in range(len(people)):
        a = people[at]
        first, stop = inbox.indptr[a], inbox.indptr[a + 1]
        for t in range(first, stop):
            shown[t - first] = exposure[inbox.edge[t]]
        own = _matches_if(inbox, a, kind, decay, shown, exposure, read)
        for other in range(len(people)):
            if other == at:
                continue
            for t in range(first, stop):
                shown[t - first] = shown_to[viewer[t], other]
            if _matches_if(inbox, a, kind, decay, shown, exposure, read) > own + least:
                envious += 1
    return envious


def _count_unread(
    graph: CandidateGraph, exposure: Float32Array, people: npt.NDArray[np.int64], shown_to: Float32Array
) -> int:
    """Count without inboxes: matches are linear in how one is shown, so one product gives them all."""
    inbox = graph.inbox
    back = np.maximum(inbox.reverse, 0)
    looks_back = np.where(inbox.reverse >= 0, exposure[back], 0.0)
    worth = inbox.p.astype(np.float64) * inbox.q * looks_back
    shape = (graph.n_people, graph.n_people)
    by_viewer = sparse.csr_array((worth, graph.viewer[inbox.edge], inbox.indptr), shape=shape)
    matches = by_viewer[people] @ shown_to.astype(np.float64)
    own = matches.diagonal()
    return int((matches > own[:, None] + _SURELY).sum())


def envious_pairs(
    graph: CandidateGraph,
    ranked: RankedEdges | Float32Array,
    *,
    look: Decay = 1.0,
    inbox: Decay = 1.0,
    people: npt.ArrayLike | None = None,
) -> int:
    """Return how many ordered pairs of people there are in which the first envies the second.

    ranked: lists, or the exposure of every edge `(n_edges,)`, such as that of a mixture over nights.
    people: rows to compare, all by default; the time grows with the square of their number. Expected
    matches are those of the mean-field model; lists of one's own stay as they are.
    """
    chosen = np.arange(graph.n_people) if people is None else np.asarray(people, np.int64)
    reading = Examination.of(inbox, where="inbox")
    if isinstance(ranked, RankedEdges):
        longest = int(ranked.place.max(initial=1))
        position_weights = Examination.of(look, where="look").position_weights(longest)
        exposure = ranked.exposure(position_weights, graph.n_edges)
    else:
        exposure = ranked
    read = np.zeros(graph.n_edges, np.float32)
    exposed = Exposed.nothing(graph.n_edges)
    arriving, viewer = graph.inbox, graph.viewer
    always = np.ones(graph.n_people, np.float32)
    how_read = always, reading.kind, reading.decay
    read_probabilities(0, graph.n_people, arriving, exposed, *how_read, exposure, read)
    column = np.full(graph.n_people, -1, np.int64)
    column[chosen] = np.arange(len(chosen))
    shown_to = np.zeros((graph.n_people, len(chosen)), np.float32)
    kept = column[graph.candidate] >= 0
    shown_to[viewer[kept], column[graph.candidate[kept]]] = exposure[kept]
    if reading.kind == UNREAD:
        return _count_unread(graph, exposure, chosen, shown_to)
    return int(
        _count(
            arriving,
            viewer[arriving.edge],
            reading.kind,
            reading.decay,
            exposure,
            read,
            chosen.astype(np.int32),
            shown_to,
            _SURELY,
        )
    )
