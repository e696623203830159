"""Whom each person has liked already: nobody is offered to them a second time."""

import numpy as np
import numpy.typing as npt

from recsys.constraints.csr import Lists
from recsys.schema.population import Population


def likes_given(people: Population) -> Lists:
    """Return, for each row of `people`, the rows they liked and wait for.

    The other still sees them and may answer; so this narrows lists and forbids nothing. A place spent on
    somebody liked already brings nobody nearer, and asks for the same like twice.

    >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> likes_given(people).indices.tolist()
    []
    """
    liked = people.relations.liked
    return Lists.of(liked[:, 0], liked[:, 1], len(people))


def pairs_of(given: Lists, viewers: npt.ArrayLike | None) -> npt.NDArray[np.int32]:
    """Return viewer and liked person, `(n_pairs, 2)`, of some viewers' rows; None is everybody.

    >>> pairs_of(Lists.of(np.array([0, 1]), np.array([2, 0]), 3), [1]).tolist()
    [[1, 0]]
    """
    pairs = np.column_stack([given.rows, given.indices])
    if viewers is None:
        return pairs
    asked = np.zeros(len(given.indptr) - 1, bool)
    rows = np.asarray(viewers, np.int64)
    asked[rows[(rows >= 0) & (rows < len(asked))]] = True
    return pairs[asked[pairs[:, 0]]]


def without_likes(given: Lists, viewer: npt.ArrayLike, candidate: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Say for aligned rows whether the viewer has not liked the candidate, `(n_pairs,)` bool."""
    return ~given.holds(np.asarray(viewer), np.asarray(candidate))
