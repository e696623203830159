"""Noting: the open pairs of a tile are multiplied, and those that could be among the k best are kept."""

import numpy as np
from numba import njit

from recsys.retrieval.bounds import People, Viewers
from recsys.retrieval.dot_products import multiply
from recsys.retrieval.prune import make_room
from recsys.retrieval.shortlist import COLUMNS_AT_ONCE, SPARE, Shortlists, Wanted
from recsys.types import BoolArray, Float32Array, Int32Array, UInt64Array

# Kernels called for each row are handed whole arrays and a row: a tuple of arrays, or a part of one, costs a
# count of references each time, and there are more blocks and rows than anything else.


@njit(nogil=True, cache=True)
def _open_of(columns: Int32Array, start: int, stop: int, mask: BoolArray, r: int, out: Int32Array):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    # Writes to `out` those of columns[start:stop] that are open to row r; returns how many are. Numbers
    # without a sign are not looked at for being negative, which would take longer than all else here.
    n, row = np.uintp(0), np.uintp(r)
    for c in range(np.uintp(start), np.uintp(stop)):
        out[n] = columns[c]
        n += np.uintp(mask[row, c])
    return np.int64(n)


@njit(nogil=True, cache=True)
def _flag(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    n: int, ours: Float32Array, theirs: Float32Array, least: float, total: float, flags: BoolArray
):
    # Which of the first n pairs reach what the row asks, without a branch; up to a multiple of eight.
    for c in range(n):
        flags[c] = (ours[c] >= least) & (theirs[c] >= least) & (ours[c] + theirs[c] >= total)
    for c in range(n, -(-n // 8) * 8):
        flags[c] = False


@njit(nogil=True, cache=True)
def _note(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    n: int,
    columns: Int32Array,
    ours: Float32Array,
    theirs: Float32Array,
    flags: BoolArray,
    eights: UInt64Array,
    r: int,
    length: int,
    x: Float32Array,
    y: Float32Array,
    position: Int32Array,
):
    # Notes the flagged ones of the first n pairs after the `length` noted so far of row r; returns how many
    # are now. `eights`: the flags, eight at a time, most of which are not set once a row asks for much.
    row, at = np.uintp(r), np.uintp(length)
    for eight in range((n + 7) // 8):
        if eights[eight] != 0:
            for c in range(np.uintp(8 * eight), np.uintp(8 * eight + 8)):
                x[row, at], y[row, at], position[row, at] = ours[c], theirs[c], columns[c]
                at += np.uintp(flags[c])
    return np.int64(at)


@njit(nogil=True, cache=True)
def keep_best(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    lists: Shortlists, viewers: Viewers, columns: Int32Array, mask: BoolArray, people: People, wanted: Wanted
):
    # Notes the pairs open in `mask` `(n_viewers, n_columns)` that could be among the k best of their row.
    # Goes by blocks of columns, whose factors stay in the cache for all rows. Returns how many pairs had to
    # be scored exactly on the way.
    n_exact = 0
    noted_x, noted_y, noted_position, length = lists.x, lists.y, lists.position, lists.length
    least, total, room = lists.least, lists.total, lists.x.shape[1]
    whole, their_whole, their_place = viewers.whole, people.whole, people.place
    place, near, unit = viewers.place, viewers.near, viewers.unit
    distance_decay = near.size > 1 or (near.size == 1 and near[0, 0] != 0.0)
    open_ = np.empty(COLUMNS_AT_ONCE + SPARE, np.int32)
    x, y = np.empty(len(open_), np.float32), np.empty(len(open_), np.float32)
    flags = np.empty(len(open_), np.bool_)
    eights = flags.view(np.uint64)
    for start in range(0, len(columns), COLUMNS_AT_ONCE):
        stop = min(start + COLUMNS_AT_ONCE, len(columns))
        for r in range(len(place)):
            n = _open_of(columns, start, stop, mask, r, open_)
            multiply(whole, r, their_whole, open_, n, unit, x, y)
            if distance_decay:
                for c in range(n):
                    close = near[place[r], their_place[open_[c]]]
                    x[c] += close
                    y[c] += close
            if length[r] + n + SPARE > room:
                n_exact += make_room(lists, viewers, r, people, wanted)
            _flag(n, x, y, least[r], total[r], flags)
            length[r] = _note(n, open_, x, y, flags, eights, r, length[r], noted_x, noted_y, noted_position)
    return n_exact
