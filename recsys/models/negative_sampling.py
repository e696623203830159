"""Passes drawn among pairs that never met, for data in which nobody ever said no."""

from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from recsys.models.impressions import Impressions
from recsys.models.training_data import LabelledPairs

PASSES_PER_LIKE: Final = 4.0
"""Passes drawn for each like where nobody ever said no."""


Decisions = TypeVar("Decisions", Impressions, LabelledPairs)


def only_likes(decisions: Impressions | LabelledPairs) -> bool:
    """Say whether every look ended in a like, so that nothing tells whom people do not want."""
    return len(decisions) > 0 and bool((decisions.labels > 0).all())


def with_some_passes(decisions: Decisions, rng: np.random.Generator) -> Decisions:
    """Return the decisions, with passes drawn beside them if nobody ever said no.

    What is learned from likes alone is a chance of 1, which says nothing; see `with_sampled_negatives`.
    """
    if not only_likes(decisions):
        return decisions
    return with_sampled_negatives(decisions, PASSES_PER_LIKE, rng)


def with_sampled_negatives(decisions: Decisions, per_like: float, rng: np.random.Generator) -> Decisions:
    """Return the decisions and `per_like` passes a like, between people who never met.

    A viewer is joined evenly with somebody whom viewers of their kind like: viewers are of a kind when
    a chain of common candidates joins them. Where women like men and men like women, each is so joined
    with the other alone, though nothing says who is who. Drawing evenly leaves popularity in what is
    learned; the chances learned are those of a like beside such a pair.

    Source: Mikolov, Sutskever, Chen, Corrado and Dean, "Distributed representations of words and
    phrases and their compositionality", NeurIPS 2013, for learning from drawn negatives.
    """
    n_drawn = round(per_like * len(decisions))
    if not n_drawn:
        return decisions
    kind = _kinds(decisions)
    liked = np.unique(np.column_stack([kind, decisions.candidates]), axis=0)
    start = np.searchsorted(liked[:, 0], np.arange(kind.max() + 2))
    at = rng.integers(0, len(decisions), n_drawn)
    size = np.diff(start)[kind[at]]
    pick = start[kind[at]] + (rng.random(n_drawn) * size).astype(np.int64)
    viewers, candidates = decisions.viewers[at], liked[pick, 1].astype(decisions.candidates.dtype)
    width = int(max(decisions.viewers.max(), decisions.candidates.max())) + 1
    pair = viewers.astype(np.int64) * width + candidates
    known = decisions.viewers.astype(np.int64) * width + decisions.candidates
    fresh = np.unique(pair[(viewers != candidates) & ~np.isin(pair, known)])
    both = decisions.joined([decisions, _passes(decisions, fresh // width, fresh % width)])
    return both.take(np.lexsort((both.candidates, both.viewers)))


def _passes(like: Decisions, viewers: npt.NDArray[np.int64], candidates: npt.NDArray[np.int64]) -> Decisions:
    """Return passes of average weight and age, decided after a look."""
    n_drawn = len(viewers)
    own: dict[str, npt.NDArray[Any]] = {
        "viewers": viewers.astype(like.viewers.dtype),
        "candidates": candidates.astype(like.candidates.dtype),
        "labels": np.zeros(n_drawn),
        "weights": np.full(n_drawn, float(like.weights.mean())),
    }
    if isinstance(like, Impressions):
        own |= {
            "p_examined": np.ones(n_drawn),
            "unexamined_odds": np.zeros(n_drawn),
            "answered": np.ones(n_drawn, bool),
            "is_reply": np.zeros(n_drawn, bool),
            "age": np.full(n_drawn, float(like.age.mean())),
            "first_age": np.full(n_drawn, float(like.first_age.mean())),
        }
    return type(like)(**own)


@dataclass(frozen=True, eq=False)
class UnseenPairs:
    """Pairs nobody decided about: viewers beside the candidates of their kind (see `with_sampled_negatives`).

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
    def of(cls, decisions: Impressions) -> "UnseenPairs":
        """Return the pairs that `decisions`, at least one, leave unseen."""
        kind = _kinds(decisions)
        acting, first = np.unique(decisions.viewers, return_index=True)
        liked = np.unique(np.column_stack([kind, decisions.candidates]), axis=0)
        start = np.searchsorted(liked[:, 0], np.arange(kind.max() + 2))
        width = int(max(decisions.viewers.max(), decisions.candidates.max())) + 1
        known = np.unique(decisions.viewers.astype(np.int64) * width + decisions.candidates)
        return cls(acting.astype(np.int64), kind[first], liked[:, 1], start, known, width)

    def __len__(self) -> int:
        """How many pairs are unseen; somebody beside themself counts."""
        return int(np.diff(self.start)[self.kind].sum()) - len(self.known)

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

    def drawn(
        self, n_drawn: int, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return viewers and candidates of about `n_drawn` unseen pairs, each once, viewers drawn evenly."""
        viewers = self.acting[rng.integers(0, len(self.acting), n_drawn)]
        candidates, fresh = self.beside(viewers, 1, rng)
        pair = np.unique(viewers[fresh[:, 0]] * self.width + candidates[fresh[:, 0], 0])
        return pair // self.width, pair % self.width


def _kinds(impressions: Impressions | LabelledPairs) -> npt.NDArray[np.int64]:
    """Return the number of each impression's kind of viewer, `(n_impressions,)`, from 0."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = int(max(impressions.viewers.max(), impressions.candidates.max())) + 1
    ones = np.ones(len(impressions), np.int8)
    graph = coo_array((ones, (impressions.viewers, impressions.candidates + n)), shape=(2 * n, 2 * n))
    _, part = connected_components(graph, directed=False)
    return np.unique(part[impressions.viewers], return_inverse=True)[1].astype(np.int64)
