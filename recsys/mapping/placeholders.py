"""Telephone numbers and mailboxes that a form was filled with for want of one, such as 000-0000-0000."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.text_folding import fold
from recsys.data.fail_closed import PROVES_AGE

FEWEST_MEMBERS: Final = 3
"""Who share a number that looks made up, so that it is none: one person rarely has three accounts."""
FEWEST_BESIDE_A_RESTRICTION: Final = 20
"""The same where an account with that number is out, or somebody excluded it: a few accounts free nobody."""

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

    Members who are out, or whom nobody verified, do not count: anybody can make such accounts. Where one who
    is out has the token, or somebody excluded it, it takes `FEWEST_BESIDE_A_RESTRICTION`.

    frames: profiles and tokens as queries give them. made_up: tokens of values that look made up.
    """
    if not made_up:
        return frozenset()
    held, excluded = list[pd.DataFrame](), frozenset[str]()
    profiles, tokens = (frames.get(name, pd.DataFrame()) for name in (T.PROFILES, T.TOKENS))
    if {C.USER, C.PERSON_TOKEN} <= {*profiles.columns}:
        held.append(profiles[[C.USER, C.PERSON_TOKEN]].set_axis([C.USER, C.HMAC], axis=1))
    if {C.USER, C.HMAC, C.KIND} <= {*tokens.columns}:
        is_own = tokens[C.KIND].eq("self").fillna(False).astype(bool)
        held.append(tokens.loc[is_own, [C.USER, C.HMAC]])
        excluded = frozenset(tokens.loc[~is_own, C.HMAC].dropna())
    if not held:
        return frozenset()
    both = pd.concat(held)
    both = both[both[C.HMAC].isin(made_up)]
    out, unproved = _users_with(profiles, C.ACCOUNT_STATE, {"active"}), _users_with(profiles, C.VERIFICATION)
    restricted = excluded | frozenset(both.loc[both[C.USER].isin(out), C.HMAC])
    people = both[~both[C.USER].isin(out | unproved)].groupby(C.HMAC)[C.USER].nunique()
    fewest = np.where(people.index.isin(restricted), FEWEST_BESIDE_A_RESTRICTION, FEWEST_MEMBERS)
    return frozenset(people.index[people.to_numpy() >= fewest])


def _users_with(profiles: pd.DataFrame, column: str, usual: Collection[str] = PROVES_AGE) -> frozenset[str]:
    """Return who has a value in a column of profiles that is none of the usual ones; nobody without it."""
    if not {C.USER, column} <= {*profiles.columns}:
        return frozenset()
    words = profiles[column].dropna().map(lambda word: fold(str(word)))
    return frozenset(profiles.loc[words.index[~words.isin(usual)], C.USER])
