"""Any strings and whole numbers as plain arrays: packed, so that they are saved without pickle, or hashed."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Ends = npt.NDArray[np.int64]


def packed_strings(values: Iterable[str] | Iterable[int]) -> tuple[Bytes | Ends, Ends]:
    """Return strings as their UTF-8 bytes one after another, and where each ends.

    Unlike a fixed-width numpy string, this keeps trailing null characters and lone surrogates.
    Whole numbers are returned as they are, `(n,)` int64, and no ends.

    >>> packed_strings(["ab", ""])
    (array([97, 98], dtype=uint8), array([2, 2]))
    >>> packed_strings([7, 9])
    (array([7, 9]), array([], dtype=int64))
    """
    listed = list(values)
    if listed and not isinstance(listed[0], str):
        return np.array(listed, np.int64), np.empty(0, np.int64)
    encoded = [str(value).encode("utf-8", "surrogatepass") for value in listed]
    ends = np.cumsum([len(part) for part in encoded], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), ends


def unpacked_strings(content: Bytes | Ends, ends: Ends) -> list[Any]:
    """Return the strings, or the whole numbers, that `packed_strings` packed.

    >>> unpacked_strings(*packed_strings(["ab", ""])), unpacked_strings(*packed_strings([7]))
    (['ab', ''], [7])
    """
    if content.dtype == np.int64:
        return [int(number) for number in content]
    whole = content.tobytes()
    starts = [0, *ends[:-1].tolist()]
    return [
        whole[start:end].decode("utf-8", "surrogatepass")
        for start, end in zip(starts, ends.tolist(), strict=False)
    ]


def hashed_strings(values: Iterable[str] | Iterable[int], *, salt: str = "") -> npt.NDArray[np.uint64]:
    """Return a 64-bit hash of each string, the same on every machine and in every process.

    `salt` (at most 16 characters of ASCII) gives another, unrelated hash.

    >>> hashed_strings(["a", "b"]).tolist() == hashed_strings(["a", "b"]).tolist()
    True
    """
    person = salt.encode("ascii")
    hashes = [
        blake2b(str(value).encode("utf-8", "surrogatepass"), digest_size=8, person=person).digest()
        for value in values
    ]
    return np.frombuffer(b"".join(hashes), "<u8").astype(np.uint64)
