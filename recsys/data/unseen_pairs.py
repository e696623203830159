"""Unseen pairs: people nobody decided about, beside those who might have."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

_ROUNDS: Final = 50
"""Draws after which pairs that are still missing are taken to be too few."""


@dataclass(frozen=True, eq=False)
class UnseenPairs:
    """Pairs nobody decided about: viewers beside the candidates of their kind.

    Viewers are of a kind when a chain of decisions of even length joins them, such as a common candidate.
    Where women like men and men like women, each stands so beside the other alone, though nothing says who
    is who. Chains without a circle, in which fewer pairs than people met, are what chance makes of few
    decisions and keep nobody apart: those viewers stand beside all candidates.

    Source: Erdos and Renyi, "On the evolution of random graphs", 1960: below one decision for two people
    nearly all parts are trees.

    acting: `(n_acting,)` viewers who decided about anybody; kind: of each. candidates: of all kinds, those
    of kind k at `start[k]:start[k + 1]`. known: `viewer * width + candidate` of the decisions, ascending.
    """

    acting: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    candidates: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    known: npt.NDArray[np.int64]
    width: int

    @classmethod
    def of(cls, viewers: npt.ArrayLike, candidates: npt.ArrayLike, *, across_circles: bool = False) -> Self:
        """Return the pairs that the decisions, at least one, of viewers about candidates leave unseen.

        viewers, candidates: `(n_decisions,)` rows of one population.
        across_circles: all viewers are of one kind where those who are decided about decide about people of
            their own chain, as in a community, or about nobody, as films, though no chain joins circles that
            keep to themselves. Without pairs across them nothing tells a circle's own people from others;
            those within are harder to tell apart, and are what lists are made of.

        >>> unseen = UnseenPairs.of([0, 0, 1], [1, 2, 2])
        >>> len(unseen), [x.tolist() for x in unseen.drawn(50, np.random.default_rng(1))]
        (1, [[], []])
        """
        i, j = np.asarray(viewers, np.int64), np.asarray(candidates, np.int64)
        kind, everybody = _kinds(i, j, across_circles=across_circles)
        acting, first = np.unique(i, return_index=True)
        liked = np.unique(np.column_stack([kind, j]), axis=0)
        if everybody >= 0:
            beside_all = np.unique(j)
            pool = np.column_stack([np.full(len(beside_all), everybody), beside_all])
            liked = np.concatenate([liked[liked[:, 0] != everybody], pool])
        start = np.searchsorted(liked[:, 0], np.arange(kind.max() + 2))
        width = int(max(i.max(), j.max())) + 1
        return cls(acting, kind[first], liked[:, 1], start, np.unique(i * width + j), width)

    def __len__(self) -> int:
        """How many pairs are unseen; somebody beside themself counts."""
        return int(np.diff(self.start)[self.kind].sum()) - len(self.known)

    def share_apart(self) -> float:
        """Return the share of those who decided, or were decided about, whom no chain joins to most others.

        >>> UnseenPairs.of([0, 1, 2, 5], [1, 2, 0, 6]).share_apart()
        0.4
        """
        viewer, candidate = self.known // self.width, self.known % self.width
        people, row = np.unique(np.concatenate([viewer, candidate]), return_inverse=True)
        size = np.bincount(_joined(row[: len(viewer)], row[len(viewer) :], len(people)))
        return 1.0 - float(size.max()) / len(people)

    def beside(
        self, viewers: npt.NDArray[np.integer], n_drawn: int, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return `n_drawn` candidates for each viewer, drawn evenly, and which of them are unseen."""
        kind = self.kind[np.searchsorted(self.acting, viewers)]
        size = np.diff(self.start)[kind]
        pick = self.start[kind][:, None] + (rng.random((len(viewers), n_drawn)) * size[:, None]).astype(int)
        found = self.candidates[pick]
        pair = viewers.astype(np.int64)[:, None] * self.width + found
        at = np.searchsorted(self.known, pair).clip(0, len(self.known) - 1)
        return found, (self.known[at] != pair) & (found != viewers[:, None])

    def drawn_beside(
        self, viewers: npt.NDArray[np.integer], n_drawn: int, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the unseen among `n_drawn` pairs drawn for each viewer, each once: viewers, candidates."""
        candidates, fresh = self.beside(viewers, n_drawn, rng)
        pair = np.unique((viewers.astype(np.int64)[:, None] * self.width + candidates)[fresh])
        return pair // self.width, pair % self.width

    def sampled(
        self,
        n_drawn: int,
        viewers: npt.NDArray[np.integer],
        rng: np.random.Generator,
        *,
        may: Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64]], npt.NDArray[np.bool_]] | None = None,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return `n_drawn` unseen pairs, each once: viewers, candidates; fewer where too few are unseen.

        viewers: drawn among them evenly, so that who stands there twice is drawn twice as often, until they
        have nobody left. may: says which pairs may be drawn.

        >>> unseen = UnseenPairs.of([0, 0, 1, 1, 2], [3, 4, 4, 5, 5])
        >>> [len(unseen.sampled(n, np.array([0, 1, 2]), np.random.default_rng(1))[0]) for n in (1, 3, 9)]
        [1, 3, 4]
        """
        pair = np.empty(0, np.int64)
        for _ in range(_ROUNDS):
            some = viewers[rng.integers(0, len(viewers), n_drawn - len(pair))]
            i, j = self.drawn_beside(some, 1, rng)
            if may is not None:
                allowed = may(i, j)
                i, j = i[allowed], j[allowed]
            pair = np.union1d(pair, i * self.width + j)
            if len(pair) >= n_drawn:
                break
        return pair // self.width, pair % self.width

    def drawn(
        self, n_drawn: int, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return viewers and candidates of about `n_drawn` unseen pairs, each once, viewers drawn evenly."""
        return self.drawn_beside(self.acting[rng.integers(0, len(self.acting), n_drawn)], 1, rng)


def _kinds(
    viewers: npt.NDArray[np.int64], candidates: npt.NDArray[np.int64], *, across_circles: bool
) -> tuple[npt.NDArray[np.int64], int]:
    """Return the number of each decision's kind of viewer, `(n_decisions,)`, from 0.

    Also the last kind where it is of those that stand beside all candidates, else -1.
    """
    n = int(max(viewers.max(), candidates.max())) + 1
    # everybody twice, as a viewer and as a candidate: a decision joins one with the other, either way round
    part = _joined(
        np.concatenate([viewers, candidates]), np.concatenate([candidates, viewers]) + n, 2 * n
    ).astype(np.int64)
    both = np.intersect1d(viewers, candidates)
    one_kind = 2 * int((part[both] != part[both + n]).sum()) <= len(both)
    if across_circles and one_kind:
        return np.zeros(len(viewers), np.int64), -1
    chance = _made_by_chance(viewers, candidates, part)
    circles, kind = np.unique(part[viewers], return_inverse=True)
    kind = kind.astype(np.int64)
    loose = chance[circles]
    if not loose.any():
        return kind, -1
    n_circles = int((~loose).sum())
    if n_circles <= 1 and (one_kind or not n_circles):
        return np.zeros(len(viewers), np.int64), -1
    number = np.where(loose, n_circles, np.cumsum(~loose) - 1)
    return number[kind], n_circles


def _made_by_chance(
    viewers: npt.NDArray[np.int64], candidates: npt.NDArray[np.int64], part: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Say of each part of those joined as viewers and candidates whether it is a tree."""
    n = len(part) // 2
    pair = np.unique(np.minimum(viewers, candidates) * n + np.maximum(viewers, candidates))
    people = np.unique(np.concatenate([viewers, candidates]))
    n_parts = int(part.max()) + 1
    # the two parts of a chain hold the same people and pairs
    n_pairs = np.bincount(part[pair // n], minlength=n_parts) + np.bincount(part[pair % n], minlength=n_parts)
    n_people = np.bincount(part[people], minlength=n_parts) + np.bincount(part[people + n], minlength=n_parts)
    return np.asarray(n_pairs < n_people)


def _joined(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.integer]:
    """Return the number of the part of the graph that each of `n` nodes is of, `(n,)`; edges join nodes."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(n, n))
    _, part = connected_components(graph, directed=False)
    return np.asarray(part)
