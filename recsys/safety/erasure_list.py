"""The erasure list: keyed hashes of the ids of people who asked to be erased.

It keeps no id, so it cannot be read as a list of people; every later night asks it whether an id that comes
by again is of somebody erased.
"""

import fcntl
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
from recsys.safety.ledger import SafetyLedger
from recsys.storage.atomic_write import write_atomically
from recsys.types import BoolArray

FOLDER: Final = "erasures"
_LIST: Final = "erased.json"
_LOCK: Final = ".lock"
_FORMAT: Final = 1
_HASH_LENGTH: Final = 16


@dataclass(frozen=True)
class ErasedPeople:
    """The list as it stood at one moment."""

    salt: bytes = b""
    moments: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.moments)

    @cached_property
    def watermark(self) -> str | None:
        """When the latest erasure was asked for, in UTC; None when there is none."""
        return max(self.moments.values(), default=None)

    def among(self, ids: Iterable[Any]) -> BoolArray:
        """Say which ids, or `person_hash`es of ids, are of erased people, `(n_ids,)` bool.

        Anything that is no text is nobody.

        >>> ErasedPeople().among(["a", None])
        array([False, False])
        """
        values = list(ids)
        if not self.moments:
            return np.zeros(len(values), bool)
        return np.array([isinstance(value, str) and self._has(value) for value in values], bool)

    def _has(self, value: str) -> bool:
        if erasure_key(value, self.salt) in self.moments:
            return True
        return len(value) == _HASH_LENGTH and _keyed(value, self.salt) in self.moments


class ErasureList:
    """The list of one place, read anew whenever its file changed; any process may add to it."""

    def __init__(self, folder: Path, ledger: SafetyLedger | None = None) -> None:
        self._folder, self._ledger, self._path = folder, ledger, str(folder / _LIST)
        self._seen: tuple[object, ErasedPeople] = (None, ErasedPeople())

    @classmethod
    def of(cls, published: str | Path) -> "ErasureList":
        """Return the list that belongs to a folder of publications, and is told of in its safety ledger."""
        return cls(Path(published).resolve() / FOLDER, SafetyLedger.of(published))

    def now(self) -> ErasedPeople:
        """Return the list as it stands.

        Raises PublicationError when it is there and cannot be read: nobody may guess who is in it. Raises
        SafetyUnavailable when the safety ledger knows of people who are not in it: it is missing or old.
        """
        told = (0, "") if self._ledger is None else self._ledger.now().erasures
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
            self._seen = (state, _read(Path(self._path)))
        return self._seen[1]

    def add(self, ids: Iterable[str], at: datetime | None = None) -> int:
        """Note that these people asked to be erased; return how many were not in the list yet.

        The list is on the disk when this returns. An erasure never moves behind an earlier one, also
        when the clock went back: whatever was made up to the watermark knows of all before it.
        """
        wanted = list(ids)
        with self._alone():
            known = self.now()
            salt = known.salt or secrets.token_bytes(16)
            moment = (at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="microseconds")
            moment = max(moment, known.watermark or moment)
            new = {erasure_key(user_id, salt): moment for user_id in wanted}
            new = {key: value for key, value in new.items() if key not in known.moments}
            if new:
                content = {"format": _FORMAT, "salt": salt.hex(), "erased": {**known.moments, **new}}
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
    """Return a hash of an id, under which tracked nights hold a person; it has no key.

    >>> person_hash("a")
    'da9959592ff4a767'
    """
    return blake2b(user_id.encode("utf-8", "surrogatepass"), digest_size=8, person=b"judged").hexdigest()


def erasure_key(user_id: str, salt: bytes) -> str:
    """Return the keyed hash under which the list holds an id.

    >>> len(erasure_key("u1", b"salt")), erasure_key("u1", b"salt") == erasure_key("u1", b"pepper")
    (32, False)
    """
    return _keyed(person_hash(user_id), salt)


def _keyed(hashed: str, salt: bytes) -> str:
    return blake2b(hashed.encode("utf-8", "surrogatepass"), key=salt, digest_size=16).hexdigest()


def _read(path: Path) -> ErasedPeople:
    try:
        content = json.loads(path.read_bytes())
        known = {_FORMAT: content["erased"]}[content["format"]]  # a newer format is a KeyError
        moments = {str(key): str(moment) for key, moment in known.items()}
        return ErasedPeople(bytes.fromhex(content["salt"]), moments)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        remedy = "restore it from a backup; without it nobody knows who asked to be erased"
        raise PublicationError(
            explained("the list of erasures cannot be read", where=str(path), got=str(error), remedy=remedy)
        ) from error
