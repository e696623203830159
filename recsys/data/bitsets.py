"""Bit sets: sets as bits of 64-bit words, bit b in word `b // 64`."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from recsys.types import BoolArray, UInt8Array, UInt64Array


def words_needed(n_bits: int) -> int:
    """Return how many 64-bit words hold `n_bits` bits, at least one."""
    return max(1, -(-n_bits // 64))


def pack(sets: Sequence[Iterable[int]], n_bits: int) -> UInt64Array:
    """Return sets of bit numbers as `(n_sets, n_words)` uint64.

    >>> pack([{0, 2}, {65}], 66).tolist()
    [[5, 0], [0, 2]]
    """
    packed = np.zeros((len(sets), words_needed(n_bits)), np.uint64)
    for row, members in enumerate(sets):
        for bit in members:
            packed[row, bit // 64] |= np.uint64(1 << (bit % 64))
    return packed


def contains(bits: UInt64Array, members: Iterable[int]) -> npt.NDArray[np.bool_]:
    """Say which sets `(n_sets, n_words)` hold any of the bit numbers, `(n_sets,)` bool.

    >>> contains(pack([{0, 2}, {65}], 66), [65]).tolist()
    [False, True]
    """
    wanted = pack([members], bits.shape[1] * 64)[0]
    return (bits & wanted).any(axis=1)


def common(a: UInt64Array, b: UInt64Array) -> npt.NDArray[np.int64]:
    """Count the bits two aligned arrays of sets share, `(n_sets,)`.

    >>> common(pack([{0, 2}], 3), pack([{2, 1}], 3)).tolist()
    [1]
    """
    return np.bitwise_count(a & b).sum(axis=1).astype(np.int64)


def pack_flags(flags: BoolArray) -> UInt64Array:
    """Return `(n_people, n_bits)` bool as `(n_people, n_words)` uint64, bit b from column b.

    >>> pack_flags(np.array([[True, False, True]])).tolist()
    [[5]]
    """
    n_people, n_bits = flags.shape
    filled = np.zeros((n_people, words_needed(n_bits) * 8), np.uint8)
    packed = np.packbits(flags, axis=1, bitorder="little")
    filled[:, : packed.shape[1]] = packed
    return filled.view("<u8").astype(np.uint64)


def unpack(words: UInt64Array, n_bits: int) -> BoolArray:
    """Return the first `n_bits` bits of `(n_people, n_words)` uint64 as `(n_people, n_bits)` bool.

    >>> unpack(np.array([[5]], np.uint64), 3).tolist()
    [[True, False, True]]
    """
    return np.unpackbits(octets(words), axis=1, bitorder="little")[:, :n_bits].astype(bool)


def octets(words: UInt64Array) -> UInt8Array:
    """Return words `(n_sets, n_words)` as bytes `(n_sets, 8 * n_words)` uint8, the lowest first."""
    return np.ascontiguousarray(words.astype("<u8", copy=False)).view(np.uint8)


def one_hot(codes: npt.NDArray[np.integer], n_values: int) -> BoolArray:
    """Return codes `(n_people,)` as `(n_people, n_values)` bool; -1 (unknown) sets nothing.

    >>> one_hot(np.array([1, -1]), 2).tolist()
    [[False, True], [False, False]]
    """
    return codes[:, None] == np.arange(n_values)


def end_to_end(fields: Sequence[UInt64Array], n_bits: Sequence[int], n_people: int) -> UInt64Array:
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
