"""The erasure list: keyed hashes of the ids of people who asked to be erased.

It keeps no id, so it cannot be read as a list of people; every later night asks it whether an id that comes
by again is of somebody erased. Where the service has a key, the hashes are made with it and a salt of the
list: whoever has the list and all ids, but not the key, cannot tell who is in it. Without any key the salt
stands alone.
"""

import fcntl
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np

from recsys.errors import PublicationError, SafetyUnavailable, explained
from recsys.safety.canonical import in_any_spelling
from recsys.safety.fingerprints import forms_of
from recsys.safety.keys import UNKEYED, Keys, purpose_key, read_keys
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import LedgerState
from recsys.storage.atomic_write import write_atomically
from recsys.types import BoolArray

FOLDER: Final = "erasures"
_LIST: Final = "erased.json"
_LOCK: Final = ".lock"
_FORMAT: Final = 2
_UNKEYED_FORMAT: Final = 1
_HASH_LENGTH: Final = 16


@dataclass(frozen=True)
class ErasedPeople:
    """The list as it stood at one moment.

    secret: what its hashes are made with. moments: hash of an id to the time of the request. prints: hashes
    of the fingerprints under which logs and tracked nights hold these people.
    """

    secret: bytes = field(default=b"", repr=False)
    moments: Mapping[str, str] = field(default_factory=dict)
    prints: frozenset[str] = frozenset()

    @classmethod
    def of(cls, user_id: str, keys: Keys) -> "ErasedPeople":
        """Return a list of one person, to find what names them."""
        prints = frozenset(_keyed(form, b"") for form in forms_of(user_id, keys))
        return cls(moments={erasure_key(user_id, b""): ""}, prints=prints)

    def __len__(self) -> int:
        return len(self.moments)

    @cached_property
    def watermark(self) -> str | None:
        """When the latest erasure was asked for, in UTC; None when there is none."""
        return max(self.moments.values(), default=None)

    def moment_of(self, user_id: str) -> str | None:
        """Return when somebody asked to be erased, in UTC as `watermark` is; None for who did not."""
        return self.moments.get(erasure_key(user_id, self.secret))

    def has_spelling(self, user_id: str) -> bool:
        """Say whether somebody erased had an id that is this one in any spelling."""
        return bool(self.prints) and _keyed(spelled_hash(user_id), self.secret) in self.prints

    def among(self, ids: Iterable[Any]) -> BoolArray:
        """Say which ids, or fingerprints of ids in a log, are of erased people, `(n_ids,)` bool.

        Anything that is no text is nobody.

        >>> ErasedPeople().among(["a", None])
        array([False, False])
        """
        values = list(ids)
        if not self.moments:
            return np.zeros(len(values), bool)
        return np.array([isinstance(value, str) and self._has(value) for value in values], bool)

    def _has(self, value: str) -> bool:
        if erasure_key(value, self.secret) in self.moments:
            return True
        if len(value) != _HASH_LENGTH:
            return False
        hashed = _keyed(value, self.secret)
        return hashed in self.moments or hashed in self.prints


