"""Yes-or-no columns packed into 64-bit words, and bit fields laid end to end."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recsys.schema.bits import Words, words_needed

Flags = npt.NDArray[np.bool_]


def pack_flags(flags: Flags) -> Words:
    """Return `(n_people, n_bits)` bool as `(n_people, n_words)` uint64, bit b from column b.

    >>> pack_flags(np.array([[True, False, True]])).tolist()
    [[5]]
    """
    n_people, n_bits = flags.shape
    octets = np.zeros((n_people, words_needed(n_bits) * 8), np.uint8)
    packed = np.packbits(flags, axis=1, bitorder="little")
    octets[:, : packed.shape[1]] = packed
    return octets.view("<u8").astype(np.uint64)


def unpack(words: Words, n_bits: int) -> Flags:
    """Return the first `n_bits` bits of `(n_people, n_words)` uint64 as `(n_people, n_bits)` bool.

    >>> unpack(np.array([[5]], np.uint64), 3).tolist()
    [[True, False, True]]
    """
    octets = np.ascontiguousarray(words.astype("<u8")).view(np.uint8)
    return np.unpackbits(octets, axis=1, bitorder="little")[:, :n_bits].astype(bool)


def one_hot(codes: npt.NDArray[np.integer], n_values: int) -> Flags:
    """Return codes `(n_people,)` as `(n_people, n_values)` bool; -1 (unknown) sets nothing.

    >>> one_hot(np.array([1, -1]), 2).tolist()
    [[False, True], [False, False]]
    """
    return codes[:, None] == np.arange(n_values)


def end_to_end(fields: Sequence[Words], n_bits: Sequence[int], n_people: int) -> Words:
    """Lay bit fields end to end without gaps, `(n_people, n_words)` uint64, C-contiguous.

    >>> end_to_end([np.array([[3]], np.uint64), np.array([[1]], np.uint64)], [2, 1], 1).tolist()
    [[7]]
    """
    joined = np.zeros((n_people, words_needed(sum(n_bits))), np.uint64)
    start = 0
    for field, length in zip(fields, n_bits, strict=True):
        for at in range(words_needed(length)):
            word, shift = divmod(start + 64 * at, 64)
            if word < joined.shape[1]:
                joined[:, word] |= field[:, at] << np.uint64(shift)
            if shift and word + 1 < joined.shape[1]:
                joined[:, word + 1] |= field[:, at] >> np.uint64(64 - shift)
        start += length
    return joined


def without_unused(words: Words) -> Words:
    """Drop the bits nobody sets, so that a set from a long vocabulary takes few words.

    >>> without_unused(np.array([[0, 1], [0, 5]], np.uint64)).tolist()
    [[1], [3]]
    """
    flags = unpack(words, 64 * words.shape[1])
    return pack_flags(flags[:, flags.any(axis=0)])
