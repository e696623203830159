"""Rules about single pairs, kept as sparse rows: separations, token groups, liked-only people, exclusions.

`mask_pairs` clears them in a mask that the dense kernel (masks.py) wrote.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.constraints.masks import RuleWords, mask_columns
from recsys.kernels import kernel
from recsys.types import BoolArray, Int32Array, Int64Array, UInt8Array, UInt32Array


class CsrRows(NamedTuple):
    """A sparse boolean matrix: row p holds `indices[indptr[p]:indptr[p + 1]]`, ascending."""

    indptr: Int64Array
    indices: Int32Array


class PairRules(NamedTuple):
    """Every rule about single pairs, numbered as the people of the mask.

    separated: person to people they never meet.
    own, avoid: person to groups; owners, avoiders: group to people.
    likers:    person to the people who liked them.
    liked_only, suggestible: `(n,)` bool.
    """

    separated: CsrRows
    own: CsrRows
    avoid: CsrRows
    owners: CsrRows
    avoiders: CsrRows
    likers: CsrRows
    liked_only: npt.NDArray[np.bool_]
    suggestible: npt.NDArray[np.bool_]


def csr_rows(matrix: sparse.csr_array | sparse.csc_array) -> CsrRows:
    """Return the pattern of a scipy matrix."""
    ordered = matrix.tocsr()
    ordered.sum_duplicates()
    ordered.sort_indices()
    return CsrRows(ordered.indptr.astype(np.int64), ordered.indices.astype(np.int32))


def sparse_pattern(indptr: npt.ArrayLike, indices: npt.ArrayLike, shape: tuple[int, int]) -> sparse.csr_array:
    """Return a scipy matrix of ones at the entries of sparse rows."""
    ones = np.ones(len(np.asarray(indices)), np.int8)
    return sparse.csr_array((ones, np.array(indices), np.array(indptr)), shape=shape)


# Kernels called for each row take plain arrays: handing over a tuple of them costs a count for each array.


@kernel(forceinline=True)
def _first_from(indices: Int32Array, start: int, stop: int, value: int):  # type: ignore[no-untyped-def]
    """Return the first place from `start` to `stop` where ascending indices reach a value, else `stop`."""
    while start < stop:
        middle = (start + stop) >> 1
        if indices[middle] < value:
            start = middle + 1
        else:
            stop = middle
    return start


@kernel
def _clear(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    mask: BoolArray, r: int, columns: Int32Array, indices: Int32Array, start: int, stop: int
):
    """Mask in row r of `mask` the columns among `indices[start:stop]`.

    Both are ascending: start where the columns start, and look each entry up by bisection, so a list of
    100,000 costs little.
    """
    first, last = columns[0], columns[-1]
    if start == stop or indices[start] > last or indices[stop - 1] < first:
        return
    for at in range(_first_from(indices, start, stop, first), stop):
        if indices[at] > last:
            break
        j = _first_from(columns, 0, len(columns), indices[at])
        if columns[j] == indices[at]:
            mask[r, j] = False


@kernel
def _hide_liked_only(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    mask: BoolArray,
    r: int,
    shown: UInt8Array,
    columns: Int32Array,
    likers: Int32Array,
    start: int,
    stop: int,
    through: Int32Array,
):
    """Mask in row r the liked-only candidates that the viewer may not be shown.

    A liked-only candidate is shown to the people they liked (`likers[start:stop]`). shown: `(n_columns,)`
    uint8, which columns the viewer may be shown whomever these liked. through: room for as many columns.
    """
    n, last = 0, columns[-1]
    for at in range(_first_from(likers, start, stop, columns[0]), stop):
        if likers[at] > last:
            break
        j = _first_from(columns, 0, len(columns), likers[at])
        if columns[j] == likers[at] and mask[r, j]:
            through[n] = j
            n += 1
    row = mask[r].view(np.uint8)
    for j in range(len(row)):  # of bytes and without a branch, so that it becomes vector instructions
        row[j] &= shown[j]
    for t in range(n):
        row[through[t]] = 1


@kernel
def mask_pairs(  # type: ignore[no-untyped-def]
    mask: BoolArray, viewers: Int32Array, columns: Int32Array, rules: PairRules, excluded: CsrRows
):
    """Clear in `mask` `(n_viewers, n_columns)` bool every pair that `rules` or `excluded` forbids.

    The viewer among the columns is cleared too. viewers: `(n_viewers,)` int32; columns: `(n_columns,)` int32,
    ascending, none twice.
    """
    if len(columns) == 0:
        return
    liked_only, suggestible = rules.liked_only, rules.suggestible
    hides = liked_only[columns].any()
    to_anybody = (~liked_only[columns]).view(np.uint8)
    to_liked_only = to_anybody | suggestible[columns].view(np.uint8)
    through = np.empty(len(columns), np.int32)
    likers_of, likers = rules.likers.indptr, rules.likers.indices
    apart_of, apart = rules.separated.indptr, rules.separated.indices
    excluded_of, excluded_from = excluded.indptr, excluded.indices
    owns_of, owns = rules.own.indptr, rules.own.indices
    avoids_of, avoids = rules.avoid.indptr, rules.avoid.indices
    owners_of, owners = rules.owners.indptr, rules.owners.indices
    avoiders_of, avoiders = rules.avoiders.indptr, rules.avoiders.indices
    for r in range(len(viewers)):
        i = viewers[r]
        if hides:  # two liked-only people who both take suggestions are shown to each other
            shown = to_liked_only if liked_only[i] & suggestible[i] else to_anybody
            _hide_liked_only(mask, r, shown, columns, likers, likers_of[i], likers_of[i + 1], through)
        _clear(mask, r, columns, apart, apart_of[i], apart_of[i + 1])
        _clear(mask, r, columns, excluded_from, excluded_of[i], excluded_of[i + 1])
        for at in range(owns_of[i], owns_of[i + 1]):
            g = owns[at]
            _clear(mask, r, columns, owners, owners_of[g], owners_of[g + 1])
            _clear(mask, r, columns, avoiders, avoiders_of[g], avoiders_of[g + 1])
        for at in range(avoids_of[i], avoids_of[i + 1]):
            g = avoids[at]
            _clear(mask, r, columns, owners, owners_of[g], owners_of[g + 1])
        if columns[0] <= i <= columns[-1]:
            j = _first_from(columns, 0, len(columns), i)
            if columns[j] == i:
                mask[r, j] = False


def shown_columns(rules: PairRules, viewers: Int32Array, columns: Int32Array) -> list[Int32Array]:
    """Return the columns that `mask_pairs` may leave to some viewer, those of liked-only people apart.

    A liked-only candidate that nobody among the viewers can be shown is in neither part; without any in a
    part, `mask_pairs` need not look for them. Both parts ascend as the columns do.
    """
    hidden = rules.liked_only[columns]
    if not hidden.any():
        return [columns]
    of, likers = rules.likers.indptr, rules.likers.indices
    shown = np.isin(columns, np.concatenate([likers[of[i] : of[i + 1]] for i in viewers.tolist()]))
    if (rules.liked_only[viewers] & rules.suggestible[viewers]).any():
        shown |= rules.suggestible[columns]
    return [columns[~hidden], columns[hidden & shown]]


@kernel
def mask_aligned(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    words: RuleWords,
    reach: UInt32Array,
    rules: PairRules,
    excluded: CsrRows,
    i: Int32Array,
    j: Int32Array,
    starts: Int64Array,
    out: BoolArray,
):
    """Write to `out` `(n_pairs,)` bool whether i may be shown j, row by row.

    i, j: `(n_pairs,)` int32, ascending by i, then j, none twice; starts: `(n_rows + 1,)`, where each i
    begins.
    """
    for row in range(len(starts) - 1):
        start, stop = starts[row], starts[row + 1]
        me, columns = i[start : start + 1], j[start:stop]
        mask = out[start:stop].reshape(1, stop - start)
        mask_columns(words, me, reach, words, columns, mask)
        mask_pairs(mask, me, columns, rules, excluded)
