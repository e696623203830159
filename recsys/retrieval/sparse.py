"""What forbids single pairs: separations, token groups, liked-only people, per-call exclusions."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import sparse

from recsys.constraints.compiled import Compiled
from recsys.retrieval.mask import Mask
from recsys.retrieval.words import Positions

Indptr = npt.NDArray[np.int64]
Indices = npt.NDArray[np.int32]


class Links(NamedTuple):
    """Who is linked to whom: the links of p are `indices[indptr[p]:indptr[p + 1]]`, ascending."""

    indptr: Indptr
    indices: Indices


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


def sparse_of(compiled: Compiled, rows: Positions) -> Sparse:
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


@njit(nogil=True, cache=True)
def _clear(open_row: Mask, columns: Positions, linked: Links, of: int):  # type: ignore[no-untyped-def]
    # Closes the columns linked to `of`. Both are ascending: start where the columns start, and
    # look each link up by bisection, so a list of 100,000 costs little.
    if linked.indptr[of] == linked.indptr[of + 1]:
        return
    found = linked.indices[linked.indptr[of] : linked.indptr[of + 1]]
    for at in range(np.searchsorted(found, columns[0]), len(found)):
        if found[at] > columns[-1]:
            break
        j = np.searchsorted(columns, found[at])
        if columns[j] == found[at]:
            open_row[j] = False


@njit(nogil=True, cache=True)
def _hide_liked_only(  # type: ignore[no-untyped-def]
    open_row: Mask, hidden: Positions, columns: Positions, viewer: int, rules: Sparse
):
    # A liked-only candidate is shown to the people they liked; two of them who both take
    # suggestions are shown to each other. Everybody else never sees them. `hidden`: where such
    # candidates stand among the columns.
    both_ways = rules.liked_only[viewer] & rules.suggestible[viewer]
    likers = rules.likers.indices[rules.likers.indptr[viewer] : rules.likers.indptr[viewer + 1]]
    for j in hidden:
        candidate = columns[j]
        if open_row[j] and not (both_ways & rules.suggestible[candidate]):
            at = np.searchsorted(likers, candidate)
            open_row[j] = at < len(likers) and likers[at] == candidate


@njit(nogil=True, cache=True)
def close_pairs(  # type: ignore[no-untyped-def]  # noqa: D103
    mask: Mask, viewers: Positions, columns: Positions, rules: Sparse, excluded: Links
):
    # Closes, in `mask` `(n_viewers, n_columns)`, every pair that a sparse rule forbids, the viewer
    # among the columns, and what this call excludes. `columns` are ascending positions.
    if len(columns) == 0:
        return
    hidden = np.flatnonzero(rules.liked_only[columns]).astype(np.int32)
    for r in range(len(viewers)):
        viewer, open_row = viewers[r], mask[r]
        _hide_liked_only(open_row, hidden, columns, viewer, rules)
        _clear(open_row, columns, rules.separated, viewer)
        _clear(open_row, columns, excluded, viewer)
        for g in rules.own.indices[rules.own.indptr[viewer] : rules.own.indptr[viewer + 1]]:
            _clear(open_row, columns, rules.owners, g)
            _clear(open_row, columns, rules.avoiders, g)
        for g in rules.avoid.indices[rules.avoid.indptr[viewer] : rules.avoid.indptr[viewer + 1]]:
            _clear(open_row, columns, rules.owners, g)
        j = np.searchsorted(columns, viewer)
        if j < len(columns) and columns[j] == viewer:
            open_row[j] = False
