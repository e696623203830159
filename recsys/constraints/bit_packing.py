"""Bit packing: small sets side by side in one 64-bit word, so that one addition compares all of them."""

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from recsys.kernels import kernel
from recsys.types import Int32Array, UInt64Array

_MOST_ELEMENTS: Final = 24
"""A set of more elements keeps a word of its own: two of them would not fit one word anyway."""

_TOO_MANY: Final = np.empty(_MOST_ELEMENTS + 1, np.uint64)


class Packing(NamedTuple):
    """How the sets of `Compiled.overlaps` are laid out for the mask kernel.

    Small sets take a field of a word each: one bit an element and a guard bit above them, which stays zero.
    Bits which the same people have are one element, as is the padding of people to whom a rule does not
    apply (they have every bit). With `a` and `b` two people's words, every field has a common element
    exactly when `((a & b) + fill) & guard == guard`: the addition carries into the guard of each field
    that is not empty, and never beyond it.

    element: `(n_elements,)` uint64, bits that always come together; source: their word among the overlaps;
             word, bit: where the element goes; all `(n_elements,)` int32.
    guard:   `(n_words,)` uint64, the guard bits; fill: the bits below them, all set.
    long:    columns of the other sets' words; starts: `(n_long + 1,)`, where each set begins; int32.
    """

    element: UInt64Array
    source: Int32Array
    word: Int32Array
    bit: Int32Array
    guard: UInt64Array
    fill: UInt64Array
    long: Int32Array
    starts: Int32Array


def packing_of(overlaps: UInt64Array, set_starts: Int32Array) -> Packing:
    """Return the packing of people's sets `(n, v)`; set g is columns `set_starts[g]:set_starts[g + 1]`."""
    element, source, word, bit = [], [], [], []
    guard, fill, long, starts = [0], [0], [], [0]
    used = 0
    for first, last in pairwise(set_starts.tolist()):
        elements = _TOO_MANY
        if last - first == 1:
            elements = equivalent_bits(np.ascontiguousarray(overlaps[:, first]), _MOST_ELEMENTS)
        if len(elements) > _MOST_ELEMENTS:
            long += list(range(first, last))
            starts.append(len(long))
            continue
        width = max(1, len(elements))  # a set that nobody has anything in shuts every pair
        if used + width + 1 > 64:
            guard, fill, used = [*guard, 0], [*fill, 0], 0
        element += elements.tolist()
        source += [first] * len(elements)
        word += [len(guard) - 1] * len(elements)
        bit += list(range(used, used + len(elements)))
        fill[-1] |= ((1 << width) - 1) << used
        guard[-1] |= 1 << (used + width)
        used += width + 1
    n_words = np.count_nonzero(guard)
    return Packing(
        np.array(element, np.uint64),
        np.array(source, np.int32),
        np.array(word, np.int32),
        np.array(bit, np.int32),
        np.array(guard[:n_words], np.uint64),
        np.array(fill[:n_words], np.uint64),
        np.array(long, np.int32),
        np.array(starts, np.int32),
    )


def packed_sets(packing: Packing, overlaps: UInt64Array) -> UInt64Array:
    """Return the packed small sets of people's overlaps `(n, v)`, `(n_words, n)` uint64."""
    packed = np.zeros((len(packing.guard), len(overlaps)), np.uint64)
    for element, source, word, bit in zip(*packing[:4], strict=True):
        has = (overlaps[:, source] & element) != 0
        packed[word] |= has.astype(np.uint64) << np.uint64(bit)
    return packed


def unpacked_sets(packing: Packing, overlaps: UInt64Array) -> UInt64Array:
    """Return the words of the other sets, `(n_words, n)` uint64."""
    return np.ascontiguousarray(overlaps[:, packing.long].T)


@kernel
def equivalent_bits(words: UInt64Array, most: int):  # type: ignore[no-untyped-def]
    """Return masks of the bits that are equal in every word, `(n_masks,)` uint64.

    words: `(n,)`. Returns `most` + 1 masks when there are more than `most`. Begins with one mask and splits
    each of which some word has a part.
    """
    masks = np.empty(most + 1, np.uint64)
    masks[0] = 0
    for word in words:
        masks[0] |= word
    n = 1 if masks[0] != 0 else 0
    for word in words:
        for m in range(n):
            inside = masks[m] & word
            if inside != 0 and inside != masks[m]:
                masks[n] = masks[m] ^ inside
                masks[m] = inside
                n += 1
                if n > most:
                    return masks
    return masks[:n].copy()
