"""Masks of a tile of viewers: which of the two mask kernels, and what the one for many rows is given.

A family of bits is what is decided together: everything refused, or one set in which something has to be
shared. Only bits that some row has need a bitmap of columns.
"""

from itertools import pairwise
from typing import Final

import numpy as np

from recsys.constraints.bitmaps import AT_ONCE, LANES, SUBSETS, mask_blocks
from recsys.constraints.masks import BLOCK, RuleWords, mask_columns
from recsys.kernels import USE_LLVM, kernel
from recsys.types import BoolArray, Int32Array, UInt32Array, UInt64Array

MANY_ROWS: Final = 32
"""Rows from which transposing the words of a block pays."""

_ALL: Final = np.uint64(2**64 - 1)


@kernel
def _groups(masks: UInt64Array, some: UInt64Array, mine: UInt64Array):  # type: ignore[no-untyped-def]
    """Return groups of bits that some row has, where each family's begin, and which subset each row has.

    masks: `(n_families, n_words)`, the bits of each family; some: `(n_words,)`; mine: `(n_words, n_rows)`.
    Returns 64 times the word and the bit, `(n_groups * AT_ONCE,)`, filled up with the last word, which is
    empty; `(n_families + 1,)`; `(n_groups, n_rows)` uint8.
    """
    n_families, n_words = masks.shape
    bits, n = np.empty(n_words * 64 + n_families * AT_ONCE, np.int64), 0
    starts = np.zeros(n_families + 1, np.int64)
    for f in range(n_families):
        for w in range(n_words):
            for b in range(64):
                if (some[w] & masks[f, w]) >> np.uint64(b) & np.uint64(1):
                    bits[n] = 64 * w + b
                    n += 1
        while n % AT_ONCE:
            bits[n] = 64 * (n_words - 1)
            n += 1
        starts[f + 1] = n // AT_ONCE
    subsets = np.zeros((n // AT_ONCE, mine.shape[1]), np.uint8)
    for q in range(n):
        w, g, bit, k = bits[q] // 64, q // AT_ONCE, np.uint64(bits[q] % 64), np.uint64(q % AT_ONCE)
        for p in range(mine.shape[1]):
            subsets[g, p] |= np.uint8((mine[w, p] >> bit & np.uint64(1)) << k)
    return bits[:n], starts, subsets


def _families(rows: RuleWords) -> UInt64Array:
    """Return the bits of all traits and refusals, and of each set, `(n_families, n_words + 1)`."""
    n, n_short = 2 * len(rows.traits), len(rows.short)
    fields = []
    for w, ends in enumerate(rows.guard.tolist()):
        below = 0
        while guard := ends & ~below:
            lowest = guard & -guard
            fields.append((n + w, (lowest - 1) & ~below))
            below = 2 * lowest - 1
    masks = np.zeros((1 + len(fields) + len(rows.starts) - 1, n + n_short + len(rows.long) + 1), np.uint64)
    masks[0, :n] = _ALL
    for f, (w, field) in enumerate(fields, 1):
        masks[f, w] = field
    for f, (first, last) in enumerate(pairwise(rows.starts.tolist()), 1 + len(fields)):
        masks[f, n + n_short + first : n + n_short + last] = _ALL
    return masks


def _lines(n: int) -> UInt64Array:
    """Return `(n, LANES)` uint64 zeros from the start of a cache line: crossing one costs twice."""
    memory = np.zeros((n + 1) * LANES, np.uint64)
    first = -(memory.ctypes.data // 8) % 8
    return memory[first : first + n * LANES].reshape(n, LANES)


def mask_by_bitmaps(  # noqa: PLR0917
    rows: RuleWords, at: Int32Array, reach: UInt32Array, words: RuleWords, columns: Int32Array, out: BoolArray
) -> None:
    """Do as `mask_columns` by bitmaps, for at least BLOCK columns."""
    parts = [part.take(at, axis=1) for part in (rows.refuses, rows.traits, rows.short, rows.long)]
    mine = np.concatenate([*parts, np.zeros((1, len(at)), np.uint64)])
    some = np.bitwise_or.reduce(mine, axis=1)
    bits, starts, subsets = _groups(_families(rows), some, mine)
    maps, tables = _lines(64 * len(mine)), _lines(SUBSETS * len(subsets) + 1)
    mask_blocks(rows, at, reach, words, columns, some, bits, starts, subsets, maps, tables, out)


def mask_tile(  # noqa: PLR0917
    rows: RuleWords, at: Int32Array, reach: UInt32Array, words: RuleWords, columns: Int32Array, out: BoolArray
) -> None:
    """Write to `out` `(n_at, n_columns)` bool whether each row may meet each column, as `mask_columns` does.

    rows, words: the rules of the rows and of the columns; at: `(n_at,)` int32 into `rows`; columns:
    `(n_columns,)` int32 into `words`; reach: `(n_from, n_cells)` uint32, from each row's cell to every cell.
    By bitmaps where there are many rows and columns.
    """
    many = USE_LLVM and len(at) >= MANY_ROWS and len(columns) >= BLOCK
    (mask_by_bitmaps if many else mask_columns)(rows, at, reach, words, columns, out)
