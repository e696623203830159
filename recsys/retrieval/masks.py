"""Which columns are open to a row: one kernel, used for summaries and for people.

A column is shut when any word says so, so a row walks over the words and gathers in `shut` `(n_columns,)`
whatever is wrong with each column; open is what nothing is wrong with. Loops run over columns without a
branch, so that the compiler makes vector instructions of each: about a nanosecond a pair for a dozen words.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.constraints.compiled import Compiled
from recsys.retrieval.bit_packing import Packing, long_words, short_words
from recsys.types import BoolArray, Int32Array, Int64Array, UInt8Array, UInt64Array

_NIBBLE = np.uint8(15)


class Words(NamedTuple):
    """What the mask kernel reads of `n` people (or summaries of people).

    Words run along the first axis, so that one pass over a word reads memory in order.

    traits, refuses: `(n_words, n)` uint64, an even number of words, the last perhaps empty.
    short:           `(n_short, n)` uint64, small sets packed side by side, with `guard` and `fill`
                     `(n_short,)` uint64 (see packing.py).
    long:            `(n_long, n)` uint64; set g is rows `starts[g]:starts[g + 1]`, `(n_sets + 1,)` int32.
    cell:            `(n,)` int32 index into a reach table.
    max_class:       `(n,)` uint8; min_class: `(n,)` uint8; in_person: `(n,)` bool.
    """

    traits: npt.NDArray[np.uint64]
    refuses: npt.NDArray[np.uint64]
    short: npt.NDArray[np.uint64]
    guard: npt.NDArray[np.uint64]
    fill: npt.NDArray[np.uint64]
    long: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int32]
    cell: npt.NDArray[np.int32]
    max_class: npt.NDArray[np.uint8]
    min_class: npt.NDArray[np.uint8]
    in_person: npt.NDArray[np.bool_]


def words_of(compiled: Compiled, rows: Int32Array, packing: Packing) -> Words:
    """Return the words of the people at `rows`, in that order."""
    overlaps = compiled.overlaps[rows]
    return Words(
        traits=_even(compiled.traits[rows].T),
        refuses=_even(compiled.refuses[rows].T),
        short=short_words(packing, overlaps),
        guard=packing.guard,
        fill=packing.fill,
        long=long_words(packing, overlaps),
        starts=packing.starts,
        cell=compiled.cell[rows].astype(np.int32),
        max_class=compiled.max_class[rows].astype(np.uint8),
        min_class=compiled.min_class[rows].astype(np.uint8),
        in_person=compiled.in_person[rows].astype(bool),
    )


def _even(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return words with an empty one added when their number is odd: the kernel takes two at a time."""
    empty = np.zeros((len(words) % 2, words.shape[1]), np.uint64)
    return np.ascontiguousarray(np.concatenate([words, empty]))


def taken(words: Words, at: Int32Array) -> Words:
    """Return the columns at `at`, in that order."""
    return words._replace(
        traits=np.take(words.traits, at, axis=1),
        refuses=np.take(words.refuses, at, axis=1),
        short=np.take(words.short, at, axis=1),
        long=np.take(words.long, at, axis=1),
        cell=words.cell[at],
        max_class=words.max_class[at],
        min_class=words.min_class[at],
        in_person=words.in_person[at],
    )


def summaries(words: Words, tile_starts: npt.NDArray[np.int64]) -> Words:
    """Return one summary for each run of people that begins at a tile start.

    A summary has the bits all its members have and refuses what all refuse; it shares what any
    member could share, reaches as far as the farthest-reaching, and is in person only when all
    are. What is shut between two summaries is therefore shut between all their members. Its cell
    is its own number, for a reach row made with `most_generous`.
    """
    return words._replace(
        traits=np.bitwise_and.reduceat(words.traits, tile_starts, axis=1),
        refuses=np.bitwise_and.reduceat(words.refuses, tile_starts, axis=1),
        short=np.bitwise_or.reduceat(words.short, tile_starts, axis=1),
        long=np.bitwise_or.reduceat(words.long, tile_starts, axis=1),
        cell=np.arange(len(tile_starts), dtype=np.int32),
        max_class=np.maximum.reduceat(words.max_class, tile_starts),
        min_class=np.minimum.reduceat(words.min_class, tile_starts),
        in_person=np.logical_and.reduceat(words.in_person, tile_starts),
    )


@njit(nogil=True, cache=True)
def most_generous(reach: UInt8Array, cells: Int32Array):  # type: ignore[no-untyped-def]  # noqa: D103
    # The most generous reach from any of `cells` to each cell, `(n_cells,)` uint8. A reach byte holds
    # the nearest maximum class in its low half and the farthest minimum class in its high half; the
    # most generous one has the least low half and the greatest high half.
    nearest, farthest = np.full(reach.shape[1], 15, np.uint8), np.zeros(reach.shape[1], np.uint8)
    last = -1
    for cell in cells:
        if cell != last:  # people of one cell follow each other in tile order
            row, last = reach[cell], cell
            for c in range(len(nearest)):
                nearest[c] = min(nearest[c], row[c] & _NIBBLE)
                farthest[c] = max(farthest[c], row[c] & ~_NIBBLE)
    return nearest | farthest


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
    reach: UInt8Array, seen_from: int, cell: Int32Array, limits: UInt64Array, n: int, out: UInt64Array
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
    row: int,
    my_traits: UInt64Array,
    my_refuses: UInt64Array,
    n: int,
    traits: UInt64Array,
    refuses: UInt64Array,
    shut: UInt64Array,
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
    row: int, mine: UInt64Array, n: int, words: UInt64Array, first: int, last: int, shut: UInt64Array
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
    row: int,
    mine: UInt64Array,
    n: int,
    words: UInt64Array,
    guard: UInt64Array,
    fill: UInt64Array,
    shut: UInt64Array,
):
    # The same for small sets side by side in a word (packing.py).
    for w in range(mine.shape[0]):
        a, above, below = mine[w, row], guard[w], fill[w]
        for j in range(n):
            shut[j] |= (((a & words[w, j]) + below) & above) ^ above


@njit(nogil=True, cache=True)
def _open(shut: UInt64Array, n: int, out: BoolArray, row: int, start: int):  # type: ignore[no-untyped-def]
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
def _gather(words: UInt64Array, columns: Int32Array, start: int, stop: int, out: UInt64Array):  # type: ignore[no-untyped-def]
    # The words of columns[start:stop], side by side.
    for w in range(words.shape[0]):
        for j in range(stop - start):
            out[w, j] = words[w, columns[start + j]]


@njit(nogil=True, cache=True)
def mask_of(  # type: ignore[no-untyped-def]  # noqa: D103
    rows: Words, reach: UInt8Array, words: Words, columns: Int32Array, out: BoolArray
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
    reach: UInt8Array,
    tiles: Words,
    tile_cells: Int32Array,
    tile_cell_starts: Int64Array,
    columns: Words,
    tile_starts: Int64Array,
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
