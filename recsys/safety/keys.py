"""The secret keys of a service: they sign the safety ledger and hide ids in what is kept about people.

One secret is read from `RECSYS_KEY`, or from the file that `RECSYS_KEY_FILE` names, and never stands in the
data. To rotate it, put the new key before the old: the first one signs and opens, the others are read with.
"""

import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

from recsys.errors import SafetyUnavailable, SettingsError, explained

ENVIRONMENT: Final = "RECSYS_KEY"
ENVIRONMENT_FILE: Final = "RECSYS_KEY_FILE"
KEY_FILE: Final = "keys.env"
"""The file of keys in the home of a service, for a shell to load; nothing reads it by itself."""
SHORTEST_KEY: Final = 32
"""Bytes; `openssl rand -hex 32` makes a key of 64."""

UNKEYED: Final = ""
"""The key id of what was written without a key."""


@dataclass(frozen=True)
class Keys:
    """Keys in order: the first one signs, the others are understood.

    >>> keys = Keys((b"k" * 32,))
    >>> len(keys), keys.newest_id == key_id(b"k" * 32)
    (1, True)
    >>> Keys().newest_id
    ''
    """

    secrets: tuple[bytes, ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(self.secrets)

    @property
    def newest_id(self) -> str:
        """The id of the key that signs; empty without any key."""
        return key_id(self.secrets[0]) if self.secrets else UNKEYED

    def secret(self, wanted: str) -> bytes:
        """Return the key with an id; nothing for the id of no key.

        Raises SafetyUnavailable when it is not among the keys.
        """
        if wanted == UNKEYED:
            return b""
        for secret in self.secrets:
            if key_id(secret) == wanted:  # it is no secret
                return secret
        remedy = f"give it in {ENVIRONMENT} or {ENVIRONMENT_FILE}, after the newer one when it was rotated"
        if Path(KEY_FILE).is_file():
            remedy = f"load the keys of this home first: set -a; . ./{KEY_FILE}; set +a"
        raise SafetyUnavailable(explained("a key is missing", got=f"key {wanted}", remedy=remedy))


@lru_cache(maxsize=64)
def key_id(secret: bytes) -> str:
    """Return a short name of a key, which tells nothing of it."""
    return blake2b(secret, digest_size=6, person=b"recsys key id").hexdigest()


class KeyUse(NamedTuple):
    """From when on the safety ledger was signed with a key: ISO UTC, "" where that was not noted."""

    key: str
    since: str


def replaced_at(key: str, uses: Sequence[KeyUse], newest: str) -> datetime | None:
    """Return when a key gave way to another by the uses of a ledger, in order.

    A key that the ledger does not know gave way to the newest one. None while the newest key signed nothing
    there yet, where the time was not noted, and for the newest key itself.

    >>> uses = [KeyUse("a", "2026-01-01T00:00:00+00:00"), KeyUse("b", "2026-01-05T00:00:00+00:00")]
    >>> replaced_at("a", uses, "b").day, replaced_at("b", uses, "b"), replaced_at("a", uses, "c")
    (5, None, None)
    """
    known = [use.key for use in uses]
    if key == newest or newest not in known:
        return None
    place = len(known) - known[::-1].index(key) if key in known else known.index(newest)
    return datetime.fromisoformat(uses[place].since) if place < len(uses) and uses[place].since else None


def require_newest(first: str, uses: Sequence[KeyUse]) -> None:
    """Raise SafetyUnavailable when the first key by its id is one that gave way to another in a ledger.

    >>> uses = [KeyUse("a", "2026-01-01T00:00:00+00:00"), KeyUse("b", "2026-01-05T00:00:00+00:00")]
    >>> require_newest("b", uses)
    """
    known = [use.key for use in uses]
    if first in {UNKEYED, *known[-1:]} or first not in known:
        return
    remedy = f"write key {known[-1]} first and the older ones after it; to go back, make a new key"
    at = f" at {uses[-1].since}" if uses[-1].since else ""
    got = f"key {first}, replaced by key {known[-1]}{at}"

    raise SafetyUnavailable(
        explained(
            "an older key stands first", where=f"{ENVIRONMENT} or {ENVIRONMENT_FILE}", got=got, remedy=remedy
        )
    )


@lru_cache(maxsize=64)
def purpose_key(secret: bytes, purpose: str) -> bytes:
    """Return a key for one purpose alone; what is signed for one is nothing to another.

    >>> purpose_key(b"k" * 32, "ledger") == purpose_key(b"k" * 32, "receipt")
    False
    """
    return hmac.digest(secret, purpose.encode(), "sha256")


def read_keys(environment: Mapping[str, str] | None = None) -> Keys:
    """Return the keys of this service: of `RECSYS_KEY`, else of the file of `RECSYS_KEY_FILE`, else none.

    Keys stand one after another with blanks or lines between, the newest first.

    Raises SettingsError for a key that is too short, and for a file that cannot be read or holds none: a key
    that was meant is never passed over.
    """
    given = os.environ if environment is None else environment
    text, where = given.get(ENVIRONMENT, ""), ENVIRONMENT
    path = given.get(ENVIRONMENT_FILE, "")
    if not text.strip() and path:
        text, where = _text_of(Path(path)), ENVIRONMENT_FILE
    return _parsed(text, where)


def _text_of(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        remedy = f"check the file that {ENVIRONMENT_FILE} names, and who may read it"
        raise SettingsError(
            explained("the key file cannot be read", got=type(error).__name__, remedy=remedy)
        ) from None
    if not text.strip():
        raise SettingsError(explained("the key file holds no key", where=ENVIRONMENT_FILE))
    return text


@lru_cache(maxsize=8)
def _parsed(text: str, where: str) -> Keys:
    secrets = tuple(word.encode() for word in text.split())
    if any(len(secret) < SHORTEST_KEY for secret in secrets):
        remedy = "make one with: openssl rand -hex 32"
        raise SettingsError(explained(f"a key has at least {SHORTEST_KEY} bytes", where=where, remedy=remedy))
    if len(set(secrets)) != len(secrets):
        raise SettingsError(explained("a key stands twice", where=where, remedy="remove one of them"))
    return Keys(secrets)


def read_keys_file(home: Path) -> dict[str, str]:
    """Return the secrets of a home by the name of their environment variable; none where it has no file.

    Raises SettingsError when others than the owner may read the file, or a line of it is none.
    """
    path = home / KEY_FILE
    if not path.exists():
        return {}
    if path.stat().st_mode & 0o077:
        raise SettingsError(
            explained("others may read the keys", where=str(path), remedy=f"run chmod 600 {path}")
        )
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    if not all("=" in line for line in lines):
        raise SettingsError(explained("not a file of keys", where=str(path), remedy="write NAME=value lines"))
    return {name: _unquoted(value) for name, _, value in (line.partition("=") for line in lines)}


def _unquoted(value: str) -> str:
    """Return a value as a shell reads it: two keys with a blank between stand in quotes."""
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if is_quoted else value
