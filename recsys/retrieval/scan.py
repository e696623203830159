"""The scan: the unmasked pairs of a tile are multiplied, and those that could be among the k best kept."""

import numpy as np

from recsys.kernels import kernel
from recsys.retrieval.dot_products import multiply
from recsys.retrieval.score_bounds import FactorStore, ViewerFactors
from recsys.retrieval.shortlist import COLUMNS_AT_ONCE, SPARE, SearchTarget, Shortlists
from recsys.retrieval.threshold_pruning import prune_row
from recsys.types import BoolArray, Float32Array, Int32Array, UInt64Array

# Kernels called for each row are handed whole arrays and a row: a tuple of arrays, or a part of one, costs a
# count of references each time, and there are more blocks and rows than anything else.


@kernel
def _unmasked(columns: Int32Array, start: int, stop: int, mask: BoolArray, r: int, out: Int32Array):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    """Write to `out` those of `columns[start:stop]` that row r of the mask leaves; return how many.

    Unsigned numbers are not looked at for being negative, which would take longer than all else here.
    """
    n, row = np.uintp(0), np.uintp(r)
    for c in range(np.uintp(start), np.uintp(stop)):
        out[n] = columns[c]
        n += np.uintp(mask[row, c])
    return np.int64(n)


@kernel
def _flag(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    n: int, ours: Float32Array, theirs: Float32Array, least: float, total: float, flags: BoolArray
):
    """Flag which of the first n pairs reach what the row asks, up to a multiple of eight."""
    for c in range(n):
        flags[c] = (ours[c] >= least) & (theirs[c] >= least) & (ours[c] + theirs[c] >= total)
    for c in range(n, -(-n // 8) * 8):
        flags[c] = False


@kernel
def _append_flagged(  # type: ignore[no-untyped-def]  # noqa: PLR0917
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
    """Append the flagged ones of the first n pairs to the short list of row r; return its new length.

    length: how many it holds; eights: the flags, eight at a time, most of which are not set once a row asks
    for much.
    """
    row, at = np.uintp(r), np.uintp(length)
    for eight in range((n + 7) // 8):
        if eights[eight] != 0:
            for c in range(np.uintp(8 * eight), np.uintp(8 * eight + 8)):
                x[row, at], y[row, at], position[row, at] = ours[c], theirs[c], columns[c]
                at += np.uintp(flags[c])
    return np.int64(at)


@kernel
def scan_tile(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    lists: Shortlists,
    viewers: ViewerFactors,
    columns: Int32Array,
    mask: BoolArray,
    people: FactorStore,
    wanted: SearchTarget,
):
    """Add the pairs that `mask` `(n_viewers, n_columns)` leaves to the short lists of their rows.

    Only those that could be among the k best of their row are kept. Goes by blocks of columns, whose factors
    stay in the cache for all rows. Returns how many pairs had to be scored exactly on the way.
    """
    n_exact = 0
    noted_x, noted_y, noted_position, length = lists.x, lists.y, lists.position, lists.length
    least, total, room = lists.least, lists.total, lists.x.shape[1]
    ours, theirs, their_place = viewers.quantized, people.quantized, people.place
    place, near, unit = viewers.place, viewers.near, viewers.unit
    distance_decay = near.size > 1 or (near.size == 1 and near[0, 0] != 0.0)
    open_ = np.empty(COLUMNS_AT_ONCE + SPARE, np.int32)
    x, y = np.empty(len(open_), np.float32), np.empty(len(open_), np.float32)
    flags = np.empty(len(open_), np.bool_)
    eights = flags.view(np.uint64)
    for start in range(0, len(columns), COLUMNS_AT_ONCE):
        stop = min(start + COLUMNS_AT_ONCE, len(columns))
        for r in range(len(place)):
            n = _unmasked(columns, start, stop, mask, r, open_)
            multiply(ours, r, theirs, open_, n, unit, x, y)
            if distance_decay:
                for c in range(n):
                    close = near[place[r], their_place[open_[c]]]
                    x[c] += close
                    y[c] += close
            if length[r] + n + SPARE > room:
                n_exact += prune_row(lists, viewers, r, people, wanted)
            _flag(n, x, y, least[r], total[r], flags)
            length[r] = _append_flagged(
                n, open_, x, y, flags, eights, r, length[r], noted_x, noted_y, noted_position
            )
    return n_exact
