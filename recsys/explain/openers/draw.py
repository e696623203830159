"""A seeded draw for one pair: the same in every process, and for both languages."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """Draws from sequences by what is drawn and for whom; equal seeds draw alike.

    >>> Draw(7, "a", "b").one_of("kind", "xyz") == Draw(7, "a", "b").one_of("kind", "xyz")
    True
    """

    def __init__(self, seed: int, viewer_id: str, candidate_id: str) -> None:
        self._key = f"{seed}\0{viewer_id}\0{candidate_id}\0"

    def one_of(self, what: str, choices: Sequence[T]) -> T:
        """Return one of `choices`, drawn for `what`."""
        digest = blake2b((self._key + what).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return choices[int.from_bytes(digest, "big") % len(choices)]
