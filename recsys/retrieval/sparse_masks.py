"""What forbids single pairs: separations, token groups, liked-only people, per-call exclusions."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import sparse

from recsys.constraints.compiled import Compiled
from recsys.types import BoolArray, Int32Array, Int64Array


class Links(NamedTuple):
    """Who is linked to whom: the links of p are `indices[indptr[p]:indptr[p + 1]]`, ascending."""

    indptr: Int64Array
    indices: Int32Array


class Sparse(NamedTuple):
    """Every sparse rule, in positions (tile order).

    separated: person to people they never meet.
    own, avoid: person to groups; owners, avoiders: group to people.
    likers:    person to the people who liked them.
    liked_only, suggestible: `(n,)` bool.
    """

    separated: Links
    own: Links
    avoid: Links
    owners: Links
    avoiders: Links
    likers: Links
    liked_only: npt.NDArray[np.bool_]
    suggestible: npt.NDArray[np.bool_]


def links(matrix: sparse.csr_array | sparse.csc_array) -> Links:
    """Return a sparse matrix as links, each row's in ascending order."""
    ordered = matrix.tocsr()
    ordered.sum_duplicates()
    ordered.sort_indices()
    return Links(ordered.indptr.astype(np.int64), ordered.indices.astype(np.int32))


def _matrix(indptr: npt.ArrayLike, indices: npt.ArrayLike, shape: tuple[int, int]) -> sparse.csr_array:
    ones = np.ones(len(np.asarray(indices)), np.int8)
    return sparse.csr_array((ones, np.array(indices), np.array(indptr)), shape=shape)


def sparse_of(compiled: Compiled, rows: Int32Array) -> Sparse:
    """Return the sparse rules of the people at `rows`, numbered by their place in `rows`."""
    n = compiled.n_people
    groups = 1 + max(
        (int(found.max()) for found in (compiled.own_indices, compiled.avoid_indices) if len(found)),
        default=-1,
    )

    def between_people(indptr: npt.ArrayLike, indices: npt.ArrayLike) -> sparse.csr_array:
        return _matrix(indptr, indices, (n, n))[rows][:, rows]

    own = _matrix(compiled.own_indptr, compiled.own_indices, (n, groups))[rows]
    avoid = _matrix(compiled.avoid_indptr, compiled.avoid_indices, (n, groups))[rows]
    return Sparse(
        separated=links(between_people(compiled.separated_indptr, compiled.separated_indices)),
        own=links(own),
        avoid=links(avoid),
        owners=links(own.T),
        avoiders=links(avoid.T),
        likers=links(between_people(compiled.liked_indptr, compiled.liked_indices).T),
        liked_only=compiled.liked_only[rows].astype(bool),
        suggestible=compiled.suggestible[rows].astype(bool),
    )


# Kernels called for each row take plain arrays: handing over a tuple of them costs a count for each array.


@njit(nogil=True, cache=True)
def _clear(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    mask: BoolArray, r: int, columns: Int32Array, indices: Int32Array, start: int, stop: int
):
    # Closes in row r the columns among indices[start:stop]. Both are ascending: start where the columns
    # start, and look each link up by bisection, so a list of 100,000 costs little.
    if start == stop:
        return
    for at in range(start + np.searchsorted(indices[start:stop], columns[0]), stop):
        if indices[at] > columns[-1]:
            break
        j = np.searchsorted(columns, indices[at])
        if columns[j] == indices[at]:
            mask[r, j] = False


@njit(nogil=True, cache=True)
def _hide_liked_only(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    mask: BoolArray,
    r: int,
    hidden: Int32Array,
    suggestible: BoolArray,
    columns: Int32Array,
    both_ways: bool,
    likers: Int32Array,
    start: int,
    stop: int,
):
    # A liked-only candidate is shown to the people they liked (likers[start:stop]); two of them who both
    # take suggestions are shown to each other. Everybody else never sees them. `hidden`: where such
    # candidates stand among the columns; `suggestible`: which of these take suggestions.
    for h in range(len(hidden)):
        j = hidden[h]
        if mask[r, j] and not (both_ways & suggestible[h]):
            at = start + np.searchsorted(likers[start:stop], columns[j])
            mask[r, j] = at < stop and likers[at] == columns[j]


@njit(nogil=True, cache=True)
def close_pairs(  # type: ignore[no-untyped-def]  # noqa: D103
    mask: BoolArray, viewers: Int32Array, columns: Int32Array, rules: Sparse, excluded: Links
):
    # Closes, in `mask` `(n_viewers, n_columns)`, every pair that a sparse rule forbids, the viewer
    # among the columns, and what this call excludes. `columns` are ascending positions.
    if len(columns) == 0:
        return
    hidden = np.flatnonzero(rules.liked_only[columns]).astype(np.int32)
    hidden_suggestible = rules.suggestible[columns[hidden]]
    liked_only, suggestible = rules.liked_only, rules.suggestible
    likers_of, likers = rules.likers.indptr, rules.likers.indices
    apart_of, apart = rules.separated.indptr, rules.separated.indices
    excluded_of, excluded_from = excluded.indptr, excluded.indices
    owns_of, owns = rules.own.indptr, rules.own.indices
    avoids_of, avoids = rules.avoid.indptr, rules.avoid.indices
    owners_of, owners = rules.owners.indptr, rules.owners.indices
    avoiders_of, avoiders = rules.avoiders.indptr, rules.avoiders.indices
    for r in range(len(viewers)):
        i = viewers[r]
        both_ways = liked_only[i] & suggestible[i]
        _hide_liked_only(
            mask, r, hidden, hidden_suggestible, columns, both_ways, likers, likers_of[i], likers_of[i + 1]
        )
        _clear(mask, r, columns, apart, apart_of[i], apart_of[i + 1])
        _clear(mask, r, columns, excluded_from, excluded_of[i], excluded_of[i + 1])
        for at in range(owns_of[i], owns_of[i + 1]):
            g = owns[at]
            _clear(mask, r, columns, owners, owners_of[g], owners_of[g + 1])
            _clear(mask, r, columns, avoiders, avoiders_of[g], avoiders_of[g + 1])
        for at in range(avoids_of[i], avoids_of[i + 1]):
            g = avoids[at]
            _clear(mask, r, columns, owners, owners_of[g], owners_of[g + 1])
        j = np.searchsorted(columns, i)
        if j < len(columns) and columns[j] == i:
            mask[r, j] = False
