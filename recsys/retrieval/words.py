"""The compiled words of people, one column a person, in tile order, and their summaries."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.constraints.compiled import Compiled

Positions = npt.NDArray[np.int32]
_NIBBLE = np.uint8(15)


class Words(NamedTuple):
    """What the mask kernel reads of `n` people (or summaries of people).

    Words run along the first axis, so that one pass over a word reads memory in order.

    traits, refuses: `(n_words, n)` uint64.
    overlaps:        `(n_overlap_words, n)` uint64; group g is rows `starts[g]:starts[g + 1]`.
    starts:          `(n_groups + 1,)` int32.
    cell:            `(n,)` int32 index into a reach table.
    max_class:       `(n,)` uint8; min_class: `(n,)` uint8; in_person: `(n,)` bool.
    """

    traits: npt.NDArray[np.uint64]
    refuses: npt.NDArray[np.uint64]
    overlaps: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int32]
    cell: npt.NDArray[np.int32]
    max_class: npt.NDArray[np.uint8]
    min_class: npt.NDArray[np.uint8]
    in_person: npt.NDArray[np.bool_]


def words_of(compiled: Compiled, rows: Positions) -> Words:
    """Return the words of the people at `rows`, in that order."""
    return Words(
        traits=np.ascontiguousarray(compiled.traits[rows].T),
        refuses=np.ascontiguousarray(compiled.refuses[rows].T),
        overlaps=np.ascontiguousarray(compiled.overlaps[rows].T),
        starts=np.array(compiled.overlap_starts, np.int32),
        cell=compiled.cell[rows].astype(np.int32),
        max_class=compiled.max_class[rows].astype(np.uint8),
        min_class=compiled.min_class[rows].astype(np.uint8),
        in_person=compiled.in_person[rows].astype(bool),
    )


def taken(words: Words, at: Positions) -> Words:
    """Return the columns at `at`, in that order."""
    return Words(
        traits=np.take(words.traits, at, axis=1),
        refuses=np.take(words.refuses, at, axis=1),
        overlaps=np.take(words.overlaps, at, axis=1),
        starts=words.starts,
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
    is its own number, for a reach row made with `least_reach`.
    """
    return Words(
        traits=np.bitwise_and.reduceat(words.traits, tile_starts, axis=1),
        refuses=np.bitwise_and.reduceat(words.refuses, tile_starts, axis=1),
        overlaps=np.bitwise_or.reduceat(words.overlaps, tile_starts, axis=1),
        starts=words.starts,
        cell=np.arange(len(tile_starts), dtype=np.int32),
        max_class=np.maximum.reduceat(words.max_class, tile_starts),
        min_class=np.minimum.reduceat(words.min_class, tile_starts),
        in_person=np.logical_and.reduceat(words.in_person, tile_starts),
    )


def least_reach(reach: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Return the most generous reach of each run of the last axis.

    A reach byte holds the nearest maximum class in its low half and the farthest minimum class in
    its high half; the most generous one has the least low half and the greatest high half.

    >>> least_reach(np.array([0x21, 0x12], np.uint8), np.array([0])).tolist()
    [33]
    """
    low = np.minimum.reduceat(reach & _NIBBLE, starts, axis=-1)
    high = np.maximum.reduceat(reach >> 4, starts, axis=-1)
    return low | (high << 4)
