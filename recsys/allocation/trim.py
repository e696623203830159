"""Budgets kept exactly: places are handed out one after the other, while the receiver has likes left."""

import numpy as np
import numpy.typing as npt

from recsys.allocation.deploy import Ranked
from recsys.allocation.graph import CandidateGraph

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.int64]

_ROUNDING = 1e-9
"""Share of a budget kept back, so that no order of summing finds it broken."""


def within_budget(  # noqa: PLR0917
    graph: CandidateGraph,
    wishes: Ranked,
    value: Floats,
    slots: Floats,
    budget: Doubles,
    opens: Floats | None = None,
) -> Ranked:
    """Return lists in which nobody expects more likes than their budget.

    wishes: whom each viewer wants, best first, of any length.
    Place by place, every viewer without somebody in that place asks for the next edge of their wishes;
    each receiver takes the askers of highest `value` (ties by viewer) while their likes, `p` times the
    place's chance of a look, fit what is left. Who was turned down asks for the next one.
    """
    at, ends = wishes.indptr[:-1].copy(), wishes.indptr[1:]
    left = budget * (1.0 - _ROUNDING)
    viewers: list[Numbers] = []
    taken: list[Ints] = []
    for chance in slots:
        open_ = np.flatnonzero(at < ends)
        while len(open_):
            edge = wishes.edge[at[open_]]
            at[open_] += 1
            likes = graph.p[edge].astype(np.float64)
            if opens is not None:
                likes *= opens[open_]
            accepted = _accepted(graph.candidate[edge], value[edge], float(chance) * likes, left)
            viewers.append(open_[accepted])
            taken.append(edge[accepted])
            open_ = open_[~accepted]
            open_ = open_[at[open_] < ends[open_]]
    return _ranked(graph.n_people, viewers, taken)


def _accepted(receiver: Ints, value: Floats, likes: Doubles, left: Doubles) -> npt.NDArray[np.bool_]:
    """Say which askers fit, and take their likes from `left`; ties go in the order given."""
    order = np.lexsort((-value, receiver))
    who, arriving = receiver[order], likes[order]
    total = np.cumsum(arriving)
    first = np.searchsorted(who, who, side="left")
    within = total - (total[first] - arriving[first]) <= left[who]
    left -= np.bincount(who[within], weights=arriving[within], minlength=len(left))
    accepted = np.zeros(len(receiver), bool)
    accepted[order] = within
    return accepted


def _ranked(n_people: int, viewers: list[Numbers], taken: list[Ints]) -> Ranked:
    """Join what was handed out; earlier parts are higher places."""
    viewer = np.concatenate(viewers) if viewers else np.zeros(0, np.int64)
    edge = np.concatenate(taken) if taken else np.zeros(0, np.int32)
    indptr = np.zeros(n_people + 1, np.int64)
    np.cumsum(np.bincount(viewer, minlength=n_people), out=indptr[1:])
    return Ranked(indptr, edge[np.argsort(viewer, kind="stable")])
