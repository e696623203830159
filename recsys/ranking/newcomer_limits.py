"""Limits of a day: how many profiles, filters and people a person gets before they answer too much.

A profile that may be changed at will answers questions about others, by who appears and who vanishes; so does
a filter. So the first profile of a person and day binds, filters are few, and a day shows a bounded number of
people: in a small community a small share of it, since each person seen is one whose answer is known.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from hashlib import blake2b
from typing import Any, Final, Self

import numpy as np
import pandas as pd

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.data.population import Population
from recsys.errors import InputError, explained
from recsys.safety.ledger_state import LedgerState
from recsys.safety.person_index import Accounts
from recsys.safety.shown_log import ShownLog

_TIMES: Final = ("as_of", "source")
"""Of a population: when and where it was read, which says nothing about the person."""


@dataclass(frozen=True, slots=True)
class NewcomerLimits:
    """What one person may ask for with profiles the publication does not know, a day.

    page: people a page. day: different people a day. share: different people a day as a share of those who
    are listed; at least `least`, at most `day`. profiles: different profiles a day; a later one waits for the
    night. edits: the same of a member the night knows, whose own tables have changed. filters: different
    filters of pages a day, of anybody; pages with a filter are bounded by `page` and `day` too.

    >>> NewcomerLimits()
    NewcomerLimits(page=20, day=60, share=0.05, least=3, profiles=1, edits=3, filters=5)
    """

    page: int = 20
    day: int = 60
    share: float = 0.05
    least: int = 3
    profiles: int = 1
    edits: int = 3
    filters: int = 5

    def admit_filter(self, log: ShownLog, keys: Sequence[str], day: date, wanted: str) -> None:
        """Note that somebody narrows a page by a filter today.

        Raises InputError when they used too many others.
        """
        if not _noted(log, [f"{key}#filters" for key in keys], day, [wanted], self.filters):
            what = f"a member has {self.filters} different filters a day"
            raise InputError(
                explained(what, where="where", remedy="use one of today's, or wait for tomorrow")
            )

    def among(self, n_listed: int) -> Self:
        """Return the limits in a community of so many listed people.

        >>> NewcomerLimits().among(60).day, NewcomerLimits().among(400).day, NewcomerLimits().among(9_000).day
        (3, 20, 60)
        """
        return replace(self, day=min(self.day, max(self.least, int(self.share * n_listed))))

    def admit(
        self, log: ShownLog, keys: Sequence[str], day: date, profile: str, *, known: bool = False
    ) -> bool:
        """Say whether a profile may be used today, and note that it was."""
        most = self.edits if known else self.profiles
        return bool(_noted(log, [f"{key}#profiles" for key in keys], day, [profile], most))

    def within_day(
        self, log: ShownLog, keys: Sequence[str], day: date, candidates: Iterable[str]
    ) -> list[str]:
        """Return those of the candidates, in order, who may be given today, and note that they were.

        Whoever was given already may be given again.
        """
        return _noted(log, [f"{key}#given" for key in keys], day, list(candidates), self.day)


def _noted(log: ShownLog, keys: Sequence[str], day: date, wanted: Sequence[str], most: int) -> list[str]:
    """Note under every key those for whom there is room under each, and return them in order."""
    left = list(wanted)
    for key in keys:
        noted = log.remember_at_most(key, day, left, most) if left else frozenset()
        left = [one for one in left if one in noted]
    return left


def limit_keys(kind: str, accounts: Accounts, user_id: str, state: LedgerState) -> list[str]:
    """Return under which keys the limits of somebody's person are counted: each account and each token.

    A person does not begin anew with another account of theirs, nor an account with another token.
    kind: what is limited. state: of the ledger, which knows of tokens of earlier nights.
    """
    own = [who for account in accounts.of(user_id) for who in accounts.named(account)]
    named = [f"account\0{who.user_id}" for who in own] + [f"token\0{who.token}" for who in own if who.token]
    prints = accounts.fingerprints(user_id, state) if state.links else set[int]()
    named += [f"person\0{one:016x}" for one in sorted(state.linked(prints)) if one in state.links]
    texts = [one.encode("utf-8", "surrogatepass") for one in dict.fromkeys(named)]
    return [f"{kind}-{blake2b(text, digest_size=16).hexdigest()}" for text in texts]


def without_own_tokens(person: Population) -> Population:
    """Return a newcomer without contact tokens of their own, of which nobody knows that they are theirs."""
    tokens = person.long.tokens
    return replace(person, long=replace(person.long, tokens=tokens[tokens[C.KIND] != "self"]))


def profile_digest(profile: Population | Mapping[str, Mapping[str, Sequence[Any]]]) -> str:
    """Return a digest of what a profile says, a person or the values of tables by column.

    Of the same profile it is the same.

    >>> table = {"user_id": ["a"], "gender": ["woman"]}
    >>> profile_digest({"profiles": table}) == profile_digest({"profiles": dict(sorted(table.items()))})
    True
    """
    digest = blake2b(digest_size=16)
    for line in _content(profile):
        digest.update(line.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def _content(value: Any, name: str = "") -> Iterable[str]:
    """Yield every value with its name, whatever holds it."""
    if isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield from _content(value[key], f"{name}.{key}")
    elif isinstance(value, Catalogue):  # its version names its content
        yield f"{name}={value.version}"
    elif is_dataclass(value):
        for field in fields(value):
            if field.name not in _TIMES:
                yield from _content(getattr(value, field.name), f"{name}.{field.name}")
    elif isinstance(value, pd.DataFrame):
        for column in sorted(value, key=str):
            yield f"{name}.{column}={value[column].tolist()!r}"
    elif isinstance(value, np.ndarray):
        yield f"{name}={value.dtype.kind}{value.shape}{value.tolist()!r}"
    else:
        yield f"{name}={value!r}"
