"""Which columns are open to a row: one kernel, used for summaries and for people."""

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.retrieval.words import Words

Mask = npt.NDArray[np.bool_]
Reach = npt.NDArray[np.uint8]
Shut = npt.NDArray[np.uint64]
Starts = npt.NDArray[np.int64]


@njit(nogil=True, cache=True)
def open_columns(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    rows: Words, row: int, reach: Reach, columns: Words, start: int, stop: int, shut: Shut, out: Mask
):
    # Writes to out[:stop - start] whether columns[start:stop] are open to rows[row]. `reach` is the
    # reach row of the row's cell; `shut` is scratch of at least the same length. Loops run over
    # columns without a branch, so that the compiler turns each into a few vector instructions.
    n = stop - start
    for j in range(n):
        shut[j] = 0
    for w in range(rows.traits.shape[0]):
        mine, refused = rows.traits[w, row], rows.refuses[w, row]
        theirs, their_refused = columns.traits[w, start:stop], columns.refuses[w, start:stop]
        for j in range(n):
            shut[j] |= (mine & their_refused[j]) | (theirs[j] & refused)
    for g in range(len(rows.starts) - 1):
        first, last = rows.starts[g], rows.starts[g + 1]
        if last - first == 1:
            mine, their_set = rows.overlaps[first, row], columns.overlaps[first, start:stop]
            for j in range(n):
                shut[j] |= np.uint64((mine & their_set[j]) == 0)
        else:
            _shut_without_common(rows, row, columns, start, stop, first, last, shut)
    cells, in_person = columns.cell[start:stop], columns.in_person[start:stop]
    longest, shortest = columns.max_class[start:stop], columns.min_class[start:stop]
    here, my_longest, my_shortest = rows.in_person[row], rows.max_class[row], rows.min_class[row]
    for j in range(n):
        between = reach[cells[j]]
        too_far = here & in_person[j] & ((between & 15) > min(my_longest, longest[j]))
        too_near = (between >> 4) < max(my_shortest, shortest[j])
        out[j] = (shut[j] == 0) & (not too_far) & (not too_near)


@njit(nogil=True, cache=True)
def _shut_without_common(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    rows: Words, row: int, columns: Words, start: int, stop: int, first: int, last: int, shut: Shut
):
    # A set of several words is in common when any word is.
    for j in range(stop - start):
        common = np.uint64(0)
        for w in range(first, last):
            common |= rows.overlaps[w, row] & columns.overlaps[w, start + j]
        shut[j] |= np.uint64(common == 0)


@njit(nogil=True, cache=True)
def columns_left(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    summary: Words, reach: Reach, tile_reach: Reach, tiles: Words, columns: Words, tile_starts: Starts
):
    # The positions of columns open to a summary of rows: `(n_left,)` int32, ascending. Tiles are
    # tried first, through their own summaries; `tile_starts` has one entry more than there are tiles.
    n_tiles = len(tile_starts) - 1
    widest = n_tiles
    for t in range(n_tiles):
        widest = max(widest, tile_starts[t + 1] - tile_starts[t])
    shut, tile_open, column_open = (
        np.empty(widest, np.uint64),
        np.empty(widest, np.bool_),
        np.empty(widest, np.bool_),
    )
    left = np.empty(tile_starts[-1], np.int32)
    n_left = 0
    open_columns(summary, 0, tile_reach, tiles, 0, n_tiles, shut, tile_open)
    for t in range(n_tiles):
        if tile_open[t]:
            start, stop = tile_starts[t], tile_starts[t + 1]
            open_columns(summary, 0, reach, columns, start, stop, shut, column_open)
            for j in range(stop - start):
                left[n_left] = start + j
                n_left += column_open[j]
    return left[:n_left].copy()


@njit(nogil=True, cache=True)
def mask_of(  # type: ignore[no-untyped-def]  # noqa: D103
    rows: Words, reach: npt.NDArray[np.uint8], columns: Words
):
    # Every row against every column: `(n_rows, n_columns)` bool. `reach` is the whole table.
    n_rows, n_columns = len(rows.cell), len(columns.cell)
    out = np.empty((n_rows, n_columns), np.bool_)
    shut = np.empty(n_columns, np.uint64)
    for r in range(n_rows):
        open_columns(rows, r, reach[rows.cell[r]], columns, 0, n_columns, shut, out[r])
    return out
