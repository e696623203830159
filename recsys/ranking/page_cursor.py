"""The cursor from one page of candidates to the next: who was shown before is not shown again."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Self

from recsys.errors import InputError, explained

_MOST_IN_CURSOR: Final = 5_000
_WIDTH: Final = 8


@dataclass(frozen=True, slots=True)
class PageCursor:
    """Who was on the pages before, as keyed hashes: a text for a client to hand back, which tells it nothing.

    >>> cursor = PageCursor(b"k").with_people(["a", "b"])
    >>> PageCursor.read(cursor.text, b"k").without(["b", "c"])
    ['c']
    """

    key: bytes
    hashes: frozenset[bytes] = frozenset()

    @classmethod
    def read(cls, text: str | None, key: bytes) -> Self:
        """Return the cursor of a text; None is that of the first page. Raises InputError for no cursor."""
        if text is None:
            return cls(key)
        try:
            raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        except (ValueError, AttributeError, binascii.Error):
            raise _no_cursor() from None
        if len(raw) % _WIDTH or not raw or len(raw) > _MOST_IN_CURSOR * _WIDTH:
            raise _no_cursor()
        return cls(key, frozenset(raw[at : at + _WIDTH] for at in range(0, len(raw), _WIDTH)))

    @property
    def text(self) -> str:
        """The cursor as a text."""
        return base64.urlsafe_b64encode(b"".join(sorted(self.hashes))).decode()

    def with_people(self, ids: Iterable[str]) -> Self:
        """Return the cursor after a page of these people."""
        return type(self)(self.key, self.hashes | {self._hash(one) for one in ids})

    def without(self, ids: Iterable[str]) -> list[str]:
        """Return those who were not on a page before."""
        return [one for one in ids if not self.hashes or self._hash(one) not in self.hashes]

    def _hash(self, user_id: str) -> bytes:
        return blake2b(user_id.encode("utf-8", "surrogatepass"), key=self.key, digest_size=_WIDTH).digest()


def _no_cursor() -> InputError:
    return InputError(explained("no cursor of a page", where="after", remedy="give back `next` of the page"))