class ErasureList:
    """The list of one place, read anew whenever its file changed; any process may add to it."""

    def __init__(self, folder: Path, ledger: SafetyLedger | None = None, *, keys: Keys | None = None) -> None:
        self._folder, self._ledger, self._path = folder, ledger, str(folder / _LIST)
        self._keys = read_keys() if keys is None else keys
        self._seen: tuple[object, ErasedPeople] = (None, ErasedPeople())

    @classmethod
    def of(cls, published: str | Path) -> "ErasureList":
        """Return the list that belongs to a folder of publications, and is told of in its safety ledger."""
        return cls(Path(published).resolve() / FOLDER, SafetyLedger.of(published))

    def now(self, known: LedgerState | None = None) -> ErasedPeople:
        """Return the list as it stands.

        known: what its safety ledger says just now, where the caller has asked it already.

        Raises PublicationError when it is there and cannot be read: nobody may guess who is in it. Raises
        SafetyUnavailable when the safety ledger knows of people who are not in it: it is missing or old.
        """
        state = LedgerState() if self._ledger is None else known or self._ledger.now()
        told = state.erasures
        erased = self._read_list()
        if len(erased) < told[0] or (erased.watermark or "") < told[1]:
            remedy = "restore it from a backup; without it nobody knows who asked to be erased"
            what = "the list of erasures is missing or older than the safety ledger"
            raise SafetyUnavailable(explained(what, got=f"{len(erased)} of {told[0]} people", remedy=remedy))
        return erased

    def _read_list(self) -> ErasedPeople:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - asked in every call
        except FileNotFoundError:
            return ErasedPeople()
        state = (found.st_ino, found.st_mtime_ns, found.st_size)
        if self._seen[0] != state:
            self._seen = (state, _read(Path(self._path), self._keys))
        return self._seen[1]

    def add(self, ids: Iterable[str], at: datetime | None = None) -> int:
        """Note that these people asked to be erased; return how many were not in the list yet.

        The list is on the disk when this returns. An erasure never moves behind an earlier one, also
        when the clock went back: whatever was made up to the watermark knows of all before it.
        """
        wanted = list(ids)
        with self._alone():
            known = self.now()
            salt, key = _header(Path(self._path)) or (secrets.token_hex(16), self._keys.newest_id)
            secret = _secret(salt, key, self._keys)
            moment = (at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="microseconds")
            moment = max(moment, known.watermark or moment)
            new = {erasure_key(user_id, secret): moment for user_id in wanted}
            new = {hashed: value for hashed, value in new.items() if hashed not in known.moments}
            prints = {_keyed(form, secret) for one in wanted for form in forms_of(one, self._keys)}
            prints |= {_keyed(spelled_hash(one), secret) for one in wanted}
            if new or not prints <= known.prints:  # asked again with a key that was not given before
                content = {
                    "format": _FORMAT,
                    "key": key,
                    "salt": salt,
                    "erased": {**known.moments, **new},
                    "prints": sorted(known.prints | prints),
                }
                write_atomically(self._folder / _LIST, json.dumps(content, indent=1).encode() + b"\n")
            if self._ledger is not None:
                erased = self._read_list()
                self._ledger.note_erasures(len(erased), erased.watermark or "")
            return len(new)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def person_hash(user_id: str) -> str:
    """Return a hash of an id without a key: of it the list makes its own, and old tracked nights hold it.

    >>> person_hash("a")
    'da9959592ff4a767'
    """
    return blake2b(user_id.encode("utf-8", "surrogatepass"), digest_size=8, person=b"judged").hexdigest()


def spelled_hash(user_id: str) -> str:
    """Return a hash of an id in whatever spelling, by which the list knows rows that name nobody else.

    >>> spelled_hash("U1") == spelled_hash("u1.0") != spelled_hash("u2")
    True
    """
    return person_hash(in_any_spelling(user_id))


def erasure_key(user_id: str, secret: bytes) -> str:
    """Return the keyed hash under which the list holds an id.

    >>> len(erasure_key("u1", b"salt")), erasure_key("u1", b"salt") == erasure_key("u1", b"pepper")
    (32, False)
    """
    return _keyed(person_hash(user_id), secret)


def _keyed(hashed: str, secret: bytes) -> str:
    return blake2b(hashed.encode("utf-8", "surrogatepass"), key=secret, digest_size=16).hexdigest()


def _secret(salt: str, key: str, keys: Keys) -> bytes:
    """Return what a list makes its hashes with; raise SafetyUnavailable without the key it was made with."""
    made = bytes.fromhex(salt)
    return hmac.digest(purpose_key(keys.secret(key), "erasures"), made, "sha256") if key else made


def _header(path: Path) -> tuple[str, str] | None:
    """Return the salt of a list and the id of its key, None when there is no list."""
    if not path.exists():
        return None
    content = json.loads(path.read_bytes())
    return str(content["salt"]), str(content.get("key", UNKEYED))


def _read(path: Path, keys: Keys) -> ErasedPeople:
    try:
        content = json.loads(path.read_bytes())
        keyed = {_UNKEYED_FORMAT: False, _FORMAT: True}[content["format"]]  # a newer format is a KeyError
        key = str(content["key"]) if keyed else UNKEYED
        moments = {str(hashed): str(moment) for hashed, moment in content["erased"].items()}
        prints = frozenset(map(str, content["prints"] if keyed else ()))
        return ErasedPeople(_secret(str(content["salt"]), key, keys), moments, prints)
    except SafetyUnavailable:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        remedy = "restore it from a backup; without it nobody knows who asked to be erased"
        raise PublicationError(
            explained("the list of erasures cannot be read", where=str(path), got=str(error), remedy=remedy)
        ) from error
