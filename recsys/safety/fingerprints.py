"""Keyed fingerprints of ids and person tokens, under which the ledger and the person index hold people."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import blake2b
from typing import Final

import numpy as np

from recsys.safety.keys import UNKEYED, Keys, key_id, purpose_key
from recsys.types import UInt64Array

ID: Final = "id"
PERSON: Final = "person"
SPELLING: Final = "spelling"
"""The kind of fingerprint that all spellings of an id have in common."""
_SIZE: Final = 8
_REMEMBERED: Final = 1 << 16
"""Ids of which each naming remembers the fingerprint: a page asks about the same people again."""


@dataclass(frozen=True)
class Naming:
    """One way to make fingerprints: the id of its key, empty for none.

    Without a key they are plain hashes: whoever has a list of ids can tell whose they are.
    """

    key: str = UNKEYED


class Fingerprints:
    """Makes the fingerprints of one naming: 64-bit numbers, never 0.

    >>> keys = Keys((b"k" * 32,))
    >>> one, other = Fingerprints(Naming(), keys), Fingerprints(Naming(keys.newest_id), keys)
    >>> one.of(ID, "u1") == one.of(ID, "u1"), one.of(ID, "u1") == one.of(PERSON, "u1")
    (True, False)
    >>> one.of(ID, "u1") == other.of(ID, "u1")
    False
    """

    def __init__(self, naming: Naming, keys: Keys) -> None:
        secret = purpose_key(keys.secret(naming.key), "fingerprints") if naming.key else b""
        self.naming = naming
        self._hash = blake2b(digest_size=_SIZE, key=secret, person=b"recsys who")
        self._of_id = lru_cache(maxsize=_REMEMBERED)(partial(self.of, ID))

    def of(self, kind: str, text: str) -> int:
        """Return the fingerprint of an id, of what its spellings have in common, or of a person token."""
        made = self._hash.copy()
        made.update(f"{kind}\0{text}".encode("utf-8", "surrogatepass"))
        return int.from_bytes(made.digest(), "little") or 1

    def of_all(self, kind: str, texts: Iterable[str | None]) -> UInt64Array:
        """Return the fingerprint of each of many texts of a kind, 0 for no text; none is remembered.

        >>> Fingerprints(Naming(), Keys()).of_all(PERSON, ["t1", None]).tolist()[1]
        0
        """
        return np.array([self.of(kind, text) if text else 0 for text in texts], np.uint64)

    def of_ids(self, ids: Iterable[str]) -> list[int]:
        """Return the fingerprint of each of some ids; those of a page before are remembered."""
        return list(map(self._of_id, ids))

    def text(self, user_id: str) -> str:
        """Return the fingerprint of an id as 16 hexadecimal digits, for logs."""
        return f"{self.of(ID, user_id):016x}"


def forms_of(user_id: str, keys: Keys) -> frozenset[str]:
    """Return `Fingerprints.text` of an id under each of the keys and under none: what a log may hold of them.

    >>> len(forms_of("u1", Keys())), len(forms_of("u1", Keys((b"k" * 32, b"o" * 32))))
    (1, 3)
    """
    known = (UNKEYED, *(key_id(secret) for secret in keys.secrets))
    return frozenset(Fingerprints(Naming(key), keys).text(user_id) for key in known)
