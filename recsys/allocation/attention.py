"""Attention that a person may take: whom to show in fewer lists, and whose likes say little.

Somebody whom several credible people reported is shown in a share of the lists only, until people decide.
Somebody who likes nearly everybody looks like a sure match to everybody; the chance that they like back is
counted as that of a reserved person.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from recsys.allocation.graph import CandidateGraph
from recsys.random import KeyedGenerator
from recsys.types import BoolArray, Float32Array, Int32Array, Int64Array

_STEP: Final = 7
"""Of the keyed generator: whether a demoted person may stand in somebody's list."""
_RESERVED: Final = 0.10


@dataclass(frozen=True, eq=False)
class AttentionLimits:
    """Limits on the attention of each person.

    share:          `(n_people,)` float32 in (0, 1], the share of lists that may hold the person.
    indiscriminate: `(n_people,)` bool, who likes nearly everybody, see `recsys.data.indiscriminate`.
    eagerness:      `(n_people,)` float32 in (0, 1], by what the chance that the person likes back is
                    multiplied when lists are chosen; 1 for everybody until `with_candidates`.
    """

    share: Float32Array
    indiscriminate: BoolArray
    eagerness: Float32Array
    random: KeyedGenerator

    @classmethod
    def of(cls, share: Float32Array, indiscriminate: BoolArray, random: KeyedGenerator) -> Self:
        """Return limits before the candidates of a night are known."""
        return cls(share, indiscriminate, np.ones(len(share), np.float32), random)

    @classmethod
    def none(cls, n_people: int) -> Self:
        """Return limits that limit nobody."""
        return cls.of(np.ones(n_people, np.float32), np.zeros(n_people, bool), KeyedGenerator(0))

    def with_candidates(self, parts: Iterable[tuple[Int32Array, Float32Array]]) -> Self:
        """Return the limits with the eagerness of everybody among the candidates of a night.

        parts: candidates, and the chance that each likes back, `(n_pairs,)` each. The likes of somebody
        indiscriminate count as those of a reserved person: of ten, nine are liked back more.
        """
        if not self.indiscriminate.any():
            return self
        n_people = len(self.share)
        pairs, sums = np.zeros(n_people), np.zeros(n_people)
        for candidate, liked_back in parts:
            pairs += np.bincount(candidate, minlength=n_people)
            sums += np.bincount(candidate, liked_back, minlength=n_people)
        mean = sums / np.maximum(pairs, 1)
        others = (pairs > 0) & ~self.indiscriminate
        if not others.any():
            return self
        usual = float(np.quantile(mean[others], _RESERVED))
        found = np.where(self.indiscriminate, np.minimum(1.0, usual / np.maximum(mean, 1e-9)), 1.0)
        return replace(self, eagerness=found.astype(np.float32))

    @property
    def limits_anybody(self) -> bool:
        """Whether anybody is limited at all."""
        return bool((self.share < 1).any() or self.indiscriminate.any())

    def keeps(self, viewer: npt.ArrayLike, candidate: npt.ArrayLike) -> BoolArray:
        """Say of aligned pairs whether the candidate may stand in the viewer's list, by lot, `(n_pairs,)`."""
        share = self.share[np.asarray(candidate)]
        kept = np.ones(len(share), bool)
        limited = share < 1
        i, j = np.asarray(viewer)[limited], np.asarray(candidate)[limited]
        kept[limited] = self.random.uniform(_STEP, i, j) < share[limited]
        return kept

    def discounted(self, graph: CandidateGraph) -> CandidateGraph:
        """Return the graph with the likes of eager people counted as those of choosing ones."""
        if not (self.eagerness < 1).any():
            return graph
        found = replace(graph, p=graph.p.copy(), q=graph.q.copy())
        self._discount(found)
        return found

    @contextmanager
    def discounting(self, graph: CandidateGraph) -> Iterator[None]:
        """Count the likes of eager people in a graph as those of choosing ones, in here alone.

        The edges of everybody are in memory once: those that change are noted, and put back at the end.
        """
        given, taken = self._of_eager(graph)
        p, q = graph.p[given], graph.q[taken]
        self._discount(graph)
        try:
            yield
        finally:
            graph.p[given], graph.q[taken] = p, q

    def _discount(self, graph: CandidateGraph) -> None:
        given, taken = self._of_eager(graph)
        viewer = np.searchsorted(graph.indptr, given, side="right") - 1
        graph.p[given] *= self.eagerness[viewer]
        graph.q[taken] *= self.eagerness[graph.candidate[taken]]

    def _of_eager(self, graph: CandidateGraph) -> tuple[Int64Array, Int64Array]:
        """Return the edges of eager viewers and those to eager candidates."""
        eager, ends = self.eagerness < 1, graph.indptr
        ranges = (np.arange(ends[i], ends[i + 1]) for i in np.flatnonzero(eager))
        given = np.concatenate([np.zeros(0, np.int64), *ranges])
        return given, np.flatnonzero(eager[graph.candidate])

    def prices(self, price: Float32Array, graph: CandidateGraph) -> Float32Array:
        """Return the prices of a live search, `(n_people,)`: it holds the same people back.

        graph: before its discount.
        """
        n_edges = np.bincount(graph.candidate, minlength=len(price))
        liked_back = np.bincount(graph.candidate, graph.q, minlength=len(price)) / np.maximum(n_edges, 1)
        held_back = np.maximum(price, np.where(self.share < 1, 1.0 - self.share, 0.0))
        return (held_back + (1.0 - self.eagerness) * liked_back).astype(np.float32)
