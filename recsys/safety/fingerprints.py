"""Keyed fingerprints of ids and person tokens, under which the ledger and the person index hold people."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import blake2b
from typing import Final

import numpy as np

from recsys.safety.canonical import in_any_spelling
from recsys.safety.keys import UNKEYED, Keys, key_id, purpose_key
from recsys.types import UInt64Array

ID: Final = "id"
PERSON: Final = "person"
SPELLING: Final = "spelling"
"""The kind of fingerprint that all spellings of an id have in common."""
STOP_ROW: Final = "stop row"
"""The kind of fingerprint of a row of profiles that says a ban or a hold: its account, state and time."""
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


UNKEYED_FINGERPRINTS: Final = Fingerprints(Naming(), Keys())
"""Plain hashes, for what has no key at hand, such as a safety store."""


def forms_of(user_id: str, keys: Keys) -> frozenset[str]:
    """Return `Fingerprints.text` of an id under each of the keys and under none: what a log may hold of them.

    >>> len(forms_of("u1", Keys())), len(forms_of("u1", Keys((b"k" * 32, b"o" * 32))))
    (1, 3)
    """
    known = (UNKEYED, *(key_id(secret) for secret in keys.secrets))
    return frozenset(Fingerprints(Naming(key), keys).text(user_id) for key in known)


_SEPARATORS: Final = re.compile(r"([^A-Za-z0-9])")
_PLAIN_WORD: Final = re.compile(r"\d{1,6}|[^\W\d_]+")
"""A number or a word that names nobody where it stands beside others, though it may be an id as well."""
_NAMED: Final = re.compile(r"id\.([0-9a-f]{16})(?![0-9a-f])")
LONGEST_WORD: Final = 64


def without_id(word: str, user_id: str, *, longest: int = LONGEST_WORD) -> str:
    """Return a word that a safety store keeps without one id in any spelling, as `without_ids` does.

    >>> without_id("u0000160", "u0000160") == f"id.{UNKEYED_FINGERPRINTS.text('u0000160')}"
    True
    """
    spelled = in_any_spelling(user_id)
    return without_ids(
        word, UNKEYED_FINGERPRINTS, lambda part: in_any_spelling(part) == spelled, longest=longest
    )


def without_ids(
    word: str, naming: Fingerprints, is_id: Callable[[str], bool], *, longest: int = LONGEST_WORD
) -> str:
    """Return a word with a fingerprint in the place of each id that it is or holds between separators.

    A whole word of letters alone names nobody, nor does a part that is one, a number of up to six digits or
    signs alone, see `may_stand_in_names`. One that would be longer than `longest` becomes one fingerprint.

    >>> one = Fingerprints(Naming(), Keys())
    >>> made = without_ids("reported-by-u0000160", one, {"u0000160", "by"}.__contains__)
    >>> made == f"reported-by-id.{one.text('u0000160')}", without_ids("case-31", one, {"31"}.__contains__)
    (True, 'case-31')
    """
    pieces, found, at = _SEPARATORS.split(word), list[str](), 0  # runs of letters and digits, signs between
    while at < len(pieces):
        parts = ((end, "".join(pieces[at:end])) for end in range(len(pieces), at, -2))
        end, part = next(((end, part) for end, part in parts if _names(part, word, is_id)), (at + 1, ""))
        found.append(f"id.{naming.text(part)}" if part else pieces[at])
        found += pieces[end : end + 1]
        at = end + 1
    made = "".join(found)
    return made if len(made) <= longest else f"id.{naming.text(word)}"


LONGEST_NAME: Final = 1 << 10
"""Characters of a name; one that would be longer becomes one fingerprint where it holds an id."""
_ID_IN_A_NAME: Final = re.compile(r"[\w-](.{0,62}[\w-])?", re.DOTALL)
_NUMBER: Final = re.compile(r"\d{1,6}|[-+]?\d*[.,]\d+(e[-+]?\d+)?", re.IGNORECASE)
_MAY_HOLD_AN_ID: Final = re.compile(r"\d|[^\W_][^\w\s][^\W_]|[_-]")


def name_without_ids(name: str, naming: Fingerprints, is_id: Callable[[str], bool]) -> str:
    """Return a name that a member or a backend made, as `without_ids` does; a number stays as it is.

    Signs around an id that no id holds, such as brackets and blanks, stay as well.

    >>> one = Fingerprints(Naming(), Keys())
    >>> name_without_ids("club.u1", one, {"u1"}.__contains__) == f"club.id.{one.text('u1')}"
    True
    >>> name_without_ids("12", one, {"12"}.__contains__)
    '12'
    """

    def names(part: str) -> bool:
        whole = _ID_IN_A_NAME.fullmatch(part) is not None
        return whole and not _NUMBER.fullmatch(part) and is_id(part)

    if not _MAY_HOLD_AN_ID.search(name) or _NUMBER.fullmatch(name):
        return name
    return without_ids(name, naming, names, longest=LONGEST_NAME)


def _names(part: str, word: str, is_id: Callable[[str], bool]) -> bool:
    if not part or (part != word and not may_stand_in_names(part)):
        return False
    plain = _PLAIN_WORD.fullmatch(part)
    return not (plain and (part != word or part.isalpha())) and is_id(part)


def may_stand_in_names(user_id: str) -> bool:
    """Say whether an id is looked for within a longer name: one without a letter or digit is a sign there.

    >>> may_stand_in_names("u-1"), may_stand_in_names("-")
    (True, False)
    """
    return any(map(str.isalnum, user_id))


def is_word_of(stored: str, word: str, namings: Sequence[Fingerprints]) -> bool:
    """Say whether a word is what was written as `stored`, by itself or by `without_ids` under any naming.

    >>> one = Fingerprints(Naming(), Keys())
    >>> is_word_of(f"by-id.{one.text('u1')}", "by-u1", [one]), is_word_of("by-u2", "by-u1", [one])
    (True, False)
    """
    if stored == word:
        return True
    named = _NAMED.search(stored)
    if named is None or not word.startswith(stored[: named.start()]):
        return False
    text, rest = word[named.start() :], stored[named.end() :]
    return any(
        is_word_of(rest, text[end:], namings)
        for end in range(1, len(text) + 1)
        for naming in namings
        if naming.text(text[:end]) == named[1]
    )
