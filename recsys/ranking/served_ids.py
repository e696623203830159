"""Ids and rows of a publication, found in a mapped file without reading all of it."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import InputError, explained

Packed = npt.NDArray[np.bytes_]


def packed_ids(ids: Iterable[str]) -> Packed:
    """Return ascending ids as one array of bytes of equal width.

    Raises InputError for an id that is not ASCII: contracts let none through.
    """
    values = list(ids)
    if not all(value.isascii() and "\0" not in value for value in values):
        raise InputError(explained("ids must be plain ASCII", remedy="use letters, digits, _ and -"))
    return np.array([value.encode() for value in values], dtype=np.bytes_)


class ServedIds:
    """Ids of a publication; the row of an id is its place.

    >>> ids = ServedIds(packed_ids(["u1", "u2"]))
    >>> ids.find(["u2", "u9", "?", "a-much-longer-id"]), ids.at([1])
    ([1, -1, -1, -1], ['u2'])
    """

    def __init__(self, packed: Packed) -> None:
        self._packed = packed
        self._longest = packed.dtype.itemsize

    def __len__(self) -> int:
        return len(self._packed)

    def find(self, ids: Iterable[Any]) -> list[int]:
        """Return the row of each id, -1 for anything that is no id here."""
        return [self._row(user_id) for user_id in ids]

    def at(self, rows: Iterable[int]) -> list[str]:
        """Return the ids at `rows`."""
        return [self._packed[row].decode() for row in rows]

    def _row(self, user_id: object) -> int:
        if not isinstance(user_id, str) or not user_id.isascii() or not 0 < len(user_id) <= self._longest:
            return -1
        wanted = np.array(user_id.encode(), dtype=self._packed.dtype)
        at = int(self._packed.searchsorted(wanted))
        same = at < len(self._packed) and self._packed[at].decode() == user_id
        return at if same else -1
