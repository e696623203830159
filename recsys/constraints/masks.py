"""The mask kernel: which candidates the compiled rules leave to a viewer, or to a whole tile of viewers.

One kernel serves everything: single pairs, rows against columns, tile summaries, and a person who was not
there when the rules were compiled. A candidate is masked when any word says so, so for each row the kernel
walks over the words and collects in `masked` `(n_columns,)` whatever forbids each column. Loops run over
columns without a branch, so that they become vector instructions: about a nanosecond a pair for a dozen
words.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.kernels import kernel
from recsys.types import BoolArray, Int32Array, Int64Array, UInt32Array, UInt64Array

_LOW_HALF = np.uint32(0xFFFF)


class RuleWords(NamedTuple):
    """The compiled rules of `n` people (or tile summaries) as bits, in the form the mask kernel reads.

    Words run along the first axis, so that one pass over a word reads memory in order.

    traits, refuses: `(n_words, n)` uint64, an even number of words, the last perhaps empty.
    short:           `(n_short, n)` uint64, small sets packed side by side, with `guard` and `fill`
                     `(n_short,)` uint64 (see bit_packing.py).
    long:            `(n_long, n)` uint64; set g is rows `starts[g]:starts[g + 1]`, `(n_sets + 1,)` int32.
    cell:            `(n,)` int32 index into a reach table.
    max_km:          `(n,)` uint16; min_km: `(n,)` uint16; in_person: `(n,)` bool.
    """

    traits: npt.NDArray[np.uint64]
    refuses: npt.NDArray[np.uint64]
    short: npt.NDArray[np.uint64]
    guard: npt.NDArray[np.uint64]
    fill: npt.NDArray[np.uint64]
    long: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int32]
    cell: npt.NDArray[np.int32]
    max_km: npt.NDArray[np.uint16]
    min_km: npt.NDArray[np.uint16]
    in_person: npt.NDArray[np.bool_]


def take_people(words: RuleWords, at: Int32Array) -> RuleWords:
    """Return the people at `at`, in that order."""
    return words._replace(
        traits=words.traits.take(at, axis=1),
        refuses=words.refuses.take(at, axis=1),
        short=words.short.take(at, axis=1),
        long=words.long.take(at, axis=1),
        cell=words.cell[at],
        max_km=words.max_km[at],
        min_km=words.min_km[at],
        in_person=words.in_person[at],
    )


def tile_summaries(words: RuleWords, tile_starts: Int64Array) -> RuleWords:
    """Return one summary for each tile, the run of people from one of `tile_starts` to the next.

    A summary has the bits all its members have and refuses what all refuse; it shares what any
    member could share, reaches as far as the farthest-reaching, and is in person only when all
    are. What is masked between two summaries is therefore masked between all their members. Its cell
    is its own number, for a reach row made with `widest_reach`.
    """
    return words._replace(
        traits=np.bitwise_and.reduceat(words.traits, tile_starts, axis=1),
        refuses=np.bitwise_and.reduceat(words.refuses, tile_starts, axis=1),
        short=np.bitwise_or.reduceat(words.short, tile_starts, axis=1),
        long=np.bitwise_or.reduceat(words.long, tile_starts, axis=1),
        cell=np.arange(len(tile_starts), dtype=np.int32),
        max_km=np.maximum.reduceat(words.max_km, tile_starts),
        min_km=np.minimum.reduceat(words.min_km, tile_starts),
        in_person=np.logical_and.reduceat(words.in_person, tile_starts),
    )


@kernel
def widest_reach(reach: UInt32Array, cells: Int32Array):  # type: ignore[no-untyped-def]
    """Return the widest reach from any of `cells` to each cell, `(n_cells,)` uint32.

    reach: `(n_from, n_cells)` uint32. A number holds the distance to be within in its low half and the one
    that is kept in its high half; the widest one has the least low half and the greatest high half.
    """
    nearest, farthest = np.full(reach.shape[1], _LOW_HALF, np.uint32), np.zeros(reach.shape[1], np.uint32)
    last = -1
    for cell in cells:
        if cell != last:  # people of one cell follow each other in tile order
            row, last = reach[cell], cell
            for c in range(len(nearest)):
                nearest[c] = min(nearest[c], row[c] & _LOW_HALF)
                farthest[c] = max(farthest[c], row[c] & ~_LOW_HALF)
    return nearest | farthest


Word = np.uint64

BLOCK = 512
"""Columns masked at once: a dozen words each, so a block fits the nearest cache."""

_FAR, _HIGH, _ONE = np.uint64(0xFFFF), np.uint64(16), np.uint64(1)
_NEAR = np.uint64(32)
_CARRIES = np.uint64(1 << 16 | 1 << 48)
"""The bits into which a sum of `distance_word` and `distance_limit` carries: too far, too near."""


@kernel
def distance_word(between: Word, in_person: Word, max_km: Word, min_km: Word):  # type: ignore[no-untyped-def]
    """Return the distances of a column as one word, to be added to a `distance_limit`.

    Low half: km to be within; 0 when the column meets nobody in person, 65535 beyond its own limit. High
    half: how far the km that are kept fall short of 65534; 65535 when nearer than its own least distance.
    `between`: the reach from the row to the column.
    """
    within, kept = between & _FAR, between >> _HIGH
    low = in_person * (_FAR if within > max_km else within)
    return low | ((_FAR if kept < min_km else _FAR - _ONE - kept) << _NEAR)


@kernel
def distance_limit(in_person: Word, max_km: Word, min_km: Word):  # type: ignore[no-untyped-def]
    """Return what makes a `distance_word` carry where a row may not meet the column.

    The low half carries beyond its limit, when the row meets in person, the high half below its least km.
    """
    return in_person * (_FAR - max_km) | (min_km + _ONE) << _NEAR


@kernel
def _distance_words(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    reach: UInt32Array, seen_from: int, cell: Int32Array, limits: UInt64Array, n: int, out: UInt64Array
):
    """Write the `distance_word` of each of a block of n columns from the cell `seen_from` to `out` `(n,)`.

    limits: `(3, n)`, whether in person, greatest and least km.
    """
    for j in range(n):  # by itself: looking up is what cannot be made vectors of
        out[j] = reach[seen_from, cell[j]]
    for j in range(n):
        out[j] = distance_word(out[j], limits[0, j], limits[1, j], limits[2, j])


# Kernels called for each row are handed whole arrays and a row: a tuple of arrays, or a part of one, costs a
# count of references each time, which together took longer than the mask.


@kernel
def _mask_refused(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    row: int,
    my_traits: UInt64Array,
    my_refuses: UInt64Array,
    n: int,
    traits: UInt64Array,
    refuses: UInt64Array,
    masked: UInt64Array,
):
    """Mask the first n columns that have a bit the row refuses, or refuse one it has; two words at a time."""
    for w in range(0, my_traits.shape[0], 2):
        a, b = my_traits[w, row], my_traits[w + 1, row]
        c, d = my_refuses[w, row], my_refuses[w + 1, row]
        for j in range(n):
            theirs = (a & refuses[w, j]) | (b & refuses[w + 1, j])
            masked[j] |= theirs | (c & traits[w, j]) | (d & traits[w + 1, j])


@kernel
def _mask_disjoint(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    row: int, mine: UInt64Array, n: int, words: UInt64Array, first: int, last: int, masked: UInt64Array
):
    """Mask the first n columns that share no bit with the row in a set of words `first` to `last`.

    The 168 hours of a week take three; written out, the compiler makes vectors of it.
    """
    if last - first == 3:
        a, b, c = mine[first, row], mine[first + 1, row], mine[first + 2, row]
        for j in range(n):
            common = (a & words[first, j]) | (b & words[first + 1, j]) | (c & words[first + 2, j])
            masked[j] |= np.uint64(common == 0)
    else:
        for j in range(n):
            common = np.uint64(0)
            for w in range(first, last):
                common |= mine[w, row] & words[w, j]
            masked[j] |= np.uint64(common == 0)


@kernel
def _mask_disjoint_packed(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    row: int,
    mine: UInt64Array,
    n: int,
    words: UInt64Array,
    guard: UInt64Array,
    fill: UInt64Array,
    masked: UInt64Array,
):
    """Do the same for small sets side by side in a word (bit_packing.py)."""
    for w in range(mine.shape[0]):
        a, above, below = mine[w, row], guard[w], fill[w]
        for j in range(n):
            masked[j] |= (((a & words[w, j]) + below) & above) ^ above


@kernel
def _write_mask(masked: UInt64Array, n: int, out: BoolArray, row: int, start: int):  # type: ignore[no-untyped-def]
    """Write to `out[row, start:start + n]` which columns nothing masks."""
    part = out[row, start : start + n]
    for j in range(n):
        part[j] = masked[j] == 0


@kernel
def _block(n_words: int):  # type: ignore[no-untyped-def]
    """Return an empty `(n_words, BLOCK)` uint64 from the start of a cache line: crossing one costs twice."""
    memory = np.empty(n_words * BLOCK + 8, np.uint64)
    first = (-(memory.ctypes.data // 8)) % 8
    return memory[first : first + n_words * BLOCK].reshape(n_words, BLOCK)


@kernel
def _gather(words: UInt64Array, columns: Int32Array, start: int, stop: int, out: UInt64Array):  # type: ignore[no-untyped-def]
    """Write the words `(n_words, n)` of `columns[start:stop]` side by side to `out`."""
    for w in range(words.shape[0]):
        for j in range(stop - start):
            out[w, j] = words[w, columns[start + j]]


@kernel
def mask_columns(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    rows: RuleWords, at: Int32Array, reach: UInt32Array, words: RuleWords, columns: Int32Array, out: BoolArray
):
    """Write to `out` `(n_at, n_columns)` bool whether each row may meet each column.

    rows, words: the rules of the rows and of the columns; at: `(n_at,)` int32 into `rows`; columns:
    `(n_columns,)` int32 into `words`; reach: `(n_from, n_cells)` uint32, from each row's cell to every cell.

    Goes by blocks of columns, whose words stay in the nearest cache for all rows; rows of one cell, which
    follow each other in tile order, share the distance words.
    """
    my_traits, my_refuses, my_short, my_long = rows.traits, rows.refuses, rows.short, rows.long
    guard, fill, starts = rows.guard, rows.fill, rows.starts
    cell, in_person, max_km, min_km = rows.cell, rows.in_person, rows.max_km, rows.min_km
    their_cell, limits = np.empty(BLOCK, np.int32), _block(3)
    traits, refuses = _block(len(my_traits)), _block(len(my_refuses))
    short, long = _block(len(my_short)), _block(len(my_long))
    masked, distances = _block(1)[0], _block(1)[0]
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
            limits[0, j], limits[1, j] = words.in_person[c], words.max_km[c]
            limits[2, j] = words.min_km[c]
        seen_from = -1
        for place in range(len(at)):
            r = at[place]
            if cell[r] != seen_from:
                seen_from = cell[r]
                _distance_words(reach, seen_from, their_cell, limits, n, distances)
            limit = distance_limit(np.uint64(in_person[r]), np.uint64(max_km[r]), np.uint64(min_km[r]))
            for j in range(n):
                masked[j] = (distances[j] + limit) & _CARRIES
            _mask_refused(r, my_traits, my_refuses, n, traits, refuses, masked)
            _mask_disjoint_packed(r, my_short, n, short, guard, fill, masked)
            for g in range(len(starts) - 1):
                _mask_disjoint(r, my_long, n, long, starts[g], starts[g + 1], masked)
            _write_mask(masked, n, out, place, start)


@kernel
def unmasked_columns(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    summary: RuleWords,
    reach: UInt32Array,
    tiles: RuleWords,
    tile_cells: Int32Array,
    tile_cell_starts: Int64Array,
    columns: RuleWords,
    tile_starts: Int64Array,
):
    """Return the positions of columns that a summary of rows leaves, `(n_left,)` int32, ascending.

    Tiles are tried first, through their own summaries. reach: `(1, n_cells)` uint32, from the summary to
    every cell; tile_starts: `(n_tiles + 1,)`; the distinct cells of tile t are
    `tile_cells[tile_cell_starts[t]:tile_cell_starts[t + 1]]`.
    """
    n_tiles = len(tile_starts) - 1
    to_tile = np.empty((1, n_tiles), np.uint32)  # the widest reach to any of a tile's cells
    for t in range(n_tiles):
        nearest, farthest = _LOW_HALF, np.uint32(0)
        for at in range(tile_cell_starts[t], tile_cell_starts[t + 1]):
            between = reach[0, tile_cells[at]]
            nearest, farthest = min(nearest, between & _LOW_HALF), max(farthest, between & ~_LOW_HALF)
        to_tile[0, t] = nearest | farthest
    first = np.zeros(1, np.int32)
    tile_left = np.empty((1, n_tiles), np.bool_)
    mask_columns(summary, first, to_tile, tiles, np.arange(n_tiles).astype(np.int32), tile_left)
    members, n = np.empty(tile_starts[-1], np.int32), 0
    for t in range(n_tiles):
        if tile_left[0, t]:
            for j in range(tile_starts[t], tile_starts[t + 1]):
                members[n] = j
                n += 1
    left = np.empty((1, n), np.bool_)
    mask_columns(summary, first, reach, columns, members[:n], left)
    return members[:n][left[0]]
