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
def place_words(  # type: ignore[no-untyped-def]  # noqa: D103
    reach: Reach, columns: Words, start: int, stop: int, out: Shut
):
    # `place_word` of columns[start:stop]; `reach`: from the row's cell to every cell.
    cell, in_person = columns.cell[start:stop], columns.in_person[start:stop]
    longest, shortest = columns.max_class[start:stop], columns.min_class[start:stop]
    for j in range(stop - start):  # by itself: looking up is what cannot be made vectors of
        out[j] = reach[cell[j]]
    for j in range(stop - start):
        out[j] = place_word(out[j], np.uint64(in_person[j]), np.uint64(longest[j]), np.uint64(shortest[j]))


@njit(nogil=True, cache=True)
def open_columns(  # type: ignore[no-untyped-def]  # noqa: D103, PLR0917
    rows: Words, row: int, places: Shut, columns: Words, start: int, stop: int, shut: Shut, out: Mask
):
    # Writes to out[:stop - start] whether columns[start:stop] are open to rows[row]; returns how many are.
    # `places`: the place words of those columns, seen from the row; `shut`: scratch.
    n = stop - start
    refused_here = refused_places(
        np.uint64(rows.in_person[row]), np.uint64(rows.max_class[row]), np.uint64(rows.min_class[row])
    )
    for j in range(n):
        shut[j] = places[j] & refused_here
    for w in range(0, rows.traits.shape[0], 2):
        a, b = rows.traits[w, row], rows.traits[w + 1, row]
        c, d = rows.refuses[w, row], rows.refuses[w + 1, row]
        trait, more = columns.traits[w][start:stop], columns.traits[w + 1][start:stop]
        refused, also = columns.refuses[w][start:stop], columns.refuses[w + 1][start:stop]
        for j in range(n):
            shut[j] |= (a & refused[j]) | (b & also[j]) | (c & trait[j]) | (d & more[j])
    for w in range(rows.short.shape[0]):
        mine, guard, fill = rows.short[w, row], rows.guard[w], rows.fill[w]
        theirs = columns.short[w][start:stop]
        for j in range(n):
            shut[j] |= (((mine & theirs[j]) + fill) & guard) ^ guard
    for g in range(len(rows.starts) - 1):
        first, last = rows.starts[g], rows.starts[g + 1]
        if last - first == 3:
            _shut_without_common_in_three(rows, row, columns, start, stop, first, shut)
        else:
            _shut_without_common(rows, row, columns, start, stop, first, last, shut)
    n_open = 0
    for j in range(n):
        out[j] = shut[j] == 0
        n_open += shut[j] == 0
    return n_open


@njit(nogil=True, cache=True)
def _shut_without_common_in_three(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    rows: Words, row: int, columns: Words, start: int, stop: int, first: int, shut: Shut
):
    # The 168 hours of a week take three words; written out, the compiler makes vectors of it.
    a, b, c = rows.long[first, row], rows.long[first + 1, row], rows.long[first + 2, row]
    x, y, z = (
        columns.long[first][start:stop],
        columns.long[first + 1][start:stop],
        columns.long[first + 2][start:stop],
    )
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
            common |= rows.long[w, row] & columns.long[w, start + j]
        shut[j] |= np.uint64(common == 0)


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
    # The positions of columns open to a summary of rows: `(n_left,)` int32, ascending. Tiles are
    # tried first, through their own summaries: by words, then by the most generous reach to any of their
    # cells. `reach`: from the summary to every cell; `tile_starts` has one entry more than there are tiles.
    n_tiles = len(tile_starts) - 1
    widest = n_tiles
    for t in range(n_tiles):
        widest = max(widest, tile_starts[t + 1] - tile_starts[t])
    shut, places = np.empty(widest, np.uint64), np.zeros(widest, np.uint64)
    tile_open, column_open = np.empty(widest, np.bool_), np.empty(widest, np.bool_)
    left = np.empty(tile_starts[-1], np.int32)
    n_left = 0
    open_columns(summary, 0, places, tiles, 0, n_tiles, shut, tile_open)
    refused = refused_places(
        np.uint64(summary.in_person[0]), np.uint64(summary.max_class[0]), np.uint64(summary.min_class[0])
    )
    for t in range(n_tiles):
        if not tile_open[t]:
            continue
        nearest, farthest = 15, 0
        for at in range(tile_cell_starts[t], tile_cell_starts[t + 1]):
            between = np.int64(reach[tile_cells[at]])
            nearest, farthest = min(nearest, between & 15), max(farthest, between >> 4)  # type: ignore[assignment]
        place = place_word(
            np.uint64(nearest | (farthest << 4)),
            np.uint64(tiles.in_person[t]),
            np.uint64(tiles.max_class[t]),
            np.uint64(tiles.min_class[t]),
        )
        if place & refused != 0:
            continue
        start, stop = tile_starts[t], tile_starts[t + 1]
        place_words(reach, columns, start, stop, places)
        open_columns(summary, 0, places, columns, start, stop, shut, column_open)
        for j in range(stop - start):
            left[n_left] = start + j
            n_left += column_open[j]
    return left[:n_left].copy()


@njit(nogil=True, cache=True)
def _side_by_side(words: Words, at: Positions):  # type: ignore[no-untyped-def]
    # The columns at `at`, copied next to each other.
    n = len(at)
    traits, refuses = (
        np.empty((words.traits.shape[0], n), np.uint64),
        np.empty((words.traits.shape[0], n), np.uint64),
    )
    short, long = (
        np.empty((words.short.shape[0], n), np.uint64),
        np.empty((words.long.shape[0], n), np.uint64),
    )
    for w in range(len(traits)):
        for j in range(n):
            traits[w, j], refuses[w, j] = words.traits[w, at[j]], words.refuses[w, at[j]]
    for w in range(len(short)):
        for j in range(n):
            short[w, j] = words.short[w, at[j]]
    for w in range(len(long)):
        for j in range(n):
            long[w, j] = words.long[w, at[j]]
    return Words(
        traits,
        refuses,
        short,
        words.guard,
        words.fill,
        long,
        words.starts,
        words.cell[at],
        words.max_class[at],
        words.min_class[at],
        words.in_person[at],
    )


@njit(nogil=True, cache=True)
def mask_of(  # type: ignore[no-untyped-def]  # noqa: D103
    rows: Words, reach: Reach, words: Words, columns: Positions, out: Mask
):
    # Every row against the people at `columns`, into out `(n_rows, n_columns)`; returns how many pairs
    # are open. `reach`: from each row's cell to every cell. Goes by blocks of columns, whose words stay
    # in the nearest cache for all rows; rows of one cell, which follow each other in tile order, share
    # the place words.
    n_open = 0
    shut, places = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    for start in range(0, len(columns), BLOCK):
        stop = min(start + BLOCK, len(columns))
        block = _side_by_side(words, columns[start:stop])
        seen_from = -1
        for r in range(len(rows.cell)):
            if rows.cell[r] != seen_from:
                seen_from = rows.cell[r]
                place_words(reach[seen_from], block, 0, stop - start, places)
            n_open += open_columns(rows, r, places, block, 0, stop - start, shut, out[r, start:stop])
    return n_open
