"""Which columns are open to a row: one kernel, used for summaries and for people.

A column is shut when any word says so, so a row walks over the words and gathers in `shut` `(n_columns,)`
whatever is wrong with each column; open is what nothing is wrong with. Loops run over columns without a
branch, so that the compiler makes vector instructions of each: about a nanosecond a pair for a dozen words.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.retrieval.words import Positions, Reach, Words

Mask = npt.NDArray[np.bool_]
Shut = npt.NDArray[np.uint64]
Starts = npt.NDArray[np.int64]
Bits = np.uint64

BLOCK = 512
"""Columns masked at once: a dozen words each, so a block fits the nearest cache."""

_ALWAYS_TOO_FAR, _NO_MINIMUM, _ALWAYS_TOO_NEAR = np.uint64(16), np.uint64(20), np.uint64(36)
_LOW_HALF = np.uint8(15)
_ONE, _FOUR, _FIFTEEN = np.uint64(1), np.uint64(4), np.uint64(15)


@njit(nogil=True, cache=True)
def place_word(between: Bits, in_person: Bits, longest: Bits, shortest: Bits):  # type: ignore[no-untyped-def]  # noqa: D103
    # Where a column stands, as one word of two bits for `refused_places`: its nearest class (0 to 15, or
    # 16 when beyond its own limit; 0 when it meets nobody in person) and, from bit 20, its farthest class
    # (or bit 36 when nearer than its own least distance). `between`: the reach byte to it. All are uint64.
    nearest, farthest = between & _FIFTEEN, between >> _FOUR
    low = in_person * (_ALWAYS_TOO_FAR if nearest > longest else nearest)
    high = _ALWAYS_TOO_NEAR if farthest < shortest else _NO_MINIMUM + farthest
    return (_ONE << low) | (_ONE << high)


@njit(nogil=True, cache=True)
def refused_places(in_person: Bits, longest: Bits, shortest: Bits):  # type: ignore[no-untyped-def]  # noqa: D103
    # The bits of `place_word` that are shut to a row: beyond its limit when it meets in person, and
    # nearer than its least distance. All are uint64.
    too_near = (((_ONE << shortest) - _ONE) << _NO_MINIMUM) | (_ONE << _ALWAYS_TOO_NEAR)
    within = (_ONE << (longest + _ONE)) - _ONE
    too_far = ((_ONE << (_ALWAYS_TOO_FAR + _ONE)) - _ONE) & ~within
    return too_near | (in_person * too_far)


@njit(nogil=True, cache=True)
def _place_words(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    reach: Reach, seen_from: int, cell: Positions, limits: Shut, n: int, out: Shut
):
    # `place_word` of a block of columns, seen from a cell. limits: whether in person, longest, shortest.
    for j in range(n):  # by itself: looking up is what cannot be made vectors of
        out[j] = reach[seen_from, cell[j]]
    for j in range(n):
        out[j] = place_word(out[j], limits[0, j], limits[1, j], limits[2, j])


# Kernels called for each row are handed whole arrays and a row: a tuple of arrays, or a part of one, costs a
# count of references each time, which together took longer than the mask.


@njit(nogil=True, cache=True)
def _shut_by_bits(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    row: int, my_traits: Shut, my_refuses: Shut, n: int, traits: Shut, refuses: Shut, shut: Shut
):
    # Whoever has a bit that the row refuses, or refuses one that it has. Two words at a time.
    for w in range(0, my_traits.shape[0], 2):
        a, b = my_traits[w, row], my_traits[w + 1, row]
        c, d = my_refuses[w, row], my_refuses[w + 1, row]
        for j in range(n):
            theirs = (a & refuses[w, j]) | (b & refuses[w + 1, j])
            shut[j] |= theirs | (c & traits[w, j]) | (d & traits[w + 1, j])


@njit(nogil=True, cache=True)
def _shut_without_common(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    row: int, mine: Shut, n: int, words: Shut, first: int, last: int, shut: Shut
):
    # Whoever shares no bit of a set of several words. The 168 hours of a week take three; written out,
    # the compiler makes vectors of it.
    if last - first == 3:
        a, b, c = mine[first, row], mine[first + 1, row], mine[first + 2, row]
        for j in range(n):
            common = (a & words[first, j]) | (b & words[first + 1, j]) | (c & words[first + 2, j])
            shut[j] |= np.uint64(common == 0)
    else:
        for j in range(n):
            common = np.uint64(0)
            for w in range(first, last):
                common |= mine[w, row] & words[w, j]
            shut[j] |= np.uint64(common == 0)


@njit(nogil=True, cache=True)
def _shut_without_common_each(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    row: int, mine: Shut, n: int, words: Shut, guard: Shut, fill: Shut, shut: Shut
):
    # The same for small sets side by side in a word (packing.py).
    for w in range(mine.shape[0]):
        a, above, below = mine[w, row], guard[w], fill[w]
        for j in range(n):
            shut[j] |= (((a & words[w, j]) + below) & above) ^ above


@njit(nogil=True, cache=True)
def _open(shut: Shut, n: int, out: Mask, row: int, start: int):  # type: ignore[no-untyped-def]
    part = out[row, start : start + n]
    for j in range(n):
        part[j] = shut[j] == 0


@njit(nogil=True, cache=True)
def _block(n_words: int):  # type: ignore[no-untyped-def]
    # Room for a block of words, from the start of a cache line: a vector across two lines costs twice.
    memory = np.empty(n_words * BLOCK + 8, np.uint64)
    first = (-(memory.ctypes.data // 8)) % 8
    return memory[first : first + n_words * BLOCK].reshape(n_words, BLOCK)


@njit(nogil=True, cache=True)
def _gather(words: Shut, columns: Positions, start: int, stop: int, out: Shut):  # type: ignore[no-untyped-def]
    # The words of columns[start:stop], side by side.
    for w in range(words.shape[0]):
        for j in range(stop - start):
            out[w, j] = words[w, columns[start + j]]


@njit(nogil=True, cache=True)
def mask_of(  # type: ignore[no-untyped-def]  # noqa: D103
    rows: Words, reach: Reach, words: Words, columns: Positions, out: Mask
):
    # Every row against the people at `columns`, into out `(n_rows, n_columns)`. `reach`: from each row's
    # cell to every cell. Goes by blocks of columns, whose words stay in the nearest cache for all rows;
    # rows of one cell, which follow each other in tile order, share the place words.
    my_traits, my_refuses, my_short, my_long = rows.traits, rows.refuses, rows.short, rows.long
    guard, fill, starts = rows.guard, rows.fill, rows.starts
    cell, in_person, max_class, min_class = rows.cell, rows.in_person, rows.max_class, rows.min_class
    their_cell, limits = np.empty(BLOCK, np.int32), _block(3)
    traits, refuses = _block(len(my_traits)), _block(len(my_refuses))
    short, long = _block(len(my_short)), _block(len(my_long))
    shut, places = _block(1)[0], _block(1)[0]
    for start in range(0, len(columns), BLOCK):
        stop = min(start + BLOCK, len(columns))
        n = stop - start
        _gather(words.traits, columns, start, stop, traits)
        _gather(words.refuses, columns, start, stop, refuses)
        _gather(words.short, columns, start, stop, short)
        _gather(words.long, columns, start, stop, long)
        for j in range(n):
            c = columns[start + j]
            their_cell[j] = words.cell[c]
            limits[0, j], limits[1, j] = words.in_person[c], words.max_class[c]
            limits[2, j] = words.min_class[c]
        seen_from = -1
        for r in range(len(cell)):
            if cell[r] != seen_from:
                seen_from = cell[r]
                _place_words(reach, seen_from, their_cell, limits, n, places)
            refused_here = refused_places(
                np.uint64(in_person[r]), np.uint64(max_class[r]), np.uint64(min_class[r])
            )
            for j in range(n):
                shut[j] = places[j] & refused_here
            _shut_by_bits(r, my_traits, my_refuses, n, traits, refuses, shut)
            _shut_without_common_each(r, my_short, n, short, guard, fill, shut)
            for g in range(len(starts) - 1):
                _shut_without_common(r, my_long, n, long, starts[g], starts[g + 1], shut)
            _open(shut, n, out, r, start)


@njit(nogil=True, cache=True)
def columns_left(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    summary: Words,
    reach: Reach,
    tiles: Words,
    tile_cells: Positions,
    tile_cell_starts: Starts,
    columns: Words,
    tile_starts: Starts,
):
    # The positions of columns open to a summary of rows: `(n_left,)` int32, ascending. Tiles are tried
    # first, through their own summaries. `reach`: `(1, n_cells)`, from the summary to every cell;
    # `tile_starts` has one entry more than there are tiles.
    n_tiles = len(tile_starts) - 1
    to_tile = np.empty((1, n_tiles), np.uint8)  # the most generous reach to any of a tile's cells
    for t in range(n_tiles):
        nearest, farthest = np.uint8(15), np.uint8(0)
        for at in range(tile_cell_starts[t], tile_cell_starts[t + 1]):
            between = reach[0, tile_cells[at]]
            nearest, farthest = min(nearest, between & _LOW_HALF), max(farthest, between & ~_LOW_HALF)
        to_tile[0, t] = nearest | farthest
    tile_open = np.empty((1, n_tiles), np.bool_)
    mask_of(summary, to_tile, tiles, np.arange(n_tiles).astype(np.int32), tile_open)
    members, n = np.empty(tile_starts[-1], np.int32), 0
    for t in range(n_tiles):
        if tile_open[0, t]:
            for j in range(tile_starts[t], tile_starts[t + 1]):
                members[n] = j
                n += 1
    open_ = np.empty((1, n), np.bool_)
    mask_of(summary, reach, columns, members[:n], open_)
    return members[:n][open_[0]]
