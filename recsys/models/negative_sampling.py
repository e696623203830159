"""Passes drawn among pairs that never met, for data in which nobody ever said no."""

from dataclasses import fields

import numpy as np
import numpy.typing as npt

from recsys.models.impressions import Looks


def only_likes(looks: Looks) -> bool:
    """Say whether every look ended in a like, so that nothing tells whom people do not want."""
    return len(looks) > 0 and bool((looks.labels > 0).all())


def with_sampled_negatives(looks: Looks, per_like: float, rng: np.random.Generator) -> Looks:
    """Return the looks and `per_like` passes a like, between people who never met.

    A viewer is joined evenly with somebody whom viewers of their kind like: viewers are of a kind when
    a chain of common candidates joins them. Where women like men and men like women, each is so joined
    with the other alone, though nothing says who is who. Drawing evenly leaves popularity in what is
    learned; the chances learned are those of a like beside such a pair.

    Source: Mikolov, Sutskever, Chen, Corrado and Dean, "Distributed representations of words and
    phrases and their compositionality", NeurIPS 2013, for learning from drawn negatives.
    """
    n_drawn = round(per_like * len(looks))
    if not n_drawn:
        return looks
    kind = _kinds(looks)
    liked = np.unique(np.column_stack([kind, looks.candidates]), axis=0)
    start = np.searchsorted(liked[:, 0], np.arange(kind.max() + 2))
    at = rng.integers(0, len(looks), n_drawn)
    size = np.diff(start)[kind[at]]
    pick = start[kind[at]] + (rng.random(n_drawn) * size).astype(np.int64)
    viewers, candidates = looks.viewers[at], liked[pick, 1].astype(looks.candidates.dtype)
    width = int(max(looks.viewers.max(), looks.candidates.max())) + 1
    pair = viewers.astype(np.int64) * width + candidates
    known = looks.viewers.astype(np.int64) * width + looks.candidates
    fresh = np.unique(pair[(viewers != candidates) & ~np.isin(pair, known)])
    drawn = Looks(
        viewers=(fresh // width).astype(looks.viewers.dtype),
        candidates=(fresh % width).astype(looks.candidates.dtype),
        labels=np.zeros(len(fresh)),
        chances=np.ones(len(fresh)),
        doubt=np.zeros(len(fresh)),
        weights=np.full(len(fresh), float(looks.weights.mean())),
        answered=np.ones(len(fresh), bool),
        asked=np.zeros(len(fresh), bool),
    )
    both = {f.name: np.concatenate([getattr(looks, f.name), getattr(drawn, f.name)]) for f in fields(Looks)}
    return Looks(**both).take(np.lexsort((both["candidates"], both["viewers"])))


def _kinds(looks: Looks) -> npt.NDArray[np.int64]:
    """Return the number of each look's kind of viewer, `(n_looks,)`, from 0."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = int(max(looks.viewers.max(), looks.candidates.max())) + 1
    ones = np.ones(len(looks), np.int8)
    graph = coo_array((ones, (looks.viewers, looks.candidates + n)), shape=(2 * n, 2 * n))
    _, part = connected_components(graph, directed=False)
    return np.unique(part[looks.viewers], return_inverse=True)[1].astype(np.int64)
