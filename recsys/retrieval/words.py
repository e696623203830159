"""The compiled words of people, one column a person, in tile order, and their summaries."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.constraints.compiled import Compiled
from recsys.retrieval.packing import Packing, long_words, short_words

Positions = npt.NDArray[np.int32]
Reach = npt.NDArray[np.uint8]
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


def words_of(compiled: Compiled, rows: Positions, packing: Packing) -> Words:
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


def taken(words: Words, at: Positions) -> Words:
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
def most_generous(reach: Reach, cells: Positions):  # type: ignore[no-untyped-def]  # noqa: D103
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
