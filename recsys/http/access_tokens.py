"""Bearer tokens of the HTTP service, signed with the service's key: what they permit, for whom, until when.

The service keeps no list of tokens: a backend that holds the key makes them, for itself (any viewer) or for
one signed-in viewer for some minutes. `recsys token` makes them at the command line. A token holds while the
key that signed it is the newest one: whoever puts a new key first ends every token of the keys before.
"""

import base64
import hmac
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, Self, get_args

from recsys.catalogue.text_folding import has_letters
from recsys.errors import InputError, NotPermittedError, SafetyUnavailable, explained
from recsys.safety.keys import Keys, purpose_key

Scope = Literal["members", "backend", "operators"]
"""`members`: what a signed-in member does. `backend`: what the backend alone may do, such as holds and other
people's events. `operators`: looking into pairs and cases, with a purpose."""
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
ANY_VIEWER: Final = "*"
_OF_A_VIEWER: Final = "members"
"""The scope of a token that speaks for one viewer."""
LONGEST_TOKEN: Final = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What one bearer token permits.

    viewer:   the one viewer it speaks for; "*" for a backend, which vouches for the viewers it names.
    made_at:  when it was made; a token for operators without it counts as made before any other.
    scopes:   see `Scope`. operator: who uses it, of a token with the scope `operators`; else empty.

    >>> keys, now = Keys((b"k" * 32,)), datetime(2026, 1, 5, tzinfo=UTC)
    >>> text = AccessToken.make(["members"], viewer="u1", minutes=15, now=now).signed(keys)
    >>> AccessToken.read(text, keys, now).viewer
    'u1'
    >>> AccessToken.read(text, keys, now + timedelta(hours=1))
    Traceback (most recent call last):
    recsys.errors.NotPermittedError: not permitted
    """

    viewer: str
    scopes: tuple[str, ...]
    expires_at: str
    operator: str = ""
    made_at: str = ""

    @classmethod
    def make(
        cls,
        scopes: Sequence[str],
        *,
        viewer: str = ANY_VIEWER,
        minutes: float = 60.0,
        operator: str = "",
        now: datetime | None = None,
    ) -> Self:
        """Return a token from now on.

        Raises InputError for an unknown scope, more than 400 days, no viewer, one viewer with another scope
        than members, or operators without a name.
        """
        unknown = sorted(set(scopes).difference(SCOPES))
        if unknown or not scopes:
            raise InputError(explained("unknown scope", got=unknown, remedy=f"use {', '.join(SCOPES)}"))
        if not 0 < minutes <= LONGEST_TOKEN / timedelta(minutes=1):
            raise InputError(explained("a token lasts at most 400 days", where="minutes", got=minutes))
        named = has_letters(operator) if "operators" in scopes else not operator
        if not viewer or not named:
            remedy = "name the operator of a token for operators, and of no other"
            raise InputError(explained("a token names whom it is for", remedy=remedy))
        if viewer != ANY_VIEWER and {*scopes} != {_OF_A_VIEWER}:
            remedy = f"give it the scope {_OF_A_VIEWER} alone; the others speak for everybody"
            raise InputError(explained("a token of one viewer", where="scopes", got=[*scopes], remedy=remedy))
        made = datetime.now(UTC) if now is None else now
        return cls(
            viewer, tuple(scopes), (made + timedelta(minutes=minutes)).isoformat(), operator, made.isoformat()
        )

    def signed(self, keys: Keys) -> str:
        """Return the text of the token, signed with the newest key.

        Raises InputError without any key.
        """
        if not len(keys):
            raise InputError(explained("no key to sign a token with", remedy="set RECSYS_KEY"))
        body = _encoded(json.dumps(asdict(self), separators=(",", ":")).encode())
        return f"{keys.newest_id}.{body}.{_signature(keys, keys.newest_id, body)}"

    @classmethod
    def read(cls, text: str, keys: Keys, now: datetime) -> Self:
        """Return what a text permits.

        Raises NotPermittedError, which says nothing more, unless the newest key signed it and it holds yet.
        """
        key, _, rest = text.partition(".")
        body, _, signature = rest.partition(".")
        try:
            expected = _signature(keys, key, body) if key and key == keys.newest_id else ""
            if not expected or not hmac.compare_digest(expected.encode(), signature.encode()):
                raise _not_permitted()
            raw = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
            ends, made = raw["expires_at"], raw.get("made_at", "")
            token = cls(raw["viewer"], tuple(raw["scopes"]), ends, raw["operator"], made)
        except (ValueError, KeyError, TypeError, SafetyUnavailable):
            raise _not_permitted() from None
        if datetime.fromisoformat(token.expires_at) <= now:
            raise _not_permitted()
        return token

    def permits(self, scope: str, viewer: str | None = None) -> bool:
        """Say whether it permits a scope, and speaks for the viewer when one is named.

        That of one viewer permits nothing but what a member does, whatever scopes an earlier version gave it.
        """
        is_of_one = self.viewer != ANY_VIEWER
        if is_of_one and (scope != _OF_A_VIEWER or viewer not in (None, self.viewer)):
            return False
        return scope in self.scopes


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _signature(keys: Keys, key: str, body: str) -> str:
    return _encoded(hmac.digest(purpose_key(keys.secret(key), "token"), body.encode(), "sha256"))


def _not_permitted() -> NotPermittedError:
    return NotPermittedError("not permitted")
