"""The candidate graph: who could be shown to whom, and how likely each would like the other."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from recsys.errors import InputError, explained
from recsys.kernels import kernel
from recsys.parallel import in_ranges
from recsys.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array


@kernel
def receiver_indptr(receiver: Int32Array, n_people: int):  # type: ignore[no-untyped-def]
    """Return where the edges of each receiver start, `(n_people + 1,)` int64; receiver: `(n_edges,)`."""
    indptr = np.zeros(n_people + 1, np.int64)
    for e in range(len(receiver)):
        indptr[receiver[e] + 1] += 1
    for j in range(n_people):
        indptr[j + 1] += indptr[j]
    return indptr


@kernel
def group_by_receiver(by_viewer: Int64Array, receiver: Int32Array, indptr: Int64Array):  # type: ignore[no-untyped-def]
    """Return edge and viewer `(n_edges,)` int32 by receiver, viewers ascending; indptr: of the receivers."""
    at = indptr[:-1].copy()
    edge = np.empty(len(receiver), np.int32)
    viewer = np.empty(len(receiver), np.int32)
    for i in range(len(by_viewer) - 1):
        for e in range(by_viewer[i], by_viewer[i + 1]):
            j = receiver[e]
            edge[at[j]], viewer[at[j]] = e, i
            at[j] += 1
    return edge, viewer


@kernel
def link_reverse_edges(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    start: int,
    stop: int,
    by_viewer: Int64Array,
    candidate: Int32Array,
    indptr: Int64Array,
    viewer: Int32Array,
    reverse: Int32Array,
):
    """Write the edge back from receiver to viewer into `reverse` `(n_edges,)`, -1 for none.

    Viewers of a receiver and candidates of a viewer both ascend, so the two lists are merged.
    """
    for j in range(start, stop):
        own, last = by_viewer[j], by_viewer[j + 1]
        for t in range(indptr[j], indptr[j + 1]):
            while own < last and candidate[own] < viewer[t]:
                own += 1
            reverse[t] = own if own < last and candidate[own] == viewer[t] else -1


@kernel
def stable_order(keys: Float64Array):  # type: ignore[no-untyped-def]
    """Return the positions of keys in ascending order, `(n,)` int64; equal keys stay in their order.

    numba compiles a sort anew for each type and each kernel that asks for one, so all ask for this one.
    """
    return np.argsort(keys, kind="mergesort")


@kernel
def sort_by_q(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    start: int,
    stop: int,
    indptr: Int64Array,
    edge: Int32Array,
    reverse: Int32Array,
    p_of: Float32Array,
    q_of: Float32Array,
    p: Float32Array,
    q: Float32Array,
):
    """Sort the edges of each receiver by q, highest first, and write their p and q, `(n_edges,)` each.

    The sort is stable, so ties stay in the order of viewers.
    """
    for j in range(start, stop):
        first, n = indptr[j], indptr[j + 1] - indptr[j]
        edges, back = edge[first : first + n].copy(), reverse[first : first + n].copy()
        keys = np.empty(n)
        for at in range(n):
            keys[at] = -q_of[edges[at]]
        order = stable_order(keys)
        for at in range(n):
            e = edges[order[at]]
            edge[first + at], reverse[first + at] = e, back[order[at]]
            p[first + at], q[first + at] = p_of[e], q_of[e]


@kernel
def sort_by_candidate(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    start: int, stop: int, indptr: Int64Array, candidate: Int32Array, p: Float32Array, q: Float32Array
):
    """Sort the edges of each viewer of a range by candidate, in place."""
    for i in range(start, stop):
        first, n = indptr[i], indptr[i + 1] - indptr[i]
        last = first + n
        others, ps, qs = candidate[first:last].copy(), p[first:last].copy(), q[first:last].copy()
        keys = np.empty(n)
        for at in range(n):
            keys[at] = others[at]
        order = stable_order(keys)
        for at in range(n):
            candidate[first + at] = others[order[at]]
            p[first + at], q[first + at] = ps[order[at]], qs[order[at]]


@kernel
def first_duplicate(indptr: Int64Array, candidate: Int32Array):  # type: ignore[no-untyped-def]
    """Return the first edge whose viewer has the same candidate just before it, -1 for none."""
    for i in range(len(indptr) - 1):
        for e in range(indptr[i] + 1, indptr[i + 1]):
            if candidate[e] == candidate[e - 1]:
                return e
    return -1


@kernel
def count_kept(start: int, stop: int, indptr: Int64Array, kept: BoolArray, lengths: Int64Array):  # type: ignore[no-untyped-def]
    """Write how many edges of each viewer of a range are kept `(n_edges,)` into `lengths` `(n_people,)`."""
    for i in range(start, stop):
        lengths[i] = kept[indptr[i] : indptr[i + 1]].sum()


EdgeBlock = tuple[Int32Array, Int32Array, Float32Array, Float32Array]
"""Viewer, candidate, p and q of some edges, aligned."""


class Inbox(NamedTuple):
    """Edges by receiver: those of j are `[indptr[j]:indptr[j + 1]]`, the highest q first, then by viewer.

    edge:    `(n_edges,)` int32, position among the edges by viewer.
    p, q:    `(n_edges,)` float32, of these edges.
    reverse: `(n_edges,)` int32, position of the edge from receiver to viewer, -1 when there is none.
    """

    indptr: Int64Array
    edge: Int32Array
    p: Float32Array
    q: Float32Array
    reverse: Int32Array


@dataclass(frozen=True, eq=False)
class CandidateGraph:
    """Directed edges by viewer: those of i are `[indptr[i]:indptr[i + 1]]`, candidates ascending.

    Any directed graph of people: one side looking at another, everybody at everybody, or a mixture.

    indptr:    `(n_people + 1,)` int64.
    candidate: `(n_edges,)` int32 rows.
    p:         `(n_edges,)` float32, P(viewer likes candidate | viewer looks).
    q:         `(n_edges,)` float32, P(candidate likes back | candidate looks).

    >>> graph = CandidateGraph.of([0, 0, 1], [2, 1, 0], p=[0.5, 0.2, 0.9], q=[0.1, 0.9, 0.2], n_people=3)
    >>> graph.candidate.tolist()
    [1, 2, 0]
    """

    indptr: Int64Array
    candidate: Int32Array
    p: Float32Array
    q: Float32Array

    @classmethod
    def of(
        cls,
        viewer: npt.ArrayLike,
        candidate: npt.ArrayLike,
        *,
        p: npt.ArrayLike,
        q: npt.ArrayLike,
        n_people: int,
    ) -> Self:
        """Build from edges in any order.

        Raises InputError for an edge that stands twice, leads to oneself or outside, and for a p or q
        that is no probability.
        """
        i, j = np.asarray(viewer, np.int64).reshape(-1), np.asarray(candidate, np.int64).reshape(-1)
        like, back = np.asarray(p, np.float32).reshape(-1), np.asarray(q, np.float32).reshape(-1)
        _refuse_broken(i, j, like, back, n_people)
        keys = i * max(n_people, 1) + j
        if len(keys) and not (keys[1:] > keys[:-1]).all():
            order = np.argsort(keys, kind="stable")
            keys, i, j, like, back = keys[order], i[order], j[order], like[order], back[order]
            if (keys[1:] == keys[:-1]).any():
                at = int(np.flatnonzero(keys[1:] == keys[:-1])[0])
                _refuse_repeat(int(i[at]), int(j[at]))
        indptr = np.zeros(n_people + 1, np.int64)
        np.cumsum(np.bincount(i, minlength=n_people), out=indptr[1:])
        return cls(indptr, j.astype(np.int32), like, back)

    @classmethod
    def of_blocks(cls, blocks: Iterable[EdgeBlock], n_people: int, workers: int = 1) -> Self:
        """Build from edges in pieces, viewers ascending, without ever holding them twice over.

        Raises InputError as `of` does, and for viewers that do not ascend.
        """
        degree, last = np.zeros(n_people, np.int64), 0
        candidates: list[Int32Array] = []
        likes: list[Float32Array] = []
        backs: list[Float32Array] = []
        for viewers, shown, like, back in blocks:
            _refuse_broken(viewers, shown, like, back, n_people)
            if (np.diff(viewers, prepend=last) < 0).any():
                raise InputError(explained("edges must come viewer by viewer", where="blocks"))
            last = int(viewers[-1]) if len(viewers) else last
            degree += np.bincount(viewers, minlength=n_people)
            candidates.append(shown)
            likes.append(like)
            backs.append(back)
        indptr = np.append(0, np.cumsum(degree))
        _refuse_many(int(indptr[-1]))
        candidate = _end_to_end(candidates, np.int32)
        p, q = _end_to_end(likes, np.float32), _end_to_end(backs, np.float32)

        def order(start: int, stop: int) -> None:
            sort_by_candidate(start, stop, indptr, candidate, p, q)

        in_ranges(order, indptr, workers)
        again = first_duplicate(indptr, candidate)
        if again >= 0:
            _refuse_repeat(int(np.searchsorted(indptr, again, side="right")) - 1, int(candidate[again]))
        return cls(indptr, candidate, p, q)

    @property
    def n_people(self) -> int:
        """How many people there are, with or without edges."""
        return len(self.indptr) - 1

    @property
    def n_edges(self) -> int:
        """How many edges there are."""
        return len(self.candidate)

    @property
    def viewer(self) -> Int32Array:
        """The viewer of every edge, `(n_edges,)` int32."""
        return np.repeat(np.arange(self.n_people, dtype=np.int32), np.diff(self.indptr))

    @property
    def takes_part(self) -> npt.NDArray[np.bool_]:
        """Who looks at somebody or is looked at, `(n_people,)`."""
        return (np.diff(self.indptr) > 0) | (np.diff(receiver_indptr(self.candidate, self.n_people)) > 0)

    def filtered(self, kept: BoolArray) -> Self:
        """Return the graph of some edges, `(n_edges,)` bool, between the same people."""
        lengths = np.empty(self.n_people, np.int64)
        count_kept(0, self.n_people, self.indptr, kept, lengths)
        indptr = np.append(0, np.cumsum(lengths))
        return type(self)(indptr, self.candidate[kept], self.p[kept], self.q[kept])

    @cached_property
    def inbox(self) -> Inbox:
        """The edges by receiver, in the order in which an inbox is read."""
        return make_inbox(self)

    def build_inbox(self, workers: int = 1) -> Inbox:
        """Return `inbox`, made by several threads when it is not there yet; they change the time alone."""
        if "inbox" not in self.__dict__:
            self.__dict__["inbox"] = make_inbox(self, workers)
        return self.inbox

    def release_inbox(self) -> None:
        """Free what `inbox` holds; it is made again when it is used again."""
        self.__dict__.pop("inbox", None)


def make_inbox(graph: CandidateGraph, workers: int = 1) -> Inbox:
    """Lay the edges out by receiver, once; ties of q go by viewer."""
    n_edges = graph.n_edges
    indptr = receiver_indptr(graph.candidate, graph.n_people)
    edge, viewer = group_by_receiver(graph.indptr, graph.candidate, indptr)
    reverse = np.empty(n_edges, np.int32)
    p, q = np.empty(n_edges, np.float32), np.empty(n_edges, np.float32)

    def order(start: int, stop: int) -> None:
        link_reverse_edges(start, stop, graph.indptr, graph.candidate, indptr, viewer, reverse)
        sort_by_q(start, stop, indptr, edge, reverse, graph.p, graph.q, p, q)

    in_ranges(order, indptr, workers)
    return Inbox(indptr, edge, p, q, reverse)


def _end_to_end(parts: list[Any], kind: Any) -> npt.NDArray[Any]:
    """Join arrays into one and forget the parts."""
    whole = np.concatenate([np.empty(0, kind), *parts])
    parts.clear()
    return whole


def _refuse_many(n_edges: int) -> None:
    if n_edges >= 2**31 - 1:
        remedy = "keep fewer a viewer"
        raise InputError(explained("too many edges for one allocation", got=n_edges, remedy=remedy))


def _refuse_repeat(viewer: int, candidate: int) -> None:
    got = f"viewer {viewer}, candidate {candidate}"
    raise InputError(explained("an edge stands twice", got=got, remedy="give each pair once"))


def _refuse_broken(
    i: npt.NDArray[np.integer], j: npt.NDArray[np.integer], p: Float32Array, q: Float32Array, n_people: int
) -> None:
    if not len(i) == len(j) == len(p) == len(q):
        got = f"{len(i)}, {len(j)}, {len(p)} and {len(q)}"
        raise InputError(explained("viewer, candidate, p and q must be of one length", got=got))
    _refuse_many(len(i))
    for name, rows in (("viewer", i), ("candidate", j)):
        wrong = (rows < 0) | (rows >= n_people)
        if wrong.any():
            raise InputError(
                explained(f"not a row of {n_people} people", where=name, got=int(rows[wrong][0]))
            )
    if (i == j).any():
        raise InputError(explained("somebody is their own candidate", got=f"row {i[i == j][0]}"))
    for name, chance in (("p", p), ("q", q)):
        wrong = ~((chance >= 0.0) & (chance <= 1.0))  # comparisons with NaN are false
        if wrong.any():
            raise InputError(explained("not a probability", where=name, got=float(chance[wrong][0])))
