"""Telephone numbers and mailboxes that a form was filled with for want of one, such as 000-0000-0000."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Final

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T

FEWEST_MEMBERS: Final = 3
"""Who share a number that looks made up, so that it is none: one person rarely has three accounts."""

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


def looks_made_up(kind: str, value: str) -> bool:
    """Say whether a number or mailbox looks like what people type who have or give none.

    A number that ends in six times one digit or counts up or down, and a mailbox whose name says that there
    is none. Some such numbers are real: only that several members share one makes it nobody's.

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


def shared_placeholders(frames: Mapping[str, pd.DataFrame], made_up: Collection[str]) -> frozenset[str]:
    """Return those of some tokens that at least `FEWEST_MEMBERS` members have as their own.

    frames: profiles and tokens as queries give them. made_up: tokens of values that look made up.
    """
    if not made_up:
        return frozenset()
    held = []
    profiles, tokens = (frames.get(name, pd.DataFrame()) for name in (T.PROFILES, T.TOKENS))
    if {C.USER, C.PERSON_TOKEN} <= {*profiles.columns}:
        held.append(profiles[[C.USER, C.PERSON_TOKEN]].set_axis([C.USER, C.HMAC], axis=1))
    if {C.USER, C.HMAC, C.KIND} <= {*tokens.columns}:
        held.append(tokens.loc[tokens[C.KIND].eq("self").fillna(False).astype(bool), [C.USER, C.HMAC]])
    if not held:
        return frozenset()
    both = pd.concat(held)
    people = both[both[C.HMAC].isin(made_up)].groupby(C.HMAC)[C.USER].nunique()
    return frozenset(people.index[people >= FEWEST_MEMBERS])
