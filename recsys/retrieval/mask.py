"""Which columns are open to a row: one kernel, used for summaries and for people."""

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.retrieval.words import Words

Mask = npt.NDArray[np.bool_]
Reach = npt.NDArray[np.uint8]
Shut = npt.NDArray[np.uint64]
Starts = npt.NDArray[np.int64]

BLOCK = 256
"""Columns masked at once: about ten words each, so a block fits the nearest cache."""


@njit(nogil=True, cache=True)
def open_columns(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    rows: Words, row: int, reach: Reach, columns: Words, start: int, stop: int, shut: Shut, out: Mask
):
    # Writes to out[:stop - start] whether columns[start:stop] are open to rows[row]. `reach` is the
    # reach row of the row's cell; `shut` is scratch of at least the same length.
    cells = columns.cell[start:stop]
    for j in range(stop - start):
        shut[j] = reach[cells[j]]
    open_by_distance(rows, row, shut, columns, start, stop, out)
    close_by_words(rows, row, columns, start, stop, shut, out)


# Loops run over columns without a branch, so that the compiler turns each into vector instructions.


@njit(nogil=True, cache=True)
def open_by_distance(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    rows: Words, row: int, between: Reach | Shut, columns: Words, start: int, stop: int, out: Mask
):
    # Writes to out whether the distance allows it; `between`: the reach of each column, any integers.
    in_person = columns.in_person[start:stop]
    longest, shortest = columns.max_class[start:stop], columns.min_class[start:stop]
    here, my_longest, my_shortest = rows.in_person[row], rows.max_class[row], rows.min_class[row]
    for j in range(stop - start):
        reach = np.uint8(between[j])
        nearest, farthest = reach & np.uint8(15), reach >> np.uint8(4)
        too_far = here & in_person[j] & ((nearest > my_longest) | (nearest > longest[j]))
        out[j] = not (too_far | (farthest < my_shortest) | (farthest < shortest[j]))


@njit(nogil=True, cache=True)
def close_by_words(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    rows: Words, row: int, columns: Words, start: int, stop: int, shut: Shut, out: Mask
):
    # Clears in out what traits, refusals and sets forbid. `shut` is scratch.
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
            mine, theirs = rows.overlaps[first, row], columns.overlaps[first, start:stop]
            for j in range(n):
                shut[j] |= np.uint64((mine & theirs[j]) == 0)
        elif last - first == 3:
            _shut_without_common_in_three(rows, row, columns, start, stop, first, shut)
        else:
            _shut_without_common(rows, row, columns, start, stop, first, last, shut)
    for j in range(n):
        out[j] &= shut[j] == 0


@njit(nogil=True, cache=True)
def _shut_without_common_in_three(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    rows: Words, row: int, columns: Words, start: int, stop: int, first: int, shut: Shut
):
    # The 168 hours of a week take three words; written out, the compiler makes vectors of it.
    a, b, c = rows.overlaps[first, row], rows.overlaps[first + 1, row], rows.overlaps[first + 2, row]
    x = columns.overlaps[first, start:stop]
    y = columns.overlaps[first + 1, start:stop]
    z = columns.overlaps[first + 2, start:stop]
    for j in range(stop - start):
        shut[j] |= np.uint64(((a & x[j]) | (b & y[j]) | (c & z[j])) == 0)


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
    rows: Words, reach: Reach, columns: Words, out: Mask
):
    # Every row against every column, into out `(n_rows, n_columns)`. `reach` is the whole table. Goes
    # by blocks of columns, whose words stay in the nearest cache for all rows; rows of one cell, which
    # follow each other in tile order, share the look-up of its reach.
    n_rows, n_columns = len(rows.cell), len(columns.cell)
    shut, between = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint8)
    for start in range(0, n_columns, BLOCK):
        stop = min(start + BLOCK, n_columns)
        cells, looked_up = columns.cell[start:stop], -1
        for r in range(n_rows):
            if rows.cell[r] != looked_up:
                looked_up = rows.cell[r]
                for j in range(stop - start):
                    between[j] = reach[looked_up, cells[j]]
            part = out[r, start:stop]
            open_by_distance(rows, r, between, columns, start, stop, part)
            close_by_words(rows, r, columns, start, stop, shut, part)
