"""Telephone numbers and mailboxes that a form was filled with for want of one, such as 000-0000-0000."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from recsys.data.contact_tokens import make_token, normal_form
from recsys.data.phone_normalization import is_assigned
from recsys.errors import InputError

FEWEST_MEMBERS: Final = 3
"""Rows from which on a draft names a value that looks made up: one person rarely has three accounts."""

_RUN_OF_ONE: Final = r"(\d)\1{5}"
_COUNTED: Final = r"0?1234567(?:8(?:9(?:0)?)?)?|0?9876543(?:2(?:1(?:0)?)?)?"
_MADE_UP_NUMBER = re.compile(rf"(?:{_RUN_OF_ONE}|{_COUNTED})$", re.ASCII)
_NO_MAILBOX: Final = frozenset(
    (
        *("none", "null", "na", "unknown", "undefined", "notprovided", "notgiven", "notavailable", "dummy"),
        *("nomail", "noemail", "noaddress", "withoutemail", "withoutmail", "noreply", "donotreply", "fake"),
        *("sincorreo", "sinemail", "notiene", "notienecorreo", "sinmail", "semail", "sememail", "naotem"),
        *("pasdemail", "sansemail", "sansmail", "aucun", "keinemail", "keinemailadresse", "ohneemail"),
        *("nessunaemail", "nomailbox", "senzaemail", "nienmaila", "brak", "brakmaila", "geenemail", "nashi"),
        *("meerunashi", "メールなし", "なし", "없음", "이메일없음", "无", "無", "нет", "нетпочты"),
    )
)


_NOBODYS_HOST = re.compile(
    r"(?:[^.]*|.*\.(?:test|example|invalid|localhost)|(?:.*\.)?example\.(?:com|net|org))"
)
"""Names that are registered to nobody: RFC 2606 and 6761, and what has no dot."""


def looks_made_up(kind: str, value: str) -> bool:
    """Say whether a number or mailbox looks like what people type who have or give none.

    A number that ends in six times one digit or counts up or down, and a mailbox whose name says that there
    is none. Some such numbers and mailboxes are somebody's, see `is_nobodys`.

    >>> looks_made_up("phone", "090-0000-0000"), looks_made_up("phone", "090-1234-5698")
    (True, False)
    >>> looks_made_up("email", "sin-correo@example.com"), looks_made_up("email", "hana@example.com")
    (True, False)
    """
    text = unicodedata.normalize("NFKC", value)
    if kind == "phone":
        return _MADE_UP_NUMBER.search(re.sub(r"\D", "", text)) is not None
    name, at, _ = text.casefold().strip().rpartition("@")
    return kind == "email" and bool(at) and re.sub(r"[\W_]|\d+$", "", name) in _NO_MAILBOX


def is_nobodys(kind: str, value: str, country: str | None) -> bool:
    """Say whether a value looks made up and nobody can have it: no assigned number, no host that can be had.

    What somebody can have stays a person's, however many share it: else whoever is banned would come back
    with three accounts under a number such as 090-1111-1111.

    >>> is_nobodys("phone", "090-0000-0000", "JP"), is_nobodys("phone", "090-1111-1111", "JP")
    (True, False)
    >>> is_nobodys("email", "none@example.com", None), is_nobodys("email", "none@gmail.com", None)
    (True, False)
    """
    if kind == "phone":
        number = normal_form(kind, value, country=country) or ""  # without an extension
        return looks_made_up(kind, number) and not is_assigned(number)
    return (
        looks_made_up(kind, value)
        and _NOBODYS_HOST.fullmatch(value.casefold().strip().rpartition("@")[2]) is not None
    )


def made_up_values(kind: str, values: Iterable[str]) -> list[str]:
    """Return values that look made up and stand in at least `FEWEST_MEMBERS` rows, each in one spelling.

    >>> made_up_values("phone", ["010-0000-0000", "01000000000", "010 0000 0000", "010-2345-8871"])
    ['010-0000-0000']
    """
    held = dict[str, list[str]]()
    for value in values:
        if looks_made_up(kind, value):
            text = unicodedata.normalize("NFKC", value).casefold()
            held.setdefault(re.sub(r"\D" if kind == "phone" else r"\s", "", text), []).append(value.strip())
    return sorted(rows[0] for rows in held.values() if len(rows) >= FEWEST_MEMBERS)


class Placeholders:
    """The values that a mapping names as nobody's, as tokens of each country's reading."""

    def __init__(self, values: Sequence[str], secret: bytes | None) -> None:
        self._values, self._secret = values, secret
        self._known = dict[tuple[str, str | None], frozenset[str]]()

    def tokens(self, kind: str, country: str | None) -> frozenset[str]:
        """Return the tokens of the values of one kind; numbers without a code are of the country.

        >>> nobodys = Placeholders(["010-0000-0000", "no@example.kr"], b"kept outside the data")
        >>> make_token("phone", "+82 10 0000 0000", b"kept outside the data") in nobodys.tokens("phone", "KR")
        True
        """
        if (kind, country) not in self._known:
            found = set[str | None]()
            for value in self._values if self._secret is not None else ():
                if kind == ("email" if "@" in value else "phone"):
                    with suppress(InputError):  # no number of this country
                        found.add(make_token(kind, value, self._secret or b"", country=country))
            self._known[kind, country] = frozenset(one for one in found if one is not None)
        return self._known[kind, country]
