"""Sets as bits in 64-bit words: bit b lives in word `b // 64`."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]


def words_needed(n_bits: int) -> int:
    """Return how many 64-bit words hold `n_bits` bits, at least one."""
    return max(1, -(-n_bits // 64))


def pack(sets: Sequence[Iterable[int]], n_bits: int) -> Words:
    """Return sets of bit numbers as `(n_sets, n_words)` uint64.

    >>> pack([{0, 2}, {65}], 66).tolist()
    [[5, 0], [0, 2]]
    """
    packed = np.zeros((len(sets), words_needed(n_bits)), np.uint64)
    for row, members in enumerate(sets):
        for bit in members:
            packed[row, bit // 64] |= np.uint64(1 << (bit % 64))
    return packed


def contains(bits: Words, members: Iterable[int]) -> npt.NDArray[np.bool_]:
    """Say which sets `(n_sets, n_words)` hold any of the bit numbers, `(n_sets,)` bool.

    >>> contains(pack([{0, 2}, {65}], 66), [65]).tolist()
    [False, True]
    """
    wanted = pack([members], bits.shape[1] * 64)[0]
    return (bits & wanted).any(axis=1)


def common(a: Words, b: Words) -> npt.NDArray[np.int64]:
    """Count the bits two aligned arrays of sets share, `(n_sets,)`.

    >>> common(pack([{0, 2}], 3), pack([{2, 1}], 3)).tolist()
    [1]
    """
    return np.bitwise_count(a & b).sum(axis=1).astype(np.int64)
