"""Pairs that lists leave out or know something of: those seen already, and likes received."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import structlog

from recsys.arguments import as_pandas
from recsys.catalogue.columns import Columns as C
from recsys.data.ids import as_ids
from recsys.data.labels import LABEL, last_labels
from recsys.data.population import Population
from recsys.errors import UnknownIdError, explained, need_columns
from recsys.types import ArrowTable, Float64Array, Int32Array, Int64Array

_log = structlog.get_logger(__name__)


def likes_received(known: pd.DataFrame | ArrowTable, people: Population) -> Int32Array:
    """Return who was liked by whom as rows of people, `(n_likes, 2)`: of who was liked, then of who likes.

    known: viewer_id, candidate_id, label of what was said, 1 a like, as `score_pairs` takes it. Whoever is
    not among the people is passed over.

    >>> people = Population.of_ids(["a", "b", "c"], as_of="2026-01-05")
    >>> known = pd.DataFrame({"viewer_id": ["a", "c"], "candidate_id": ["b", "b"], "label": [1, 0]})
    >>> likes_received(known, people).tolist()
    [[1, 0]]
    """
    said = last_labels(as_pandas(known, name="known"))
    likes = said[said[LABEL] == 1]
    pairs = np.column_stack([people.ids.find(likes[column]) for column in (C.CANDIDATE, C.VIEWER)])
    return np.asarray(pairs[(pairs >= 0).all(axis=1)], np.int32)


def without_pairs(
    pairs: npt.NDArray[np.integer], others: npt.NDArray[np.integer] | None, n_people: int
) -> Int32Array:
    """Return the pairs, `(n_pairs, 2)`, that are not among the others."""
    if others is None or not len(others):
        return np.asarray(pairs, np.int32)
    keys, known = (
        each[:, 0].astype(np.int64) * n_people + each[:, 1] for each in (pairs, np.asarray(others))
    )
    return np.asarray(pairs[~np.isin(keys, known)], np.int32)


def best_of_lists(
    viewer: npt.NDArray[np.integer], score: Float64Array, order: npt.NDArray[np.integer], k: int
) -> Int64Array:
    """Return the positions of the best `k` of each viewer, viewers in the given order, best first.

    viewer, score: `(n_pairs,)`; of equals the earlier stands first. order: each viewer once.

    >>> best_of_lists(np.array([4, 2, 4]), np.array([0.1, 0.3, 0.2]), np.array([4, 2]), k=1).tolist()
    [2, 1]
    """
    place = np.full(int(max(viewer.max(initial=-1), order.max(initial=-1))) + 1, len(order))
    place[order] = np.arange(len(order))
    at = np.lexsort((-score, place[viewer]))
    of = place[viewer[at]]
    first = np.searchsorted(of, of)
    return np.asarray(at[(np.arange(len(at)) - first < k) & (of < len(order))], np.int64)


def known_pairs(
    exclude: pd.DataFrame | ArrowTable | None, people: Population
) -> tuple[npt.NDArray[np.int32] | None, int]:
    """Return the rows of the pairs in which both are known, `(n_pairs, 2)`, and how many are not.

    Raises UnknownIdError for ids of another kind, such as texts where people have numbers: all would be
    passed over.
    """
    if exclude is None:
        return None, 0
    frame = as_pandas(exclude, name="exclude")
    need_columns((C.VIEWER, C.CANDIDATE), frame.columns, where="exclude")
    for column in (C.VIEWER, C.CANDIDATE):
        found = as_ids(frame[column])
        known = found[pd.notna(found)]
        one = people.ids.ids([0])[0] if len(people) else None
        if len(known) and one is not None and isinstance(known[0], str) != isinstance(one, str):
            what, where = "ids of another kind than the people's", f"exclude, column '{column}'"
            remedy = f"write ids as {one!r}"
            raise UnknownIdError(explained(what, where=where, got=repr(known[0]), remedy=remedy))
    pairs = np.column_stack([people.ids.find(frame[column]) for column in (C.VIEWER, C.CANDIDATE)])
    both_known = (pairs >= 0).all(axis=1)
    if len(pairs) and not both_known.any():
        _log.warning("no pair of exclude is among the people", pairs=len(pairs))
    return pairs[both_known], int((~both_known).sum())
